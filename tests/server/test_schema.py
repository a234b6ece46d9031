"""Whatever is asked, as the API's description has it or not, is answered as it is described."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI

from bilderatlas.server import routes
from tests.server.coloured import make_collection
from tests.web.visiting import served

schemathesis = pytest.importorskip("schemathesis", reason="of the dependency group `test`")
from hypothesis import HealthCheck, assume, given, settings  # noqa: E402
from hypothesis.errors import Unsatisfiable  # noqa: E402

pytestmark = pytest.mark.slow

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
ENDLESS = ("/api/v1/jobs/events",)  # it goes on as long as somebody listens
LONGEST = 60_000  # characters; uvicorn hangs up on an address of more than 64 KB
SLOW = ("GET /api/v1/duplicates", "GET /api/v1/advice")  # seconds each
N_EXAMPLES, N_SLOW = 8, 2  # for each route that fit, and as many that do not


def operations() -> list[str]:
    """Every method of every route that the description names."""
    bare = FastAPI()
    bare.include_router(routes.api)
    paths = bare.openapi()["paths"]
    return [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if path not in ENDLESS
    ]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served(make_collection(tmp_path_factory.mktemp("schema"))) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("operation", operations())
def test_a_route_answers_as_it_is_described(described: Any, operation: str, fits: bool) -> None:
    method, path = operation.split()
    modes = schemathesis.GenerationMode
    cases = described[path][method].as_strategy(modes.POSITIVE if fits else modes.NEGATIVE)
    checks = schemathesis.checks.CHECKS.get_by_names(CHECKS)

    @settings(
        max_examples=N_SLOW if operation in SLOW else N_EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def ask(case: Any) -> None:
        assume(len(case.as_curl_command()) < LONGEST)
        case.call_and_validate(checks=checks)

    with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
        ask()
