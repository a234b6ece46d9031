"""What each verb of a job does with the collection. Runs in the job's own process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bilderatlas.collection import Collection
from bilderatlas.errors import SourceError
from bilderatlas.results import Progress
from bilderatlas.server import uploads

Tell = Callable[[Progress], None]
Options = dict[str, Any]


def _index(collection: Collection, options: Options, tell: Tell) -> dict[str, Any]:
    """Read the pictures of an upload, or look again at sources that are known."""
    asked = dict(options)
    upload, named = asked.pop("upload", None), asked.pop("sources", None)
    sources: Sequence[str | Path] = (
        _known(collection, named) if upload is None else uploads.sources(collection.path, upload)
    )
    return collection.index(*sources, **asked, on_progress=tell).to_dict()


def _known(collection: Collection, named: Sequence[str] | None) -> Sequence[str]:
    """The sources of all images and problems, or some of them. Raises SourceError for others."""
    known = {*collection.info().sources, *collection.browse_problems(kind="all", n=1).sources}
    unknown = sorted(set(named or ()) - known)
    if unknown:
        raise SourceError(
            f"{unknown[0]} is not a source of this collection. A job reads its sources again; add "
            f"a new one on the command line: bilderatlas index {collection.name} SOURCE"
        )
    return sorted(known) if named is None else named


def _reindex(collection: Collection, options: Options, tell: Tell) -> dict[str, Any]:
    return collection.reindex(**options, on_progress=tell).to_dict()


def _cluster(collection: Collection, options: Options, tell: Tell) -> dict[str, Any]:
    asked = dict(options)
    made = collection.cluster(asked.pop("method", "hdbscan"), **asked)
    return {"run": made.run, "n_clusters": len(made.clusters), "n_noise": made.n_noise}


def _project(collection: Collection, options: Options, tell: Tell) -> dict[str, Any]:
    asked = dict(options)
    made = collection.project(asked.pop("method", None), **asked)
    return {"run": made.run, "dims": made.dims}


def _name(collection: Collection, options: Options, tell: Tell) -> dict[str, Any]:
    made = collection.name_clusters(options.get("run"))
    return {"run": made.run, "n_clusters": len(made.clusters)}


VERBS: dict[str, Callable[[Collection, Options, Tell], dict[str, Any]]] = {
    "index": _index,
    "reindex": _reindex,
    "cluster": _cluster,
    "project": _project,
    "name": _name,
}
