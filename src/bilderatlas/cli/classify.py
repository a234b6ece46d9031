"""Commands that say what images show: classify."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bilderatlas.cli.arguments import (
    CollectionArg,
    JsonOption,
    KindOption,
    SpaceOption,
    open_folder,
)
from bilderatlas.cli.printing import is_terminal, one_line, print_json, say
from bilderatlas.errors import QueryError

if TYPE_CHECKING:
    from bilderatlas.results import Classification

N_PRINTED = 40  # labels on a terminal


def classify(
    collection: CollectionArg,
    prompts: Annotated[
        str | None,
        typer.Option(help='What to look for: "cat, dog, bicycle", or a text file, one per line.'),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="builtin: the 1,000 classes of the built-in encoder.")
    ] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="By the labels that people gave (label).")
    ] = False,
    method: Annotated[
        str | None, typer.Option(help="examples: neighbors or logistic. [neighbors]")
    ] = None,
    top: Annotated[int, typer.Option(help="How many labels to keep for each region.")] = 3,
    kind: KindOption = None,
    space: SpaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what every image shows: by prompts, by the built-in classes, or by labelled examples."""
    if sum([prompts is not None, model is not None, examples or method is not None]) != 1:
        raise QueryError(
            "Say what to classify by: one of --prompts, --model builtin and --examples."
        )
    made = open_folder(collection).classify(
        prompts=None if prompts is None else _prompts(prompts),
        model=model,
        method=method,
        top=top,
        kind=kind,
        space=space,
    )
    if as_json:
        print_json(made.to_dict())
    else:
        _tell(made, collection)


def _prompts(given: str) -> list[str]:
    """The lines of a text file, or what commas part."""
    file = Path(given)
    if file.suffix != ".txt":
        return given.split(",")
    try:
        return file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"The prompts in {given} cannot be read: {error}.") from error


def _tell(made: Classification, collection: str) -> None:
    n_printed = N_PRINTED if is_terminal() else len(made.counts)
    for each in made.counts[:n_printed]:
        label = "none of these" if each.label is None else one_line(each.label)
        print(f"{each.n_regions:7,}  {each.probability:.2f}  {label}")
    if (n_more := len(made.counts) - n_printed) > 0:
        say(f"And {n_more:,} labels of fewer; all of them: --json")
    say(f"Run {made.run}: {len(made.region_ids):,} regions of kind {made.about.kind}.")
    say(f"Next: bilderatlas export {shlex.quote(collection)} --table classes")
