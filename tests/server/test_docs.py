"""The examples of docs/rest.md are requests that this server answers."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"
COMMANDS = [line for line in PAGE.read_text().splitlines() if line.startswith("curl ")]


def test_there_are_examples() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_answered(client: TestClient, command: str) -> None:
    *options, address = shlex.split(command)[1:]
    body = json.loads(options[1]) if options else None
    path = address.removeprefix("http://127.0.0.1:8080")
    answer = client.post(path, json=body) if body else client.get(path)
    assert answer.status_code == 200, answer.text


def test_every_route_is_in_the_table(client: TestClient) -> None:
    table = PAGE.read_text()
    for path, operations in client.get("/api/openapi.json").json()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path.removeprefix('/api/v1')}`" in table
