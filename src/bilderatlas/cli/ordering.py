"""Commands that put images in order: cluster, project."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from bilderatlas.cli.arguments import (
    CollectionArg,
    JsonOption,
    KindOption,
    SeedOption,
    SpaceOption,
    open_collection,
)
from bilderatlas.cli.printing import print_json, say


def cluster(
    collection: CollectionArg,
    method: Annotated[str, typer.Option(help="hdbscan, dbscan or kmeans.")] = "hdbscan",
    k: Annotated[
        str, typer.Option("--k", "-k", help="kmeans: how many clusters, or auto.")
    ] = "auto",
    eps: Annotated[float, typer.Option(help="dbscan: cosine distance of neighbors.")] = 0.2,
    min_samples: Annotated[int, typer.Option(help="dbscan, hdbscan: what makes it dense.")] = 2,
    min_cluster_size: Annotated[int, typer.Option(help="hdbscan: the smallest cluster.")] = 5,
    kind: KindOption = None,
    space: SpaceOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Group the images by likeness."""
    made = open_collection(collection).cluster(
        method,
        k=_count_or_auto(k),
        eps=eps,
        min_samples=min_samples,
        min_cluster_size=min_cluster_size,
        kind=kind,
        space=space,
        seed=seed,
    )
    if as_json:
        print_json(made.to_dict())
        return
    for each in made.clusters:
        print(f"{each.size:7,}  {each.name}")
    print(f"{made.n_noise:7,}  noise")
    say(f"Run {made.run}: {len(made.clusters)} clusters.")
    name = shlex.quote(collection)
    say(f"Next: bilderatlas export {name} --contact-sheets sheets --run {made.run}")


def _count_or_auto(k: str) -> int | str:
    if k == "auto" or not k.lstrip("-").isdigit():
        if k != "auto":
            raise typer.BadParameter(f"--k is {k!r}; give a number or auto.")
        return k
    return int(k)


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
        typer.Option(help="A map of before: new images find their places, no point moves."),
    ] = None,
    kind: KindOption = None,
    space: SpaceOption = None,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same map. [0]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Lay the images out on a map."""
    made = open_collection(collection).project(
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
