"""Commands that stay: serve."""

from __future__ import annotations

from typing import Annotated

import typer

from bilderatlas.cli.arguments import CollectionArg, open_collection
from bilderatlas.cli.printing import say


def serve(
    collection: CollectionArg,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
) -> None:
    """Serve the web pages and the REST API."""
    from bilderatlas.server.app import serve as run_server

    atlas = open_collection(collection)
    run_server(
        atlas,
        host=host,
        port=port,
        on_start=lambda address: say(
            f"Pages: {address}/   REST: {address}/api/docs   Stop: Ctrl-C"
        ),
    )
