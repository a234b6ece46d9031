"""Commands that ask for images: search, similar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bilderatlas.cli.arguments import (
    QUERY_HELP,
    CollectionArg,
    JsonOption,
    KOption,
    SpaceOption,
    WhereOption,
    open_collection,
)
from bilderatlas.cli.printing import one_line, print_json, say, shortened

if TYPE_CHECKING:
    from bilderatlas.results import Hits, Region

PngOption = Annotated[
    Path | None, typer.Option(help="Write the pictures found as a contact sheet, a PNG file.")
]


def search(
    collection: CollectionArg,
    query: Annotated[str | None, typer.Argument(help=QUERY_HELP, metavar="[QUERY]")] = None,
    image: Annotated[str | None, typer.Option(help="A picture file to search with.")] = None,
    k: KOption = 12,
    threshold: Annotated[
        float | None, typer.Option(help="The lowest score, a cosine in -1..1.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Search only this kind of region; may be repeated.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave out this kind of region; may be repeated.")
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(help="How much a kind of region counts: person=2; may be repeated."),
    ] = None,
    aggregate: Annotated[
        str, typer.Option(help="An image ranks by its best region, max, or by their mean.")
    ] = "max",
    where: WhereOption = None,
    label: Annotated[
        str | None, typer.Option(help="Only images that people gave this label.")
    ] = None,
    space: SpaceOption = None,
    png: PngOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the images closest to some words, to a picture, or to both."""
    from bilderatlas.collection import queries

    hits = open_collection(collection).search(
        query,
        image=image,
        k=k,
        threshold=threshold,
        kinds=kind,
        without=without or (),
        weights=queries.weights(weight or ()),
        aggregate=aggregate,
        where=where,
        label=label,
        space=space,
    )
    _show_hits(hits, png, as_json)


def similar(
    collection: CollectionArg,
    image: Annotated[str, typer.Argument(help="An image id, or a path in the collection.")],
    k: KOption = 12,
    radius: Annotated[
        float | None,
        typer.Option(help="All images within this cosine distance, 0..2, instead of k."),
    ] = None,
    where: WhereOption = None,
    space: SpaceOption = None,
    png: PngOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the images closest to one of the collection."""
    atlas = open_collection(collection)
    hits = atlas.similar(image, k=k, radius=radius, where=where, space=space)
    _show_hits(hits, png, as_json)


def _show_hits(hits: Hits, png: Path | None, as_json: bool) -> None:
    if png and hits:
        from bilderatlas.output import files

        files.write_png(hits.to_png(), png)
        say(f"Written: {png}")
    if as_json:
        print_json(hits.to_dict())
        return
    if not hits:
        say("Nothing found.")
        return
    say("score  relevance  path, and what of it matched")
    for hit in hits:
        more = f" and {len(hit.places) - 1:,} more" if len(hit.places) > 1 else ""
        told = f"{one_line(hit.path)}{more}{_matched(hit.regions)}"
        print(f"{hit.score:5.3f}  {hit.relevance:9.2f}  {told}")
    say(f"{str(hits.verdict).capitalize()}.")


def _matched(parts: Sequence[Region]) -> str:
    """The part that matched best, and by what; nothing where the image has no parts."""
    best = parts[0]
    if best.kind == "image" and len(parts) == 1:
        return ""
    kind = "whole image" if best.kind == "image" else best.kind
    label = f" {best.label}" if best.label and best.label != best.kind else ""
    text = f' "{shortened(best.text)}"' if best.text else ""
    by = "" if best.matched_by == "picture" else f", by {best.matched_by}"
    return f"  {one_line(kind + label + text)} ({best.share:.2f} of it{by})"
