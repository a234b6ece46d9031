"""The command line: one command per verb.

Results go to stdout, narration to stderr; with --json, stdout is one JSON document.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import traceback
import warnings
from collections.abc import Iterable
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bilderatlas import __version__
from bilderatlas.errors import (
    BilderatlasError,
    CollectionBusy,
    CollectionExists,
    CollectionNotFound,
    QueryError,
)

if TYPE_CHECKING:
    from bilderatlas.collection import Collection
    from bilderatlas.results import Hits, IndexSummary

REFUSED, INTERRUPTED = 1, 130
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

app = typer.Typer(
    name="bilderatlas",
    help="Put a pile of images in order by what the pictures mean.",
    epilog="A collection is a folder, NAME.atlas. Begin with: bilderatlas index holiday ~/Pictures",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

QUERY_HELP = 'Words, or an expression: "2:dog + ./beach.jpg - snow".'
CollectionArg = Annotated[str, typer.Argument(metavar="COLLECTION", help="NAME or NAME.atlas.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
KOption = Annotated[int, typer.Option("-k", help="How many images.")]
WhereOption = Annotated[
    str | None,
    typer.Option(help="A SQL condition, e.g. \"width > 1000 AND path LIKE '%beach%'\"."),
]
KindOption = Annotated[str, typer.Option(help="The kind of region to work on.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same result.")]


def main() -> None:
    """Run the command line; every refusal is one message and exit status 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may be no Unicode
    # Pillow's are about EXIF that nobody reads; a damaged picture becomes a problem
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
    try:
        app(prog_name="bilderatlas")
    except BilderatlasError as error:
        _refuse(type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001  the last boundary before a person
        traceback.print_exc()
        _refuse(type(error).__name__, f"A fault of Bilderatlas, please report it: {error!r}")


def _refuse(kind: str, message: str) -> None:
    if "--json" in sys.argv:
        _print_json({"error": {"kind": kind, "message": message}})
    else:
        print(f"bilderatlas: {_line(message)}", file=sys.stderr)
    sys.exit(REFUSED)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"bilderatlas {__version__}")
        raise typer.Exit


@app.command()
def index(
    collection: CollectionArg,
    source: Annotated[
        list[str],
        typer.Argument(
            help="Folders, CSV or Parquet tables, ZIP or tar archives.", metavar="SOURCE..."
        ),
    ],
    encoder: Annotated[
        str | None,
        typer.Option(help="A name of 'bilderatlas encoders', hf:OWNER/NAME, a folder. [new: auto]"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, openvino or cuda.")] = "auto",
    column: Annotated[str | None, typer.Option(help="The table's column of paths or URLs.")] = None,
    id_column: Annotated[str | None, typer.Option(help="The table's column of ids.")] = None,
    find: Annotated[
        str | None,
        typer.Option(help="What to find in pictures: objects, text, objects,text or none."),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(help="An ONNX detector for objects, file or folder. [new: activation]"),
    ] = None,
    min_area: Annotated[
        float | None, typer.Option(help="The smallest object, a part of the picture. [new: 0.02]")
    ] = None,
    max_regions: Annotated[
        int | None, typer.Option(help="At most so many objects a picture. [new: 10]")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Let images leave whose files are gone.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads that read and decode.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read pictures into a collection: new, changed and moved ones. Run it again at any time."""
    atlas, is_new = _open_or_create(collection)
    try:
        with _ProgressBar() as bar:
            summary = atlas.index(
                *source,
                encoder=encoder,
                device=device,
                column=column,
                id_column=id_column,
                find=None if find is None else [] if find == "none" else find.split(","),
                detector=detector,
                min_area=min_area,
                max_regions=max_regions,
                prune=prune,
                n_threads=threads,
                on_progress=bar.show,
            )
    except KeyboardInterrupt:
        _say("Stopped. What was read is kept; the same command goes on from there.")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if is_new:  # a refused first run leaves nothing behind
            with suppress(CollectionBusy):
                atlas.remove_if_empty()
    if as_json:
        _print_json(summary.to_dict())
    else:
        print(_told(summary, collection))


def _open_or_create(collection: str) -> tuple[Collection, bool]:
    from bilderatlas.collection import create, open

    try:
        return open(collection), False
    except CollectionNotFound:
        pass
    try:
        return create(collection), True
    except CollectionExists as taken:
        try:
            return open(collection), False  # made by another process in this moment
        except CollectionNotFound:
            raise taken from None


def _told(summary: IndexSummary, collection: str) -> str:
    """What a run of `index` did, in two or three lines."""
    name = shlex.quote(collection)
    counts = {
        "new": summary.n_new,
        "changed": summary.n_changed,
        "moved": summary.n_moved,
        "copies": summary.n_copies,
        "unchanged": summary.n_unchanged,
        "missing": summary.n_missing,
        "pruned": summary.n_pruned,
        "problems": summary.n_problems,
        "other files": summary.n_other,
        "searched again for regions": summary.n_refound,
    }
    parts = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n) or "nothing new"
    lines = [
        f"Indexed in {_duration(summary.seconds)} with encoder {summary.encoder} on "
        f"{summary.device} ({summary.images_per_s:.1f} images/s): {parts}.",
        f"{summary.n_images:,} images are in the collection.",
        *_told_of_regions(summary),
    ]
    if summary.n_missing and not summary.n_pruned:
        lines.append(f"Missing files stay in results until: bilderatlas index {name} ... --prune")
    if summary.n_problems:
        lines.append(f"What went wrong: bilderatlas problems {name}")
    lines.append(f'Next: bilderatlas search {name} "red bicycle"')
    return "\n".join(lines)


def _told_of_regions(summary: IndexSummary) -> list[str]:
    if not summary.finders:
        return []
    n_parts = summary.n_regions - summary.n_images
    lines = [f"{n_parts:,} regions were found in them by {' and '.join(summary.finders)}."]
    if "activation" in summary.finders:
        lines.append(
            "Objects are found by class activation of the built-in encoder, which sees the main "
            "ones; a detector sees more: --detector FILE"
        )
    if summary.n_unfound:
        lines.append(
            f"{summary.n_unfound:,} images were not searched so: index their sources as well."
        )
    return lines


@app.command()
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
    where: WhereOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the images closest to some words, or to a picture."""
    atlas = _open(collection)
    _show_hits(
        atlas.search(query, image=image, k=k, threshold=threshold, kinds=kind, where=where), as_json
    )


@app.command()
def similar(
    collection: CollectionArg,
    image: Annotated[str, typer.Argument(help="An image id, or a path in the collection.")],
    k: KOption = 12,
    radius: Annotated[
        float | None, typer.Option(help="All within this cosine distance, 0..2, not only k.")
    ] = None,
    where: WhereOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the images closest to one of the collection."""
    _show_hits(_open(collection).similar(image, k=k, radius=radius, where=where), as_json)


def _show_hits(hits: Hits, as_json: bool) -> None:
    if as_json:
        _print_json(hits.to_dict())
        return
    if not hits:
        _say("Nothing found.")
        return
    _say("score  relevance  path")
    for hit in hits:
        print(f"{hit.score:5.3f}  {hit.relevance:9.2f}  {_line(hit.path)}")


@app.command()
def cluster(
    collection: CollectionArg,
    method: Annotated[str, typer.Option(help="hdbscan, dbscan or kmeans.")] = "hdbscan",
    k: Annotated[
        str, typer.Option("--k", "-k", help="kmeans: how many clusters, or auto.")
    ] = "auto",
    eps: Annotated[float, typer.Option(help="dbscan: cosine distance of neighbors.")] = 0.2,
    min_samples: Annotated[int, typer.Option(help="dbscan, hdbscan: what makes it dense.")] = 2,
    min_cluster_size: Annotated[int, typer.Option(help="hdbscan: the smallest cluster.")] = 5,
    kind: KindOption = "image",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Group the images by likeness."""
    made = _open(collection).cluster(
        method,
        k=_count_or_auto(k),
        eps=eps,
        min_samples=min_samples,
        min_cluster_size=min_cluster_size,
        kind=kind,
        seed=seed,
    )
    if as_json:
        _print_json(made.to_dict())
        return
    for each in made.clusters:
        print(f"{each.size:7,}  {each.name}")
    print(f"{made.n_noise:7,}  noise")
    _say(f"Run {made.run}: {len(made.clusters)} clusters.")
    name = shlex.quote(collection)
    _say(f"Next: bilderatlas export {name} --contact-sheets sheets --run {made.run}")


def _count_or_auto(k: str) -> int | str:
    if k == "auto" or not k.lstrip("-").isdigit():
        if k != "auto":
            raise typer.BadParameter(f"--k is {k!r}; give a number or auto.")
        return k
    return int(k)


@app.command()
def project(
    collection: CollectionArg,
    method: Annotated[str, typer.Option(help="tsne or pca.")] = "tsne",
    dims: Annotated[int, typer.Option(help="2 or 3.")] = 2,
    perplexity: Annotated[float, typer.Option(help="tsne: how many neighbors count.")] = 30,
    kind: KindOption = "image",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Lay the images out on a map."""
    made = _open(collection).project(method, dims=dims, perplexity=perplexity, kind=kind, seed=seed)
    if as_json:
        _print_json(made.to_dict())
    else:
        print(f"Run {made.run}: {len(made.region_ids):,} points in {made.dims} dimensions.")
        _say(f"Next: bilderatlas serve {shlex.quote(collection)}")


@app.command()
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
    atlas = _open(collection)
    if contact_sheets and output:
        raise QueryError("--output and --contact-sheets are two exports. Ask for one at a time.")
    if contact_sheets:
        written = atlas.contact_sheets(contact_sheets, run=run)
        _say(f"{len(written)} contact sheets are in {contact_sheets}.")
        return
    atlas.export(
        output or sys.stdout.buffer,
        table=table,
        format=format or (None if output else "csv"),
        run=run,
    )
    if output:
        _say(f"Written: {output}")


@app.command()
def problems(collection: CollectionArg, as_json: JsonOption = False) -> None:
    """List what could not be read, and why."""
    found = _open(collection).problems()
    if as_json:
        _print_json(found.to_dict())
        return
    for problem in found:
        print(f"{_line(problem.uri)}\t{problem.stage}\t{_line(problem.reason)}")
    _say(f"{len(found):,} problems." if found else "No problems: everything was read.")


@app.command()
def info(collection: CollectionArg, as_json: JsonOption = False) -> None:
    """Say what is inside a collection."""
    facts = _open(collection).info()
    if as_json:
        _print_json(facts.to_dict())
        return
    print(f"{facts.name}  {facts.path}")
    print(
        f"{facts.n_images:9,} images at {facts.n_places:,} places ({facts.n_bytes / 1e6:,.0f} MB)"
    )
    finding = ", ".join(facts.finding.names)
    print(f"{facts.n_regions:9,} regions" + (f" (finding {finding})" if finding else ""))
    print(f"{facts.n_problems:9,} problems")
    for space in facts.spaces:
        active = " (active)" if space.space == facts.active_space else ""
        print(f"    space {space.space}{active}: {space.dim} numbers, {space.encoder}")
    for run in facts.runs:
        parameters = _pairs(run.parameters.items())
        print(f"      run {run.run}: {run.verb} of {run.n_regions:,}, {parameters}")
    for source in facts.sources:
        print(f"   source {_line(source)}")


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Say what this machine can do, and what is wrong with it."""
    from bilderatlas.doctor import examine

    checks = examine()
    if as_json:
        _print_json({"checks": [check.to_dict() for check in checks]})
    else:
        for check in checks:
            print(f"{'ok  ' if check.is_fine else 'BAD '} {check.name:12} {check.finding}")
    if not all(check.is_fine for check in checks):
        raise typer.Exit(REFUSED)


@app.command()
def encoders(as_json: JsonOption = False) -> None:
    """List the encoders that can be used here."""
    from dataclasses import asdict

    from bilderatlas.encoders import available

    if as_json:
        _print_json({"encoders": [asdict(facts) for facts in available()]})
        return
    for facts in available():
        kinds = (("pictures", facts.reads_images), ("words", facts.reads_text))
        what = " and ".join(kind for kind, is_read in kinds if is_read)
        place = "on disk" if facts.is_on_disk else "to download" if facts.is_on_hub else "to make"
        size = f"{facts.n_bytes / 1e6:,.0f} MB {place}"
        print(f"{facts.name:16} {facts.dim:5} numbers  {what:18}  {size}")
        print(f"{'':16} {facts.good_for} ({facts.licence})")
    print(f"{'NAME:fp16, :q8':16} the same in half precision, or quantised to 8 bits, where it is")
    print(f"{'hf:OWNER/NAME':16} any repository of the Hugging Face Hub with ONNX files")
    print(f"{'FOLDER':16} any folder of ONNX towers, laid out as such repositories are")
    print(
        f"{'open_clip:, st:':16} models of OpenCLIP, sentence-transformers: with bilderatlas[torch]"
    )


@app.command()
def serve(
    collection: CollectionArg,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
) -> None:
    """Serve the web pages and the REST API."""
    from bilderatlas.server.app import serve as run_server

    atlas = _open(collection)
    run_server(
        atlas,
        host=host,
        port=port,
        on_start=lambda address: _say(
            f"Pages: {address}/   REST: {address}/api/docs   Stop: Ctrl-C"
        ),
    )


class _ProgressBar:
    """Images done, images/s and the time left, on stderr where a person looks at it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("Indexing", total=None, rate="")
        self._n_to_refind = 0

    def __enter__(self) -> _ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Any) -> None:
        if progress.n_to_refind and not self._n_to_refind:
            _say("Known images are searched for regions too. Stopped, it goes on from there.")
        self._n_to_refind = progress.n_to_refind
        elapsed = self._bar.tasks[self._task].elapsed or 0.0
        rate = f"{progress.n_embedded / elapsed:.1f} images/s" if elapsed > 1 else ""
        total = progress.n_total and max(progress.n_total, progress.n_done)
        self._bar.update(self._task, completed=progress.n_done, total=total, rate=rate)


def _open(collection: str) -> Collection:
    from bilderatlas.collection import open

    return open(collection)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _pairs(items: Iterable[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in items)


def _line(text: str) -> str:
    """A name on one line; control characters, which steer terminals, are spelled out."""
    return CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _print_json(document: dict[str, Any]) -> None:
    # a lone surrogate, escaped by the stream, is sound JSON; other characters would not be
    is_unicode = sys.stdout.encoding.lower().startswith("utf")
    print(json.dumps(document, ensure_ascii=not is_unicode, default=str))
