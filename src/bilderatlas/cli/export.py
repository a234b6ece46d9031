"""Commands that take results along: export."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bilderatlas.cli.arguments import CollectionArg, JsonOption, open_collection, open_folder
from bilderatlas.cli.printing import print_json, say
from bilderatlas.errors import QueryError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bilderatlas.collection import Collection
    from bilderatlas.results import ChromaExport, MapPage

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
PRINT_DPI = 200
LARGE_ENOUGH = 80  # pixels of a thumbnail that one sees something on


def export(
    collection: CollectionArg,
    table: Annotated[
        str, typer.Option(help="images, clusters, coordinates, labels or classes.")
    ] = "images",
    run: Annotated[str | None, typer.Option(help="Which run; the newest by default.")] = None,
    format: Annotated[str | None, typer.Option(help="csv or parquet. [by the file's name]")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; else stdout.")
    ] = None,
    contact_sheets: Annotated[
        Path | None, typer.Option(help="Write a contact sheet for each cluster into this folder.")
    ] = None,
    map_page: Annotated[
        Path | None,
        typer.Option("--map", help="Write a map as one HTML file that opens from disk."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw a map for print: a .png, .pdf or .svg file.")
    ] = None,
    color_by: Annotated[
        str | None,
        typer.Option(
            help="What colours a map: cluster, a clustering's name, labels (people's), kind, label "
            "(a detector's), folder, a fact or a metadata column. [cluster]"
        ),
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Draw pictures on the figure.")
    ] = False,
    max_mb: Annotated[float, typer.Option(help="How large a map file may be, in megabytes.")] = 64,
    to: Annotated[
        str | None, typer.Option(help="chroma: write a space into ChromaDB's folder --output.")
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            help="chroma: it is called PREFIX-image or PREFIX-FIELD. [the collection's name]"
        ),
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="chroma: the space to write. [the active one]")
    ] = None,
    heat_map: Annotated[
        Path | None,
        typer.Option(help="Draw how alike clusters are, or images: .png, .pdf or .svg."),
    ] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="heat map: an image, instead of a run; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write results as CSV or Parquet, contact sheets, a map to look at, or a ChromaDB."""
    files = {"--output": None if to else output, "--to": to, "--contact-sheets": contact_sheets}
    files |= {"--map": map_page, "--figure": figure, "--heat-map": heat_map}
    _refuse_two(files)
    if (prefix or space) and not to:
        raise QueryError("--prefix and --space go with --to chroma. Add it, or leave them out.")
    if image and not heat_map:
        raise QueryError("--image goes with --heat-map. Add it, or leave the images out.")
    if to:
        _tell_chroma(
            _write_to_database(open_folder(collection), to, output, prefix, space), as_json
        )
    elif contact_sheets:
        written = open_folder(collection).contact_sheets(contact_sheets, run=run)
        say(f"{len(written)} contact sheets are in {contact_sheets}.")
    elif map_page:
        made = open_folder(collection).map_page(map_page, run=run, color_by=color_by, max_mb=max_mb)
        _tell_map(made, as_json)
    elif heat_map:
        _save(open_folder(collection).heat_map(image or (), run=run).figure(), heat_map)
    elif figure:
        drawn = open_folder(collection).map_figure(
            run=run, color_by=color_by, with_pictures=pictures
        )
        _save(drawn, figure)
    else:
        open_collection(collection).export(
            output or sys.stdout.buffer,
            table=table,
            format=format or (None if output else "csv"),
            run=run,
        )
        if output:
            say(f"Written: {output}")


def _refuse_two(files: Mapping[str, str | Path | None]) -> None:
    """Refuse what cannot be done before anything is done."""
    asked = [option for option, file in files.items() if file]
    if len(asked) > 1:
        raise QueryError(f"{' and '.join(asked)} are two exports. Ask for one at a time.")
    for option in ("--figure", "--heat-map"):
        if (file := files[option]) and Path(file).suffix.lower() not in FIGURE_SUFFIXES:
            raise QueryError(
                f"{file} does not end in {', '.join(FIGURE_SUFFIXES)}. Choose one of them."
            )


def _tell_map(made: MapPage, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
        return
    say(
        f"Written: {made.path}, {made.n_bytes / 1e6:,.1f} MB: {made.n_points:,} points of map "
        f"{made.run} coloured by {made.color_by}, pictures of {made.thumbnail_side} pixels."
    )
    if made.thumbnail_side < LARGE_ENOUGH:
        say("This many pictures only fit when small; --max-mb allows a larger file.")


def _save(drawn: Figure, file: Path) -> None:
    from bilderatlas.output.files import told_errors

    with told_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(file, dpi=PRINT_DPI)
    say(f"Written: {file}")


def _write_to_database(
    atlas: Collection, to: str, output: Path | None, prefix: str | None, space: str | None
) -> ChromaExport:
    if to != "chroma":
        raise QueryError(f"Nothing is exported to {to!r}. Use --to chroma.")
    if output is None:
        raise QueryError("ChromaDB keeps its collections in a folder. Name it with --output.")
    return atlas.to_chroma(output, prefix=prefix, space=space)


def _tell_chroma(made: ChromaExport, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
        return
    more = f" in {made.n_rows:,} rows" if made.n_rows != made.n_regions else ""
    where = f"{made.folder}, {made.collection}"
    say(f"{made.n_regions:,} regions{more} of space {made.space}: {where}.")
    if made.as_json:
        say(f"Values that ChromaDB does not know are JSON texts: {', '.join(made.as_json)}.")
