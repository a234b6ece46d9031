"""Results to take along: tables, embeddings."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from bilderatlas.analysis.calibration import DOUBTFUL
from bilderatlas.arrays import Embeddings
from bilderatlas.collection.export import hits_table
from bilderatlas.output import files
from bilderatlas.server.routes.dependencies import RunName, ServedCollection
from bilderatlas.server.routes.etag import of_tables
from bilderatlas.server.schemas.parameters import MAX_WORDS, K, Kind, SelectionId, SpaceName, Where

IN_MEMORY_BYTES = 16_000_000  # of a table; what is larger waits on disk
CHUNK_BYTES, CHUNK_ROWS = 1 << 20, 4096
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
ARROW = "application/vnd.apache.arrow.stream"

routes = APIRouter()


def _content(*media_types: str) -> dict[int | str, dict[str, Any]]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"content": dict.fromkeys(media_types, binary)}}


@routes.get(
    "/export",
    response_class=StreamingResponse,
    responses=_content("text/csv", MEDIA_TYPES["parquet"]),
    dependencies=[of_tables()],
)
def export(
    collection: ServedCollection,
    response: Response,
    table: Annotated[str, Query(max_length=100, description="images, clusters, ...")] = "images",
    format: Literal["csv", "parquet"] = "csv",
    run: RunName = None,
    selection: SelectionId | None = None,
) -> StreamingResponse:
    """Give a table of the collection as a file: CSV or Parquet."""
    with ExitStack() as until_written:
        file = until_written.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))
        collection.export(file, table=table, format=format, run=run, selection=selection)
        until_written.pop_all()  # `_chunks` closes it
    file.seek(0)
    named = f'attachment; filename="{table}.{format}"'
    headers = {**response.headers, "Content-Disposition": named}
    return StreamingResponse(_chunks(file), media_type=MEDIA_TYPES[format], headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


@routes.get(
    "/search/table",
    response_class=Response,
    responses=_content("text/csv", MEDIA_TYPES["parquet"]),
)
def found(
    collection: ServedCollection,
    query: Annotated[str, Query(max_length=MAX_WORDS, description="words or an expression")],
    k: K = 100,
    where: Where | None = None,
    selection: SelectionId | None = None,
    format: Literal["csv", "parquet"] = "csv",
) -> Response:
    """Give what answers a query, likely and doubtful, as CSV or Parquet: a row for every place."""
    hits = collection.search(query, k=k, where=where, selection=selection, may_open_files=False)
    answers = [hit for hit in hits if hit.relevance >= DOUBTFUL]
    file = io.BytesIO()
    rows = collection.places([hit.image_id for hit in answers])
    files.write_rows(hits_table(answers, rows), file, format)
    headers = {"Content-Disposition": f'attachment; filename="results.{format}"'}
    return Response(file.getvalue(), media_type=MEDIA_TYPES[format], headers=headers)


@routes.get(
    "/embeddings",
    response_class=StreamingResponse,
    responses=_content(ARROW),
    dependencies=[of_tables()],
)
def embeddings(
    collection: ServedCollection,
    response: Response,
    kind: Kind | None = None,
    space: SpaceName | None = None,
) -> StreamingResponse:
    """Give region ids and embeddings of one kind of region as a stream of Arrow batches."""
    ids, vectors = collection.embeddings(kind, space=space)
    headers = dict(response.headers)
    return StreamingResponse(_batches(ids, vectors), media_type=ARROW, headers=headers)


def _batches(ids: list[str], vectors: Embeddings) -> Iterator[bytes]:
    """Region ids (N,) and embeddings (N, D) as an Arrow stream, some rows at a time."""
    dim = vectors.shape[1]
    schema = pa.schema([("region_id", pa.string()), ("vector", pa.list_(pa.float32(), dim))])
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, schema) as stream:
        for start in range(0, len(ids), CHUNK_ROWS):
            part = np.ascontiguousarray(vectors[start : start + CHUNK_ROWS], np.float32)
            rows = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), dim)
            stream.write_batch(pa.record_batch([ids[start : start + CHUNK_ROWS], rows], schema))
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.BytesIO) -> bytes:
    """What was written since the last time."""
    content = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return content
