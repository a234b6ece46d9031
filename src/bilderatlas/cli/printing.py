"""What every command prints with: results to stdout, narration to stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bilderatlas.results import Clustering, IndexRun, IndexSummary

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def pairs(items: Iterable[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in items)


def speeds(run: IndexRun | IndexSummary) -> str:
    """Images per second of each stage's own work, and the peak of memory."""
    stages = ", ".join(f"{speed.stage} {speed.images_per_s:,.1f}" for speed in run.stages)
    return f"Images/s by stage: {stages}; memory at most {run.peak_memory_mib:,.0f} MiB"


def one_line(text: str) -> str:
    """A name on one line; control characters, which steer terminals, are spelled out."""
    return CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def is_terminal() -> bool:
    """Whether a person reads along; what a program reads is never cut."""
    return sys.stdout.isatty()


def shortened(text: str, n: int = 40) -> str:
    """The first words of a text, on one line; all of them where a program reads."""
    words = " ".join(text.split())
    return words if len(words) <= n or not is_terminal() else f"{words[: n - 3].rstrip()}..."


def say(text: str) -> None:
    print(text, file=sys.stderr)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that something goes on, and for how long."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        bar.add_task(what, total=None)
        yield


def print_json(document: dict[str, Any]) -> None:
    # a lone surrogate, escaped by the stream, is sound JSON; other characters would not be
    is_unicode = sys.stdout.encoding.lower().startswith("utf")
    print(json.dumps(document, ensure_ascii=not is_unicode, default=str))


def print_clusters(made: Clustering) -> None:
    """The clusters of a run with their sizes, numbers and names, and what decisions came to."""
    say("   size  cluster  name")
    for each in made.clusters:
        sure = f"  ({each.source}, {each.confidence:.2f})" if each.confidence else ""
        print(f"{each.size:7,}  {each.cluster:7}  {one_line(each.name)}{sure}")
    print(f"{made.n_noise:7,}  {-1:7}  noise")
    say(f"Run {made.run}: {len(made.clusters)} clusters ({pairs(made.about.parameters.items())}).")
    n_honoured = len(made.outcomes) - len(made.not_carried)
    if made.outcomes:
        say(f"{n_honoured} of {len(made.outcomes)} decisions hold in it.")
    for outcome in made.not_carried:
        say(f"Not carried ({outcome.decision}): {one_line(outcome.about)}; {outcome.reason}.")
    for note in made.notes:
        say(one_line(note))
