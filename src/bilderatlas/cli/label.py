"""Commands about people's labels: label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bilderatlas.cli.arguments import CollectionArg, JsonOption, WhereOption, open_folder
from bilderatlas.cli.printing import one_line, print_json, say
from bilderatlas.errors import LabelsError

if TYPE_CHECKING:
    from bilderatlas.collection import Collection
    from bilderatlas.results import ImportedLabels, LabelCounts, Labelling

N_NAMED = 5  # names of no image in a message


def label(
    collection: CollectionArg,
    images: Annotated[
        list[str] | None,
        typer.Argument(metavar="[IMAGE...]", help="Image ids, paths, or ids of regions."),
    ] = None,
    give: Annotated[
        str | None, typer.Option("--set", metavar="LABEL", help="Give the images this label.")
    ] = None,
    take: Annotated[
        str | None, typer.Option("--unset", metavar="LABEL", help="Take this label from them.")
    ] = None,
    query: Annotated[
        str | None, typer.Option(help="Also all images that this search finds.")
    ] = None,
    cluster: Annotated[int | None, typer.Option(help="Also the members of this cluster.")] = None,
    run: Annotated[
        str | None, typer.Option(help="The clustering it is of; the newest by default.")
    ] = None,
    where: WhereOption = None,
    import_: Annotated[
        Path | None,
        typer.Option("--import", help="A CSV, TSV or Parquet file of images and labels."),
    ] = None,
    from_folders: Annotated[
        bool, typer.Option("--from-folders", help="Label each image by the folder it lies in.")
    ] = False,
    from_column: Annotated[
        str | None, typer.Option(help="Label each image by this metadata column.")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="import: the column of labels. [label, class, ...]")
    ] = None,
    image_column: Annotated[
        str | None, typer.Option(help="import: the column of images. [image_id, path, ...]")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write all labels to this .csv or .parquet file.")
    ] = None,
    who: Annotated[str | None, typer.Option(help="Who gives the labels. [the login name]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Give images labels, import or export them, or list them.

    An image may have several labels. They belong to its content, and stay when its file moves.
    """
    source = "folders" if from_folders else f"column:{from_column}" if from_column else import_
    asked = {"--set": give, "--unset": take, "--export": export}
    asked |= {"--import, --from-folders and --from-column": source}
    _refuse_two([name for name, value in asked.items() if value is not None])
    atlas = open_folder(collection)
    if give is not None or take is not None:
        meant = _meant(atlas, images or [], query=query, cluster=cluster, run=run, where=where)
        change = atlas.unlabel if give is None else atlas.label
        _tell(change(meant, give or take or "", who=who), as_json)
    elif images or query or cluster is not None or where:
        raise LabelsError("Say which label the images are to have: --set LABEL")
    elif source is not None:
        made = atlas.import_labels(
            source, label_column=label_column, image_column=image_column, who=who
        )
        _tell_import(made, as_json)
    elif export is not None:
        atlas.export(export, table="labels")
        say(f"Written: {export}")
    else:
        _list(atlas.labels(), as_json)


def _refuse_two(asked: list[str]) -> None:
    if len(asked) > 1:
        raise LabelsError(f"{' and '.join(asked)} do not go together. Use one at a time.")


def _meant(atlas: Collection, images: list[str], **selection: Any) -> list[str]:
    """The images named, and those that a search, a cluster or a condition means."""
    if any(value is not None for value in selection.values()):
        images = images + atlas.select(**selection)
    if not images:
        raise LabelsError(
            "No image is chosen. Name images, or find some by --query, --cluster or --where."
        )
    return images


def _tell(made: Labelling, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
    elif made.decision is None:
        say("Nothing changed: this was already so.")
    else:
        done = "have the label" if made.verb == "label" else "no longer have the label"
        say(f"{made.n_regions:,} images {done} {made.label!r}: decision {made.decision.decision}.")


def _tell_import(made: ImportedLabels, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
        return
    for each in made.labels:
        print(f"{each.n_regions:7,}  {one_line(each.label)}")
    say(f"{made.n_new:,} new labels from {made.source}.")
    if made.unknown:
        named = ", ".join(map(one_line, made.unknown[:N_NAMED]))
        say(f"{len(made.unknown):,} names in it match no image here: {named}.")


def _list(found: LabelCounts, as_json: bool) -> None:
    if as_json:
        print_json(found.to_dict())
        return
    for each in found:
        print(f"{each.n_images:7,}  {one_line(each.label)}")
    say(f"{found.n_labelled:,} of {found.n_images:,} images have a label.")
    if not found:
        say("Begin with: bilderatlas label COLLECTION --set LABEL IMAGE...")
