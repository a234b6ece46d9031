"""Commands that take results along: export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bilderatlas.cli.arguments import CollectionArg, open_collection
from bilderatlas.cli.printing import say
from bilderatlas.errors import QueryError


def export(
    collection: CollectionArg,
    table: Annotated[str, typer.Option(help="images, clusters or coordinates.")] = "images",
    run: Annotated[str | None, typer.Option(help="Which run; the newest by default.")] = None,
    format: Annotated[str | None, typer.Option(help="csv or parquet. [by the file's name]")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; else stdout.")
    ] = None,
    contact_sheets: Annotated[
        Path | None, typer.Option(help="Write a contact sheet a cluster into this folder.")
    ] = None,
) -> None:
    """Write results as CSV or Parquet, or clusters as contact sheets."""
    atlas = open_collection(collection)
    if contact_sheets and output:
        raise QueryError("--output and --contact-sheets are two exports. Ask for one at a time.")
    if contact_sheets:
        written = atlas.contact_sheets(contact_sheets, run=run)
        say(f"{len(written)} contact sheets are in {contact_sheets}.")
        return
    atlas.export(
        output or sys.stdout.buffer,
        table=table,
        format=format or (None if output else "csv"),
        run=run,
    )
    if output:
        say(f"Written: {output}")
