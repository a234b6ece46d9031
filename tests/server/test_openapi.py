"""The API's description says what it said: names of schemas, which only it shows, may change.

After a change that is meant: python -m tests.server.test_openapi
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from bilderatlas.server import routes

KEPT = Path(__file__).with_name("openapi.json")


def described() -> dict[str, Any]:
    """What every route takes and answers, without titles; refusals, which are all alike, once."""
    bare = FastAPI()
    bare.include_router(routes.api)
    document = bare.openapi()
    said: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation.pop("responses")
            operation["responses"] = {
                status: answer
                for status, answer in answers.items()
                if answer != routes.api.responses.get(int(status))
            }
            said[f"{method.upper()} {path}"] = _in_place(operation, document)
    return said | {"refusals": _in_place(routes.api.responses, document)}


def _in_place(part: Any, document: dict[str, Any]) -> Any:
    """A part of the document with what it refers to in the place of each reference."""
    if isinstance(part, list):
        return [_in_place(each, document) for each in part]
    if not isinstance(part, dict):
        return part
    if isinstance(target := part.get("$ref"), str):
        return _in_place(document["components"]["schemas"][target.rpartition("/")[2]], document)
    if isinstance(required := part.get("required"), list):
        part = part | {"required": sorted(required)}  # of which the order says nothing
    return {
        str(key): _in_place(value, document)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str)) and key != "discriminator"
    }


def test_the_api_is_described_as_it_was() -> None:
    assert described() == json.loads(KEPT.read_text("utf-8"))


if __name__ == "__main__":
    lines = (
        f"{json.dumps(name)}: {json.dumps(said, sort_keys=True)}"
        for name, said in sorted(described().items())
    )
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
