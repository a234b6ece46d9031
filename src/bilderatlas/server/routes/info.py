"""What is in the collection."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from bilderatlas.models import encoders
from bilderatlas.server.routes.dependencies import ServedCollection
from bilderatlas.server.routes.etag import of_tables
from bilderatlas.server.schemas.info import Encoders, Info, Spaces

routes = APIRouter()


@routes.get("/info", response_model=Info, dependencies=[of_tables()])
def info(collection: ServedCollection) -> dict[str, Any]:
    """Say what is inside the collection."""
    return collection.info().to_dict()


@routes.get("/spaces", response_model=Spaces, dependencies=[of_tables()])
def spaces(collection: ServedCollection) -> dict[str, Any]:
    """List the spaces that can be asked, and what each lacks."""
    facts = collection.info().to_dict()
    return {"active_space": facts["active_space"], "spaces": facts["spaces"]}


@routes.get("/encoders", response_model=Encoders)
def list_encoders() -> dict[str, Any]:
    """List the encoders that can be used on the server's machine."""
    return {"encoders": [asdict(facts) for facts in encoders.available()]}
