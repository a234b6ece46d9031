"""Commands that say what is there: problems, info, doctor, encoders."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bilderatlas.cli.arguments import CollectionArg, JsonOption, folder_of, open_collection
from bilderatlas.cli.printing import one_line, pairs, print_json, say, speeds
from bilderatlas.errors import QueryError

if TYPE_CHECKING:
    from bilderatlas.collection.doctor import Examination, Repair
    from bilderatlas.results import Coverage, Problems, Space

ProblemKind = Literal["problem", "other", "small", "all"]
UNWELL = 1


def problems(
    collection: CollectionArg,
    kind: Annotated[
        ProblemKind,
        typer.Option(help="problem: could not be read; other: no picture, or passed over."),
    ] = "problem",
    as_json: JsonOption = False,
) -> None:
    """List what could not be read, and why; what was passed over."""
    found = open_collection(collection).problems(kind)
    if as_json:
        print_json(found.to_dict())
        return
    for problem in found:
        print(f"{one_line(problem.uri)}\t{problem.stage}\t{one_line(problem.reason)}")
    say(_told_of_problems(found, kind))


def _told_of_problems(found: Problems, kind: str) -> str:
    """How many there are, by kind; and of which kinds there are more."""
    from bilderatlas.indexing.sources import counted

    n_of = {"problem": "problems", "other": "passed over", "small": "too small"}
    if others := found.others:
        told = f"{found.kinds['other']:,} passed over: {counted(others, n_shown=len(others))}."
    else:
        told = f"{len(found):,} {n_of.get(kind, 'in all')}." if found else "No problems."
    more = {name: n for name, n in found.kinds.items() if n and kind not in (name, "all")}
    if not (found or more):
        return "No problems: everything was read."
    return " ".join([told, *(f"{n:,} {n_of[name]}: --kind {name}." for name, n in more.items())])


def info(collection: CollectionArg, as_json: JsonOption = False) -> None:
    """Say what is inside a collection."""
    facts = open_collection(collection).info()
    if as_json:
        print_json(facts.to_dict())
        return
    print(f"{facts.name}  {facts.path}")
    print(
        f"{facts.n_images:9,} images at {facts.n_places:,} places ({facts.n_bytes / 1e6:,.0f} MB)"
    )
    finding = ", ".join(facts.finding.names)
    print(f"{facts.n_regions:9,} regions" + (f" (finding {finding})" if finding else ""))
    for kind, n in facts.kinds.items():
        print(f"{'':6}{n:9,} {kind}")
    print(f"{facts.n_problems:9,} problems")
    print(f"{facts.n_other:9,} files and folders passed over, {facts.n_small:,} pictures too small")
    print(f"  exclude {', '.join(map(one_line, facts.exclude)) or 'nothing'}")
    if facts.min_side:
        print(f" min side {facts.min_side} pixels")
    for space, coverage in zip(facts.spaces, facts.coverage, strict=True):
        print(f"    space {_told_of_space(space, coverage, facts.active_space)}")
    for run in facts.runs:
        parameters = pairs(run.parameters.items())
        print(f"      run {run.run}: {run.verb} of {run.n_regions:,}, {parameters}")
    for source in facts.sources:
        print(f"   source {one_line(source)}")
    if last := facts.last_index:
        ran = " and ".join([f"{last.encoder} on {last.device}", *last.finders])
        print(f" last run {last.finished_at:%Y-%m-%d}: {ran}, {last.images_per_s:.1f} images/s")
        print(f"          {speeds(last)}")


def _told_of_space(space: Space, coverage: Coverage, active: str | None) -> str:
    is_active = " (active)" if space.space == active else ""
    what = "regions" if space.field is None else f"texts of {one_line(space.field)}"
    told = f"{space.space}{is_active}: {coverage.n_regions:,} {what} in {space.dim} numbers"
    if not coverage.n_missing:
        return f"{told}, {space.encoder}"
    column = "" if space.field is None else f" --text-column {shlex.quote(space.field)}"
    again = f"reindex --encoder {shlex.quote(space.encoder)}{column}"
    return f"{told}, {space.encoder}; lacks {coverage.n_missing:,}: {again}"


def doctor(
    collection: Annotated[
        str | None, typer.Argument(metavar="[COLLECTION]", help="NAME, or NAME.atlas.")
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Repair what is damaged, from second copies and sources."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what this machine can do; or find and repair damage in a collection.

    Exit status 1 means that something is wrong, or still is after --repair.
    """
    if collection is not None:
        _doctor_collection(collection, repair=repair, as_json=as_json)
        return
    if repair:
        raise QueryError("Name the collection to repair: bilderatlas doctor COLLECTION --repair")
    from bilderatlas.collection.doctor import examine

    checks = examine()
    if as_json:
        print_json({"checks": [check.to_dict() for check in checks]})
    else:
        for check in checks:
            print(f"{'ok  ' if check.is_fine else 'BAD '} {check.name:12} {check.finding}")
    if not all(check.is_fine for check in checks):
        raise typer.Exit(UNWELL)


def _doctor_collection(collection: str, *, repair: bool, as_json: bool) -> None:
    from bilderatlas.collection import doctor as doctor_

    folder = folder_of(collection)
    mended = doctor_.repair(folder) if repair else None
    found = mended.after if mended else doctor_.examine_collection(folder)
    if as_json:
        print_json((mended or found).to_dict())
    else:
        _print_examination(found, mended, collection)
    if not found.is_sound:
        raise typer.Exit(UNWELL)


def _print_examination(found: Examination, mended: Repair | None, collection: str) -> None:
    for sentence in mended.done if mended else ():
        print(one_line(sentence))
    for damage in found.damages:
        print(f"BAD  {damage.part}: {one_line(damage.finding)}. It costs: {one_line(damage.cost)}.")
    for sentence in [*(mended.left if mended else ()), *found.notes]:
        print(one_line(sentence))
    if mended:
        say(f"What was taken out is kept in {found.path / 'damaged'}." if mended.done else "")
    size = f"{found.n_bytes / 1e6:,.0f} MB in {found.seconds:.1f} s"
    if found.is_sound:
        say(f"Everything is as it was written ({size}).")
    elif mended:
        say(f"{len(found.damages):,} damaged parts are left ({size}).")
    else:
        name = shlex.quote(collection)
        say(
            f"{len(found.damages):,} damaged parts ({size}). Next: bilderatlas doctor {name} "
            "--repair"
        )


def encoders(as_json: JsonOption = False) -> None:
    """List the encoders that can be used here."""
    from dataclasses import asdict

    from bilderatlas.models.encoders import available

    if as_json:
        print_json({"encoders": [asdict(facts) for facts in available()]})
        return
    for facts in available():
        kinds = (("pictures", facts.reads_images), ("words", facts.reads_text))
        what = " and ".join(kind for kind, is_read in kinds if is_read)
        place = "on disk" if facts.is_on_disk else "to download" if facts.is_on_hub else "to make"
        size = f"{facts.n_bytes / 1e6:,.0f} MB {place}"
        print(f"{facts.name:16} {facts.dim:5} numbers  {what:18}  {size}")
        print(f"{'':16} {facts.good_for} ({facts.licence})")
    print(
        f"{'NAME:fp16, :q8':16} the same in half precision, or quantised to 8 bits, where there "
        "is one"
    )
    print(f"{'hf:OWNER/NAME':16} any repository of the Hugging Face Hub with ONNX files")
    print(f"{'FOLDER':16} any folder of ONNX towers, laid out as such repositories are")
    print(
        f"{'open_clip:, st:':16} models of OpenCLIP, sentence-transformers: with bilderatlas[torch]"
    )
