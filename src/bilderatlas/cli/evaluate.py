"""Commands that measure how good it all is: evaluate."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bilderatlas.cli.arguments import (
    CollectionArg,
    JsonOption,
    SeedOption,
    SpaceOption,
    open_folder,
)
from bilderatlas.cli.printing import print_json, say

if TYPE_CHECKING:
    from bilderatlas.analysis.evaluation import Agreement
    from bilderatlas.output.evaluation_report import Evaluation


def evaluate(
    collection: CollectionArg,
    labels: Annotated[
        str,
        typer.Option(
            help="What the images are: a CSV, TSV or Parquet file, a folder of folders, 'folders' "
            "for each picture's own, 'column:NAME' of the metadata, or 'decisions' for the labels "
            "that people gave.",
        ),
    ],
    run: Annotated[
        list[str] | None, typer.Option(help="A clustering; may be repeated. [the newest]")
    ] = None,
    captions: Annotated[
        str | None, typer.Option(help="The column of captions, in the file or the metadata.")
    ] = None,
    label_column: Annotated[str | None, typer.Option(help="The file's column of labels.")] = None,
    image_column: Annotated[
        str | None, typer.Option(help="The file's column of image ids or paths.")
    ] = None,
    eps: Annotated[
        list[float] | None, typer.Option(help="Try DBSCAN with this; may be repeated.")
    ] = None,
    min_samples: Annotated[
        list[int] | None, typer.Option(help="Try DBSCAN with this; may be repeated.")
    ] = None,
    space: SpaceOption = None,
    seed: SeedOption = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write a page with all figures here.")
    ] = None,
    side_by_side: Annotated[
        Path | None, typer.Option(help="Write each place's class and clusters: CSV, Parquet.")
    ] = None,
    heat_map: Annotated[
        Path | None, typer.Option(help="Write how alike the classes are, a PNG file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure clusterings against what people say the images are."""
    from bilderatlas.analysis.evaluation.grid import EPS, MIN_SAMPLES
    from bilderatlas.output import files

    if side_by_side:
        files.format_of(side_by_side)  # refused before the work, not after it
    made = open_folder(collection).evaluate(
        labels,
        runs=run or (),
        captions=captions,
        label_column=label_column,
        image_column=image_column,
        eps=eps or EPS,
        min_samples=min_samples or MIN_SAMPLES,
        space=space,
        seed=seed,
    )
    for warning in made.labels.warnings:
        say(warning)
    if output:
        made.write(output)
        say(f"Written: {output}")
    if side_by_side:
        files.write_rows(made.to_arrow(), side_by_side)
        say(f"Written: {side_by_side}")
    if heat_map:
        files.write_png(made.heat_map().to_png(), heat_map)
        say(f"Written: {heat_map}")
    if as_json:
        print_json(made.to_dict())
    else:
        print(_told(made, collection))
        if not output:
            given = f"{shlex.quote(collection)} --labels {shlex.quote(labels)}"
            say(f"Next: bilderatlas evaluate {given} --output report.html")


def _told(made: Evaluation, collection: str) -> str:
    """The clusterings as a table, and a line for each of the other figures."""
    used, best = made.labels, made.dbscan.best
    differ = f" ({used.n_images:,} different pictures)" * (used.n_images < used.n_labelled)
    tried = f"dbscan, eps {best.eps:g}, min_samples {best.min_samples}"
    rows = [
        *((judged.about.run, judged.agreement) for judged in made.runs),
        (tried, best.agreement),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [
        f"{used.n_labelled:,} labelled{differ}, {len(used.classes):,} classes, "
        f"encoder {made.encoder}.",
        f"{'run':{width}}  clusters    noise  purity    NMI    ARI  pairs F1",
        *(f"{name:{width}}  {_figures(judged)}" for name, judged in rows),
        f"The last is the best of {len(made.dbscan.settings)} settings of DBSCAN that were tried.",
    ]
    if not made.runs:
        lines.append(f"No clustering yet: bilderatlas cluster {shlex.quote(collection)}")
    if found := made.similarity.separation:
        lines.append(
            f"Same class or not: best threshold {found.threshold:.3f}, right "
            f"{found.balanced_accuracy:.3f} of the time; means {found.mean_same:.3f} and "
            f"{found.mean_different:.3f}."
        )
    if made.captions:
        retrieval = made.captions.retrieval
        recalls = ", ".join(f"R@{k} {share:.3f}" for k, share in retrieval.recall_at.items())
        gap = f"; modality gap {made.captions.gap.gap:.3f}" if made.captions.gap else ""
        lines.append(f"Captions: {recalls}, mAP {retrieval.mean_average_precision:.3f}{gap}.")
    return "\n".join(lines)


def _figures(made: Agreement) -> str:
    return (
        f"{made.n_clusters:8,} {made.n_noise:>8,}  {made.purity:6.3f}  {made.nmi:5.3f}  "
        f"{made.ari:5.3f}  {made.pair_f1:8.3f}"
    )
