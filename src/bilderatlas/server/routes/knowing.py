"""What is in the collection, what was skipped, and whether the server is up."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from bilderatlas import __version__
from bilderatlas.server.routes.dependencies import Asked
from bilderatlas.server.schemas.knowing import Health, Info, Problems

routes = APIRouter()


@routes.get("/health")
async def health() -> Health:
    """Say that the server is up."""
    return Health(status="ok", version=__version__)


@routes.get("/info", response_model=Info)
def info(collection: Asked) -> dict[str, Any]:
    """Say what is inside the collection."""
    return collection.info().to_dict()


@routes.get("/problems", response_model=Problems)
def problems(collection: Asked) -> dict[str, Any]:
    """List what was skipped, and why."""
    return collection.problems().to_dict()
