"""The body of `decide`: what a person says -> a decision that can be kept, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bilderatlas import characters
from bilderatlas.analysis import clustering, constraints
from bilderatlas.analysis.constraints import NOISE, Link
from bilderatlas.collection import replay
from bilderatlas.collection.space import OpenSpace
from bilderatlas.errors import DecisionError, RunNotFound
from bilderatlas.results import Clustering, Decision, image_id_of
from bilderatlas.storage import Store, decisions, runs
from bilderatlas.storage.decisions import CANNOT, MERGE, MOVE, MUST, NAME, OF_CLUSTERS, SPLIT, UNDO

VERBS = (*OF_CLUSTERS, UNDO)
LONGEST_NAME = 200  # characters
OUT = "out"  # of all clusters: where `move` brings images to be noise
MOST_PARTS = 50  # of a cluster that is split

_USAGE = {
    NAME: "name CLUSTER NAME",
    MERGE: "merge CLUSTER CLUSTER...",
    SPLIT: "split CLUSTER [IMAGE...]",
    MOVE: "move IMAGE... CLUSTER, or move IMAGE... out",
    MUST: "must-link IMAGE IMAGE",
    CANNOT: "cannot-link IMAGE IMAGE",
    UNDO: "undo DECISION",
}
_LEAST = {NAME: 2, MERGE: 2, SPLIT: 1, MOVE: 2, MUST: 2, CANNOT: 2, UNDO: 1}
_MOST = {NAME: 2, MUST: 2, CANNOT: 2, UNDO: 1}


def check(verb: str, what: Sequence[str | int], parts: int | None) -> None:
    """Refuse what nobody can decide, of whatever run. Raises DecisionError."""
    if verb not in VERBS:
        raise DecisionError(f"Nothing is decided by {verb!r}. Use one of: {', '.join(VERBS)}.")
    if not _LEAST[verb] <= len(what) <= _MOST.get(verb, len(what)):
        raise DecisionError(f"{verb} was given {len(what)} things. Expected: {_USAGE[verb]}")
    if parts is not None and (verb, len(what)) != (SPLIT, 1):
        raise DecisionError(
            "A number of parts is for splitting a cluster without naming images. Leave one out."
        )


def decide(
    store: Store,
    space: OpenSpace,
    stands: Clustering,
    verb: str,
    what: Sequence[str | int],
    *,
    parts: int | None,
    who: str | None,
) -> Decision:
    """Keep a decision, well formed (`check`), about a run as it stands; or refuse it.

    Raises DecisionError, RunNotFound and ImageNotFound.
    """
    if parts is not None:
        region_ids, payload = _split_into(space, stands, what[0], parts)
    else:
        region_ids, payload = _READ[verb](space, stands, what)
    if verb in (MUST, CANNOT):
        _check_links(store, verb, region_ids)
    payload |= {"run": stands.run, "kind": stands.about.kind}
    _try(store, stands, verb, region_ids, payload)
    image_ids = list(dict.fromkeys(map(image_id_of, region_ids)))
    return decisions.append(
        store, verb, image_ids=image_ids, region_ids=region_ids, payload=payload, who=who
    )


def undo(store: Store, what: Sequence[str | int], who: str | None) -> Decision:
    """Take a decision back, of whatever verb. Raises DecisionError."""
    return decisions.undo(store, str(what[0]), who=who)


def nameless(store: Store, stands: Clustering) -> list[int]:
    """The clusters that decisions made, of a run whose others were named."""
    names = runs.read_names(store, stands.run)
    return [c.cluster for c in stands.clusters if names and c.cluster not in names]


def _name(
    space: OpenSpace, stands: Clustering, what: Sequence[str | int]
) -> tuple[list[str], dict[str, Any]]:
    cluster, name = _cluster(stands, what[0]), " ".join(str(what[1]).split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise DecisionError(
            f"The name has {len(name)} characters; a cluster's has 1 to {LONGEST_NAME}."
        )
    characters.check_name(name, "The name", DecisionError)
    for other in stands.clusters:
        if other.name.casefold() == name.casefold() and other.cluster != cluster:
            raise DecisionError(
                f"Cluster {other.cluster} of {stands.run} is called {other.name!r} already. Choose "
                f"another name, or merge the two: decide merge {cluster} {other.cluster}"
            )
    return [], {"cluster": cluster, "name": name}


def _merge(
    space: OpenSpace, stands: Clustering, what: Sequence[str | int]
) -> tuple[list[str], dict[str, Any]]:
    clusters = [_cluster(stands, each) for each in what]
    if len(set(clusters)) < len(clusters):
        raise DecisionError(
            f"Clusters {', '.join(map(str, clusters))} cannot be merged: one of them is there "
            "twice. Give different clusters."
        )
    return [], {"clusters": clusters}


def _split(
    space: OpenSpace, stands: Clustering, what: Sequence[str | int]
) -> tuple[list[str], dict[str, Any]]:
    if len(what) == 1:
        return _split_into(space, stands, what[0], 2)
    cluster = _cluster(stands, what[0])
    members = [stands.region_ids[i] for i in stands.members(cluster)]
    leaving = list(dict.fromkeys(_region(space, stands, str(each)) for each in what[1:]))
    strangers = sorted(set(leaving) - set(members))
    if strangers:
        raise DecisionError(f"{strangers[0]} is not in cluster {cluster} of {stands.run}.")
    if not 0 < len(leaving) < len(members):
        raise DecisionError(
            f"Cluster {cluster} has {len(members)} members and {len(leaving)} would leave it. "
            "Some must leave, and some must stay."
        )
    return leaving, {"cluster": cluster}


def _split_into(
    space: OpenSpace, stands: Clustering, given: str | int, n_parts: int
) -> tuple[list[str], dict[str, Any]]:
    """All but the largest of the clusters that k-means makes of one leave it, part by part."""
    cluster = _cluster(stands, given)
    members = [stands.region_ids[i] for i in stands.members(cluster)]
    regions = space.catalogue.regions["region_id"].combine_chunks()
    rows = pc.drop_null(pc.index_in(pa.array(members, pa.string()), value_set=regions)).to_numpy()
    if not 2 <= n_parts <= min(len(rows), MOST_PARTS):
        raise DecisionError(
            f"Cluster {cluster} has {len(rows)} members and cannot be split into {n_parts} parts. "
            f"Split it into 2 or more: at most as many as it has members, and at most "
            f"{MOST_PARTS}."
        )
    labels = clustering.cluster(space.catalogue.vectors[rows], method="kmeans", k=n_parts).labels
    parts = [rows[labels == part] for part in range(1, int(labels.max()) + 1)]
    if not parts:
        raise DecisionError(
            f"The members of cluster {cluster} are all alike: name those that should leave."
        )
    leaving = [str(regions[int(row)].as_py()) for part in parts for row in part]
    sizes = {"sizes": [len(part) for part in parts]} if len(parts) > 1 else {}
    return leaving, {"cluster": cluster} | sizes


def _move(
    space: OpenSpace, stands: Clustering, what: Sequence[str | int]
) -> tuple[list[str], dict[str, Any]]:
    is_out = str(what[-1]) in (OUT, str(NOISE))
    cluster = NOISE if is_out else _cluster(stands, what[-1])
    moving = [_region(space, stands, str(image)) for image in what[:-1]]
    return list(dict.fromkeys(moving)), {"cluster": cluster}


def _link(
    space: OpenSpace, stands: Clustering, what: Sequence[str | int]
) -> tuple[list[str], dict[str, Any]]:
    one, other = (_region(space, stands, str(image)) for image in what)
    if one == other:
        raise DecisionError(f"{what[0]} and {what[1]} are the same. Link two different images.")
    return [one, other], {}


_READ = {NAME: _name, MERGE: _merge, SPLIT: _split, MOVE: _move, MUST: _link, CANNOT: _link}


def _cluster(stands: Clustering, given: str | int) -> int:
    """A cluster by its number, or by its name, which no two have."""
    called = {each.name.casefold(): each.cluster for each in stands.clusters}
    try:
        cluster = int(given)
    except ValueError:
        name = " ".join(str(given).split()).casefold()
        if name not in called:
            raise DecisionError(
                f"{given!r} is not a cluster of {stands.run}. Give its number, or its name in full."
            ) from None
        return called[name]
    known = {each.cluster for each in stands.clusters}
    if cluster not in known:
        numbers = ", ".join(map(str, sorted(known)[:20])) + (", ..." if len(known) > 20 else "")
        raise RunNotFound(f"Run {stands.run!r} has no cluster {cluster}; it has: {numbers}.")
    return cluster


def _region(space: OpenSpace, stands: Clustering, image: str) -> str:
    """The region of a run that is meant by its id, or by an image of which it is the only one."""
    if image in stands.region_ids:
        return image
    image_id = str(space.catalogue.image_ids[space.number_of(image)].as_py())
    found = [region for region in stands.region_ids if image_id_of(region) == image_id]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DecisionError(
            f"Run {stands.run!r} does not include {image}: it is of {stands.about.n_regions} "
            f"regions of kind {stands.about.kind}, made on {stands.about.created_at:%Y-%m-%d}. "
            "Cluster again."
        )
    raise DecisionError(
        f"{image} has {len(found)} regions in run {stands.run!r}. Say which: {', '.join(found)}"
    )


def _check_links(store: Store, verb: str, region_ids: Sequence[str]) -> None:
    """Refuse a link that others contradict, itself or through what they join."""
    links = decisions.read(store, MUST, CANNOT)
    pairs = {v: [each.region_ids for each in links if each.verb == v] for v in (MUST, CANNOT)}
    pairs[verb].append(tuple(region_ids))
    ids = sorted({region for some in pairs.values() for pair in some for region in pair})
    musts, cannots = (
        [Link(ids.index(one), ids.index(other)) for one, other in pairs[v]] for v in (MUST, CANNOT)
    )
    wrong = constraints.contradiction(musts, cannots)
    if wrong:
        raise DecisionError(
            f"{ids[wrong.one]} and {ids[wrong.other]} would have to be both together and apart, by "
            "this link and earlier ones. 'bilderatlas decisions COLLECTION' lists them; undo one "
            "with: bilderatlas decide COLLECTION undo DECISION"
        )


def _try(
    store: Store,
    stands: Clustering,
    verb: str,
    region_ids: Sequence[str],
    payload: dict[str, Any],
) -> None:
    """Refuse what would have no effect in the very run that it is decided in."""
    tried = Decision("tried", verb, (), tuple(region_ids), payload, "", datetime.now(UTC))
    outcome = replay.read(store, stands.run, also=tried).outcomes[-1]
    if outcome.status != "applied":
        raise DecisionError(
            f"This would have no effect: {outcome.reason} (of earlier decisions; see 'bilderatlas "
            "decisions COLLECTION'). Undo that first."
        )
