"""Commands that name clusters and keep what people decide: name, decide, decisions."""

from __future__ import annotations

from typing import Annotated

import typer

from bilderatlas.cli.arguments import CollectionArg, JsonOption, open_collection, open_folder
from bilderatlas.cli.printing import one_line, print_clusters, print_json, say
from bilderatlas.errors import DecisionError

RunOption = Annotated[str | None, typer.Option(help="Which run; the newest by default.")]
WhoOption = Annotated[str | None, typer.Option(help="Who decides. [the login name]")]


def name(
    collection: CollectionArg,
    given: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="With --cluster: what it is called.")
    ] = None,
    run: RunOption = None,
    cluster: Annotated[
        int | None, typer.Option(help="The number of the cluster that NAME is for.")
    ] = None,
    llm_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible API, e.g. http://localhost:11434/v1.")
    ] = None,
    llm_model: Annotated[str | None, typer.Option(help="The language model to ask there.")] = None,
    llm_timeout: Annotated[float, typer.Option(help="Seconds that one answer may take.")] = 30.0,
    llm_sends: Annotated[
        str, typer.Option(help="What to send it of a cluster: pictures or texts.")
    ] = "pictures",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name the clusters of a run, or one of them yourself.

    A language model is asked only with --llm-url; its key is read from $BILDERATLAS_LLM_KEY.
    """
    if (given is None) != (cluster is None):
        raise DecisionError(
            "A name and its cluster go together: bilderatlas name COLLECTION --cluster 3 NAME"
        )
    if cluster is not None:
        decide(collection, "name", [str(cluster), given or ""], run, who=who, as_json=as_json)
        return
    made = open_folder(collection).name_clusters(
        run,
        llm_url=llm_url,
        llm_model=llm_model,
        llm_timeout_s=llm_timeout,
        llm_sends=llm_sends,
    )
    if as_json:
        print_json(made.to_dict())
    else:
        print_clusters(made)


def decide(
    collection: CollectionArg,
    verb: Annotated[
        str,
        typer.Argument(
            metavar="VERB", help="name, merge, split, move, must-link, cannot-link or undo."
        ),
    ],
    what: Annotated[
        list[str],
        typer.Argument(metavar="WHAT...", help="Numbers of clusters, images, or a decision."),
    ],
    run: RunOption = None,
    parts: Annotated[
        int | None,
        typer.Option(help="How many parts to split into where no images are named; 2 by default."),
    ] = None,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide something about clusters, for this run and all later ones.

    merge 3 5 · split 3 [IMAGE...] · move IMAGE... 3 · move IMAGE... out · must-link IMAGE IMAGE ·
    cannot-link IMAGE IMAGE · name 3 NAME · undo DECISION
    """
    made = open_collection(collection).decide(verb, *what, run=run, parts=parts, who=who)
    if as_json:
        print_json(made.to_dict())
        return
    if made.clustering:
        print_clusters(made.clustering)
    say(f"Decision {made.decision.decision} is kept.")


def decisions(
    collection: CollectionArg,
    with_undone: Annotated[bool, typer.Option("--all", help="Also list what was undone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what people decided."""
    from bilderatlas.storage.decisions import in_words

    found = open_collection(collection).decisions(with_undone=with_undone)
    if as_json:
        print_json(found.to_dict())
        return
    for each in found:
        told = one_line(in_words(each))
        print(f"{each.decision}  {each.when:%Y-%m-%d %H:%M}  {one_line(each.who)}  {told}")
    say(f"{len(found):,} decisions." if found else "Nothing has been decided yet.")
