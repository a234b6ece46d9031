"""Opening a collection: one that lies in a folder here, or one behind a server."""

from __future__ import annotations

from pathlib import Path

from bilderatlas.client import RemoteCollection, is_address
from bilderatlas.collection import Collection
from bilderatlas.errors import StoreError
from bilderatlas.indexing import sources
from bilderatlas.storage import Store

SUFFIX = ".atlas"


def open(path: str | Path, *, api_key: str | None = None) -> Collection | RemoteCollection:
    """Open a collection: a folder, or the address of a server ("http://127.0.0.1:8080").

    A server is given `api_key`, or that of $BILDERATLAS_API_KEY. Raises CollectionNotFound,
    SchemaTooNew; an address is reached when it is first asked.
    """
    return RemoteCollection(str(path), api_key=api_key) if is_address(path) else open_folder(path)


def open_folder(path: str | Path) -> Collection:
    """Open a collection that lies on this machine. Raises CollectionNotFound, SchemaTooNew."""
    return Collection(Store.open(folder_of(path)))


def create(path: str | Path) -> Collection:
    """Make an empty collection. Raises CollectionExists where something is already."""
    return Collection(Store.create(folder_of(path)))


def folder_of(path: str | Path) -> Path:
    """`holiday` may be said for `holiday.atlas`."""
    folder = sources.typed_path(str(path)).absolute()
    if sources.uri_of(folder) != str(folder):
        raise StoreError(
            f"{folder} cannot be a collection: its name is not valid UTF-8. Choose another."
        )
    return folder if folder.suffix == SUFFIX else folder.with_name(folder.name + SUFFIX)
