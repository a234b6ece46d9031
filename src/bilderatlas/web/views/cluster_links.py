"""What clusters are called, and the links to them and between runs.

The pages about clusters share it: `clusters.py` all of a run, `cluster.py` one of them,
`compare_runs.py` two runs, `advice.py` which k and eps to take. `contact_sheets.py` draws contact
sheets, `new_run.py` the form for a new run.
"""

from __future__ import annotations

from dash import html

from bilderatlas.results import Cluster, Clustering, Run
from bilderatlas.web import i18n
from bilderatlas.web.address import aria, link

NOISE = -1
N_RUNS = 8  # that are named without unfolding


def cluster_address(clustering: Clustering, number: int) -> str:
    """The page of a cluster."""
    return link(f"/clusters/{number}", run=clustering.run)


def called(cluster: Cluster) -> str:
    """What a cluster is called; in the visitor's language where nobody named it."""
    return i18n.cluster(cluster.cluster, "" if cluster.source == "number" else cluster.name)


def names_of(clustering: Clustering) -> dict[int, str]:
    """What each cluster of a run is called, and the noise."""
    return {NOISE: i18n.NOISE} | {one.cluster: called(one) for one in clustering.clusters}


def run_links(path: str, runs: list[Run], shown: str) -> html.Nav | None:
    """The other runs, to choose from; the older of many are folded away."""
    if len(runs) < 2:
        return None
    links = [
        html.A(
            i18n.run(run.run, run.parameters.get("dims")),
            href=link(path, run=run.run),
            **(aria(current="page") if run.run == shown else {}),
        )
        for run in runs
    ]
    newest, older = links[:N_RUNS], links[N_RUNS:]
    is_old = shown in [run.run for run in runs[N_RUNS:]]
    folded = html.Details([html.Summary(i18n.older_runs(len(older))), *older], open=is_old)
    return html.Nav(
        [*newest, *([folded] if older else [])], className="runs", **aria(label=i18n.RUNS)
    )
