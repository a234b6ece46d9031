"""Commands that fill a collection: index, reindex."""

from __future__ import annotations

import os
import re
import shlex
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bilderatlas.cli.arguments import CollectionArg, JsonOption, open_folder
from bilderatlas.cli.printing import duration, one_line, print_json, say, speeds
from bilderatlas.errors import CollectionBusy, CollectionExists, CollectionNotFound

if TYPE_CHECKING:
    from bilderatlas.collection import Collection
    from bilderatlas.results import IndexSummary, ReindexSummary

INTERRUPTED = 130
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

UserAgentOption = Annotated[
    str | None,
    typer.Option(
        envvar="BILDERATLAS_USER_AGENT",
        help="Who to say is asking; many servers want a contact: 'me (me@example.org)'.",
    ),
]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME:VALUE", help="A header for servers of pictures. May be repeated."),
]


def index(
    collection: CollectionArg,
    source: Annotated[
        list[str],
        typer.Argument(
            help="Folders, CSV or Parquet tables, ZIP or tar archives, files.", metavar="SOURCE..."
        ),
    ],
    encoder: Annotated[
        str | None,
        typer.Option(
            help="A name from 'bilderatlas encoders', hf:OWNER/NAME or a folder. [new: auto]"
        ),
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
        typer.Option(
            help="For objects: an ONNX file or folder, d-fine-n, hf:OWNER/NAME. [new: activation]"
        ),
    ] = None,
    min_area: Annotated[
        float | None,
        typer.Option(help="The smallest object, as a share of the picture. [new: 0.02]"),
    ] = None,
    max_regions: Annotated[
        int | None, typer.Option(help="The most objects to find in a picture. [new: 10]")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Names in folders and archives to pass over, besides the usual ones that info "
            "lists; none: not even those. May be repeated; remembered.",
        ),
    ] = None,
    min_side: Annotated[
        int | None,
        typer.Option(min=0, help="The shortest side that a new picture may have, pixels. [new: 0]"),
    ] = None,
    user_agent: UserAgentOption = None,
    header: HeaderOption = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove images whose files are gone.")
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
                exclude=exclude,
                min_side=min_side,
                headers=_headers(user_agent, header),
                prune=prune,
                n_threads=threads,
                on_progress=bar.show,
            )
    except KeyboardInterrupt:
        _forget(atlas, is_new)
        _stop("Stopped. What was read is kept; the same command goes on from there.")
    finally:
        _forget(atlas, is_new)
    if as_json:
        print_json(summary.to_dict())
    else:
        print(_told(summary, collection))


def reindex(
    collection: CollectionArg,
    encoder: Annotated[
        str | None, typer.Option(help="As for index. [that of the active space, or of the column]")
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(help="Embed the texts of this metadata column; text: words in pictures."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, openvino or cuda.")] = "auto",
    user_agent: UserAgentOption = None,
    header: HeaderOption = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads that read and decode.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Embed all pictures with another encoder, or texts; complete a space; switch back to it."""
    atlas = open_folder(collection)
    try:
        with _ProgressBar() as bar:
            summary = atlas.reindex(
                encoder=encoder,
                text_column=text_column,
                device=device,
                headers=_headers(user_agent, header),
                n_threads=threads,
                on_progress=bar.show,
            )
    except KeyboardInterrupt:
        _stop("Stopped. What was embedded is kept; the same command goes on from there.")
    if as_json:
        print_json(summary.to_dict())
    else:
        print(_told_of_space(summary, collection))


def _headers(user_agent: str | None, given: list[str] | None) -> dict[str, str]:
    """What servers are sent. A header without a colon, or of several lines, is wrong usage."""
    headers = {"User-Agent": user_agent} if user_agent else {}
    for header in given or ():
        name, colon, value = header.partition(":")
        if not (colon and HEADER_NAME.fullmatch(name)):
            raise typer.BadParameter(f"{header!r} is not NAME:VALUE.", param_hint="--header")
        headers[name] = value.strip()
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii():
            raise typer.BadParameter(f"{name} has to be one line of ASCII.", param_hint="--header")
    return headers


def _forget(atlas: Collection, is_new: bool) -> None:
    """A first run that is refused leaves nothing behind."""
    if is_new:
        with suppress(CollectionBusy):
            atlas.remove_if_empty()


def _stop(said: str) -> NoReturn:
    """End at once: threads may be in the middle of a download, and have nothing to write."""
    say(said)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def _told_of_space(summary: ReindexSummary, collection: str) -> str:
    """What a run of `reindex` did, in two or three lines."""
    name = shlex.quote(collection)
    what = "texts" if summary.field else "regions"
    lines = [
        f"Space {summary.space}: {summary.n_embedded:,} {what} embedded in "
        f"{duration(summary.seconds)} with encoder {summary.encoder} on {summary.device} "
        f"({summary.regions_per_s:.1f} a second), {summary.n_kept:,} were there."
    ]
    if summary.n_outdated:
        lines.append(f"{summary.n_outdated:,} texts had changed or were gone.")
    if summary.n_without_text:
        lines.append(f"{summary.n_without_text:,} images have no text there.")
    if summary.n_problems:
        lines.append(
            f"{summary.n_problems:,} pictures could not be read again, and are not found in this "
            f"space: bilderatlas problems {name}"
        )
    if summary.is_active:
        lines.append("It is the active space now.")
    else:
        space = shlex.quote(summary.space)
        lines.append(f'Next: bilderatlas search {name} "red bicycle" --space {space}')
    return "\n".join(lines)


def _open_or_create(collection: str) -> tuple[Collection, bool]:
    from bilderatlas._open import create

    try:
        return open_folder(collection), False
    except CollectionNotFound:
        pass
    try:
        return create(collection), True
    except CollectionExists as taken:
        try:
            return open_folder(collection), False  # made by another process in this moment
        except CollectionNotFound:
            raise taken from None


def _told(summary: IndexSummary, collection: str) -> str:
    """What a run of `index` did, in a few lines."""
    from bilderatlas.indexing.sources import counted

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
        "too small": summary.n_small,
        "searched again for regions": summary.n_refound,
    }
    parts = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n) or "nothing new"
    lines = [
        f"Indexed in {duration(summary.seconds)} with encoder {summary.encoder} on "
        f"{summary.device} ({summary.images_per_s:.1f} images/s): {parts}.",
        f"{summary.n_images:,} images are in the collection.",
        *_told_of_regions(summary),
        *([f"{speeds(summary)}."] if summary.stages else []),
    ]
    if summary.n_missing and not summary.n_pruned:
        lines.append(f"Missing files stay in results until: bilderatlas index {name} ... --prune")
    if summary.n_problems:
        lines.append(f"What went wrong: bilderatlas problems {name}")
    if summary.others:
        passed = counted(summary.others)
        lines.append(f"Passed over: {passed} (bilderatlas problems {name} --kind other).")
    lines += [
        f"No pictures in {one_line(source)} ({counted(kinds)})."
        for source, kinds in summary.without_pictures.items()
    ]
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
            "ones; an ONNX detector sees more: --detector d-fine-n, or a FILE"
        )
    if summary.n_unfound:
        lines.append(
            f"{summary.n_unfound:,} images were not searched this way: index their sources too."
        )
    return lines


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
        self._task = self._bar.add_task("", total=None, rate="")
        self._n_to_refind = 0

    def __enter__(self) -> _ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Any) -> None:
        if progress.n_to_refind and not self._n_to_refind:
            say("Known images are searched for regions too. Stopped, it goes on from there.")
        self._n_to_refind = progress.n_to_refind
        elapsed = self._bar.tasks[self._task].elapsed or 0.0
        rate = f"{progress.n_embedded / elapsed:.1f} images/s" if elapsed > 1 else ""
        total = progress.n_total and max(progress.n_total, progress.n_done)
        done = progress.n_done
        self._bar.update(
            self._task, description=progress.what, completed=done, total=total, rate=rate
        )
