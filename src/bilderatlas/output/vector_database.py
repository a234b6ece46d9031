"""Embeddings -> a collection of ChromaDB, on disk. Owns chromadb."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilderatlas.arrays import Embeddings
from bilderatlas.errors import QueryError, StoreError

Value = str | int | float | bool | list[str] | list[int] | list[float] | list[bool]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,510}[A-Za-z0-9]")  # what Chroma takes
BATCH_SIZE = 1000
# Of the 20 neighbors of random vectors (5,000 x 384) Chroma's defaults find 95 %, these 99.9 %.
INDEX = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}


@dataclass(frozen=True, slots=True)
class Entries:
    """Some rows of a collection of Chroma, N of them."""

    ids: Sequence[str]
    embeddings: Embeddings  # (N, D)
    metadata: Sequence[Mapping[str, Value]]
    documents: Sequence[str | None]


def write(folder: Path, name: str, about: Mapping[str, Value], batches: Iterable[Entries]) -> int:
    """Make a new collection in Chroma's folder; says how many rows it has.

    Distances are cosine. Either all of it is there in the end, or nothing.

    Raises QueryError where chromadb is not installed, the name is not one of Chroma's or is taken,
    StoreError where the folder cannot be written.
    """
    client = _open(folder)
    try:
        return _write(client, folder, name, about, batches)
    finally:
        client.close()  # so that this process may open it with other settings


def _write(
    client: Any, folder: Path, name: str, about: Mapping[str, Value], batches: Iterable[Entries]
) -> int:
    from chromadb.errors import ChromaError

    if name in [made.name for made in client.list_collections()]:
        raise QueryError(
            f"{folder} has a collection {name!r} already. Choose another folder or --prefix."
        )
    try:
        made = client.create_collection(
            name, configuration={"hnsw": INDEX}, metadata=dict(about), embedding_function=None
        )
        try:
            for entries in batches:
                _add(made, entries, min(BATCH_SIZE, client.get_max_batch_size()))
            return int(made.count())
        except BaseException:  # Ctrl-C too
            client.delete_collection(name)
            raise
    except ChromaError as error:
        raise StoreError(f"Chroma cannot write to {folder}: {error}") from error


def name_of(prefix: str, field: str) -> str:
    """PREFIX-FIELD, the field in the letters that Chroma takes. Raises QueryError."""
    plain = unicodedata.normalize("NFKD", field).encode("ascii", "ignore").decode()
    name = f"{prefix}-{re.sub(r'[^A-Za-z0-9]+', '-', plain).strip('-') or 'texts'}"
    if not NAME.fullmatch(name):
        raise QueryError(
            f"Chroma allows no collection called {name!r}: a name has 3 to 512 of the characters "
            "a-z, A-Z, 0-9, '.', '_' and '-', the first and last of them a letter or digit. Give "
            "another --prefix."
        )
    return name


def value(given: Any) -> Value | None:
    """A value as Chroma's metadata can hold it; None where there is nothing to hold.

    Texts, numbers and lists of one kind of them stay what they are; anything else becomes JSON.
    """
    if given is None or given == []:
        return None
    if isinstance(given, int) and not -(1 << 63) <= given < 1 << 63:
        return float(given)
    if isinstance(given, (str, int, float)):
        return given
    kinds = {type(each) for each in given} if isinstance(given, list) else set()
    if kinds in ({str}, {int}, {float}, {bool}):
        return list(given)
    return json.dumps(given, ensure_ascii=False)


def _open(folder: Path) -> Any:
    try:
        import chromadb
        from chromadb.config import Settings
    except ImportError as error:
        raise QueryError(
            "Chroma's collections are written by chromadb, which is not installed here. Install "
            "it: pip install 'bilderatlas[chroma]'"
        ) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False))
    except (OSError, ValueError, chromadb.errors.ChromaError) as error:
        raise StoreError(f"Chroma cannot write to {folder}: {error}") from error


def _add(made: Any, entries: Entries, size: int) -> None:
    for start in range(0, len(entries.ids), size):
        some = slice(start, start + size)
        made.add(
            ids=list(entries.ids[some]),
            embeddings=entries.embeddings[some],
            metadatas=[dict(row) for row in entries.metadata[some]],
            documents=list(entries.documents[some]),
        )
