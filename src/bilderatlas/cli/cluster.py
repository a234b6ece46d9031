"""Commands that put images in order: cluster, project."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bilderatlas.cli.arguments import (
    CollectionArg,
    JsonOption,
    KindOption,
    SeedOption,
    SpaceOption,
    open_collection,
    open_folder,
)
from bilderatlas.cli.printing import print_clusters, print_json, say, working
from bilderatlas.errors import QueryError

if TYPE_CHECKING:
    from bilderatlas.results import Clustering, RunComparison
    from bilderatlas.results.advice import Advice

Number = TypeVar("Number", int, float)


def cluster(
    context: typer.Context,
    collection: CollectionArg,
    method: Annotated[
        str,
        typer.Option(
            help="hdbscan, dbscan, kmeans, minibatch-kmeans, agglomerative; with the extra fast: "
            "fast-hdbscan, evoc."
        ),
    ] = "hdbscan",
    k: Annotated[
        str | None, typer.Option("--k", "-k", help="k-means: how many clusters, or auto. [auto]")
    ] = None,
    eps: Annotated[
        str | None, typer.Option(help="dbscan: cosine distance of neighbors, or auto. [0.2]")
    ] = None,
    min_samples: Annotated[
        int | None,
        typer.Option(help="hdbscan, dbscan, evoc: items that make a place dense. [2; evoc: 5]"),
    ] = None,
    min_cluster_size: Annotated[
        int | None, typer.Option(help="hdbscan, evoc: the smallest cluster. [5]")
    ] = None,
    distance_threshold: Annotated[
        float | None,
        typer.Option(help="agglomerative: mean distance at which clusters part. [0.5]"),
    ] = None,
    kind: KindOption = None,
    space: SpaceOption = None,
    seed: SeedOption = 0,
    advise: Annotated[
        bool,
        typer.Option("--advise", help="Do not cluster: say which k and eps to take, and why."),
    ] = False,
    figure: Annotated[
        Path | None, typer.Option(help="With --advise: draw all curves into this PNG file.")
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="RUN RUN", help="Do not cluster: compare two runs."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Cluster the images by likeness, or advise on how to, or compare two clusterings."""
    if figure and not advise:
        raise QueryError("--figure draws the curves of --advise. Add --advise.")
    if compare:
        _refuse_unread(context, "--compare", {"compare"})
        _print_comparison(open_collection(collection).compare(*compare), as_json)
    elif advise:
        _refuse_unread(
            context, "--advise", {"advise", "figure", "kind", "space", "min_samples", "seed"}
        )
        advised = open_folder(collection).advise(
            kind=kind, space=space, min_samples=2 if min_samples is None else min_samples, seed=seed
        )
        _print_advice(advised, figure, as_json)
    else:
        atlas = open_collection(collection)
        _say_beforehand(collection, method)
        with working(f"Clustering by {method}"):
            made = atlas.cluster(
                method,
                k=_number_or_auto("--k", k, int),
                eps=_number_or_auto("--eps", eps, float),
                min_samples=min_samples,
                min_cluster_size=min_cluster_size,
                distance_threshold=distance_threshold,
                kind=kind,
                space=space,
                seed=seed,
            )
        _print_clusters(made, collection, as_json)


def _say_beforehand(collection: str, method: str) -> None:
    from bilderatlas.analysis.clustering import density
    from bilderatlas.client import is_address

    told = density.first_use(method)
    if told and not is_address(collection):  # a server's machine is another
        say(told)


def _refuse_unread(context: typer.Context, asked: str, read: set[str]) -> None:
    """Refuse options that what was asked for does not read."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    typed = {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}
    unread = sorted(typed - read - {"collection", "as_json"})
    if unread:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in unread)
        raise QueryError(f"{asked} does not read {options}. Leave that out, or leave {asked} out.")


def _number_or_auto(option: str, given: str | None, number: type[Number]) -> Number | str | None:
    if given is None or given == "auto":
        return given
    try:
        return number(given)
    except ValueError:
        raise typer.BadParameter(f"{option} is {given!r}; give a number or auto.") from None


def _print_clusters(made: Clustering, collection: str, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict())
        return
    print_clusters(made)
    name = shlex.quote(collection)
    say(f"Next: bilderatlas export {name} --contact-sheets sheets --run {made.run}")


def _print_advice(advice: Advice, figure: Path | None, as_json: bool) -> None:
    if figure:
        from bilderatlas.figures import to_png
        from bilderatlas.output.files import write_png

        write_png(to_png(advice.figure()), figure)
        say(f"Drawn: {figure}")
    if as_json:
        print_json(advice.to_dict())
        return
    print(f"kmeans  {advice.k.reason}")
    print(f"dbscan  {advice.eps.reason}")
    for cliff in advice.eps_curves.cliffs:
        before, after = cliff.largest_before, cliff.largest_after
        print(f"        cliff at {cliff.eps:.4g}: the largest cluster {before:.0%} -> {after:.0%}")


def _print_comparison(found: RunComparison, as_json: bool) -> None:
    if as_json:
        print_json(found.to_dict())
        return
    for match in found.matches:
        print(
            f"{match.n_shared:7,}  stay of {match.n_first:,} in cluster {match.first} -> "
            f"cluster {match.second} of {match.n_second:,}"
        )
    print(f"{found.n_moved:7,}  moved, {found.n_into_noise:,} of them into noise")
    say(
        f"{found.first} and {found.second} over {found.n_shared:,} shared regions: "
        f"ARI {found.ari:.3f}, NMI {found.nmi:.3f}."
    )


def project(
    collection: CollectionArg,
    method: Annotated[str | None, typer.Option(help="tsne, umap or pca. [tsne]")] = None,
    dims: Annotated[int | None, typer.Option(help="2 or 3. [2]")] = None,
    perplexity: Annotated[
        float | None, typer.Option(help="tsne: how many neighbors count. [30]")
    ] = None,
    n_neighbors: Annotated[
        int | None, typer.Option(help="umap: how many neighbors count. [15]")
    ] = None,
    min_dist: Annotated[
        float | None, typer.Option(help="umap: how close points may lie, 0..1. [0.1]")
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(help="An earlier map to add new images to: no point of it moves."),
    ] = None,
    kind: KindOption = None,
    space: SpaceOption = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same map. [0]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Lay the images out on a map."""
    atlas = open_collection(collection)
    with working("Laying out a map"):
        made = atlas.project(
            method,
            dims=dims,
            perplexity=perplexity,
            n_neighbors=n_neighbors,
            min_dist=min_dist,
            kind=kind,
            space=space,
            seed=seed,
            into=into,
        )
    if as_json:
        print_json(made.to_dict())
    else:
        print(f"Run {made.run}: {len(made.region_ids):,} points in {made.dims} dimensions.")
        name = shlex.quote(collection)
        say(f"Next: bilderatlas export {name} --map map.html --run {made.run}")
