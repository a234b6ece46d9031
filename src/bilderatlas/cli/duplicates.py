"""Commands that find copies: duplicates."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bilderatlas.cli.arguments import CollectionArg, JsonOption, open_collection
from bilderatlas.cli.printing import one_line, print_json, say

if TYPE_CHECKING:
    from bilderatlas.results import Copy


def duplicates(
    collection: CollectionArg,
    not_duplicates: Annotated[
        tuple[str, str] | None,
        typer.Option("--not", help="Two images that are not copies: remembered from now on."),
    ] = None,
    max_bits: Annotated[
        int, typer.Option(help="How many of 64 bits the hashes may differ in.")
    ] = 7,
    min_cosine: Annotated[float, typer.Option(help="The lowest cosine of the embeddings.")] = 0.88,
    min_likeness: Annotated[
        float, typer.Option(help="How closely the detail of copies must agree, 0..1.")
    ] = 0.75,
    sheet: Annotated[
        Path | None, typer.Option(help="Write the first groups as a contact sheet, a PNG.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find files that show the same picture: exact copies, and near copies."""
    atlas = open_collection(collection)
    if not_duplicates:
        from bilderatlas.results import Decisions

        decision = atlas.not_duplicates(*not_duplicates)
        if as_json:
            print_json(Decisions.of([decision]).to_dict())
        else:
            say(f"Remembered as decision {decision.decision}: these two are not duplicates.")
        return
    found = atlas.duplicates(max_bits=max_bits, min_cosine=min_cosine, min_likeness=min_likeness)
    if sheet:
        from bilderatlas.output.files import write_png

        write_png(found.contact_sheet(), sheet)
    if as_json:
        print_json(found.to_dict())
        return
    for group in found:
        print(f"keep  {one_line(group.path)}  ({group.why})")
        for copy in group.copies:
            print(f"copy  {one_line(copy.path)}  ({_told(copy)})")
        print()
    say(f"{len(found):,} groups with {found.n_copies:,} copies. No file was touched.")
    if found:
        name = shlex.quote(collection)
        say(f"If two are not copies: bilderatlas duplicates {name} --not IMAGE IMAGE")


def _told(copy: Copy) -> str:
    if copy.reason == "exact":
        return "the same content"
    turn = f", {copy.turn}" if copy.turn else ""
    return (
        f"by {copy.reason}: {copy.bits} of 64 bits, cosine {copy.cosine:.2f}, "
        f"detail {copy.likeness:.2f}{turn}, {copy.width} x {copy.height}"
    )
