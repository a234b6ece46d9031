"""How a clustering stands: what a program computed, and what people decided since.

The decisions in force are gone through once more, oldest first. A decision counts in the run that
it was made in, and in every run made after it. There its clusters are those that overlap most with
those that it was about; `analysis/constraints.py` says when, and what cannot be carried is
reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bilderatlas.analysis import constraints
from bilderatlas.analysis.constraints import ABSENT, Link
from bilderatlas.analysis.naming import Name
from bilderatlas.arrays import ClusterLabels
from bilderatlas.results import Cluster, Clustering, Decision, Outcome
from bilderatlas.storage import Store, decisions, runs
from bilderatlas.storage.decisions import CANNOT, MERGE, MOVE, MUST, NAME, OF_CLUSTERS, SPLIT

_BEST_FIRST = ("applied", "carried", "fulfilled", "lost")
_NO_CLUSTER = "no cluster of this run corresponds to it"
_GONE = "its cluster no longer exists"
_LINKED = "a link puts it elsewhere"
_LEFT_OUT = "this run does not include what it is about"


def read(store: Store, run: str | None, *, also: Decision | None = None) -> Clustering:
    """A run (the newest by default) as it stands, or as it would with one more decision.

    Raises RunNotFound.
    """
    history = [*decisions.history(store, *OF_CLUSTERS), *([also] if also else [])]
    return stand(store, runs.read_clustering(store, run), history)


def stand(store: Store, made: Clustering, history: Sequence[Decision]) -> Clustering:
    """A clustering as a program made it -> as it stands after some decisions, oldest first."""
    names = runs.read_names(store, made.run)
    in_force = {each.decision for each in decisions.in_force(history)}
    # Counted over the whole history, not over what is in force: people name clusters by their
    # numbers, and taking an earlier decision back must not renumber those of later ones.
    numbers = accumulate((_n_made(each) for each in history), initial=0)
    counting = [
        (number, each)
        for number, each in zip(numbers, history, strict=False)
        if each.decision in in_force and each.verb in OF_CLUSTERS and _counts(each, made)
    ]
    if not counting:
        return replace(made, clusters=_clusters(made.labels, names, {}))
    return _Replay(store, made, [each for _, each in counting]).result(counting, names)


def _n_made(decision: Decision) -> int:
    """How many clusters a decision may make: their numbers are nobody else's."""
    return max(1, len(decision.payload.get("sizes", ())))


def _counts(decision: Decision, made: Clustering) -> bool:
    about = made.about
    return decision.payload["run"] == about.run or (
        about.created_at > decision.when and decision.payload["kind"] == about.kind
    )


@dataclass
class _State:
    """One run while decisions are gone through."""

    made: Clustering
    places: NDArray[np.int64]  # (N,) of its regions in (G,)
    labels: ClusterLabels  # (G,)
    firmness: NDArray[np.float32]  # (G,)
    first_free: int
    musts: list[Link] = field(default_factory=list)
    cannots: list[Link] = field(default_factory=list)
    named: dict[int, Decision] = field(default_factory=dict)  # clusters of this very run

    def members(self, cluster: int) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.labels == cluster
        return mask

    @property
    def there(self) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.labels != ABSENT
        return mask


class _Replay:
    """All runs that some decisions were made in, and the one that is asked for.

    The other runs are replayed too: a decision may be about a cluster that an earlier decision
    made or changed there, so only the replay knows who its members were.
    """

    def __init__(self, store: Store, made: Clustering, counting: Sequence[Decision]) -> None:
        known = {about.run for about in runs.all_of(store, "cluster")}
        others = {d.payload["run"] for d in counting} & known - {made.run}
        clusterings = [made, *(runs.read_clustering(store, run) for run in sorted(others))]
        columns = [pa.array(c.region_ids, pa.string()) for c in clusterings]
        ids = pc.unique(pa.chunked_array(columns))
        self.asked = made.run
        named = list(dict.fromkeys(region for d in counting for region in d.region_ids))
        found = pc.index_in(pa.array(named, pa.string()), value_set=ids).to_pylist()
        self.place_of: dict[str, int | None] = dict(zip(named, found, strict=True))
        self.states = {
            c.run: _state(c, pc.index_in(column, value_set=ids).to_numpy(), len(ids))
            for c, column in zip(clusterings, columns, strict=True)
        }

    def result(
        self, counting: Sequence[tuple[int, Decision]], names: dict[int, Name]
    ) -> Clustering:
        """Go through the decisions; the run that is asked for, as it stands then."""
        asked = self.states[self.asked]
        outcomes = {}
        for number, decision in counting:
            outcomes[decision.decision] = self._decide(decision, number)
        # Links come last, so that no later merge or move undoes them.
        before = asked.labels
        linked = constraints.link(before, asked.firmness, asked.musts, asked.cannots)
        asked.labels, asked.firmness = linked.labels, linked.firmness
        given, lost = self._given_names()
        outcomes |= lost
        labels = asked.labels[asked.places]
        return replace(
            asked.made,
            labels=labels,
            probabilities=asked.firmness[asked.places],
            clusters=_clusters(labels, names, given),
            outcomes=tuple(self._checked(d, outcomes[d.decision], before) for _, d in counting),
        )

    def _decide(self, decision: Decision, number: int) -> Outcome:
        """Do a decision in every run that it counts in; what came of it in the one asked for."""
        source = self.states.get(decision.payload["run"])
        if source is None:
            return _outcome(decision, "lost", "the run that it was made in no longer exists")
        reached = [s for s in self.states.values() if _counts(decision, s.made) and s is not source]
        # The source last: the others find their clusters by its members before the decision.
        found = {s.made.run: self._act(decision, source, s, number) for s in [*reached, source]}
        return found[self.asked]

    def _act(self, decision: Decision, source: _State, target: _State, number: int) -> Outcome:
        if decision.verb == SPLIT:  # holds for those of its regions that the run has
            return self._split(decision, source, target, number)
        places = self._places(decision.region_ids, target)
        if len(places) < len(decision.region_ids):
            return _outcome(decision, "lost", _LEFT_OUT)
        if decision.verb in (MUST, CANNOT):
            link = Link(int(places[0]), int(places[1]), target.first_free + number)
            (target.musts if decision.verb == MUST else target.cannots).append(link)
            return _outcome(decision, "applied" if source is target else "carried")
        if decision.verb == NAME:
            return self._name(decision, source, target)
        act = {MERGE: _merge, MOVE: _move}[decision.verb]
        status, reason = act(decision.payload, places, source, target)
        return _outcome(decision, status, reason)

    def _split(self, decision: Decision, source: _State, target: _State, number: int) -> Outcome:
        """Split part by part; a split in two lets one leave. What became of any part counts."""
        sizes = decision.payload.get("sizes", [len(decision.region_ids)])
        ends = list(accumulate(sizes, initial=0))
        parts = [
            self._places(decision.region_ids[start:end], target) for start, end in pairwise(ends)
        ]
        rest = source.members(decision.payload["cluster"])
        rest[np.concatenate(parts)] = False
        found = [
            _split_off(part, rest, decision.payload["cluster"], source, target, number + i)
            for i, part in enumerate(parts, start=target.first_free)
        ]
        best = min(found, key=lambda outcome: _BEST_FIRST.index(outcome[0]))
        return _outcome(decision, *best)

    def _places(self, region_ids: Sequence[str], target: _State) -> NDArray[np.int64]:
        """The places of some regions that the run is over."""
        known = [place for i in region_ids if (place := self.place_of[i]) is not None]
        places = np.array(known, np.int64)
        over: NDArray[np.int64] = places[target.labels[places] != ABSENT]
        return over

    def _name(self, decision: Decision, source: _State, target: _State) -> Outcome:
        """Names of other runs are given at the end, all at once: see `_given_names`."""
        if source is not target:
            return _outcome(decision, "carried")  # `_settle` may still overrule it
        cluster = decision.payload["cluster"]
        if not source.members(cluster).any():
            return _outcome(decision, "lost", _GONE)
        source.named[cluster] = decision
        return _outcome(decision, "applied")

    def _given_names(self) -> tuple[dict[int, str], dict[str, Outcome]]:
        """What people call the clusters of the run asked for, and the names that found none.

        Run by run, the oldest first: a name given in a run takes the place of one carried there.
        """
        wandering: list[tuple[Decision, _State, int]] = []
        for state in sorted(self.states.values(), key=lambda s: s.made.about.created_at):
            here = [w for w in wandering if _counts(w[0], state.made)]
            found = constraints.assign(
                [origin.members(cluster) for _, origin, cluster in here],
                [origin.there for _, origin, _ in here],
                state.labels,
            )
            pairs = list(zip(here, found, strict=True))
            if state.made.run == self.asked:
                return self._settle(state, pairs)
            # A new name for a cluster is the last word on it, in all later runs too.
            replaced = [wanderer for wanderer, cluster in pairs if cluster in state.named]
            wandering = [w for w in wandering if w not in replaced]
            wandering += [(decision, state, c) for c, decision in state.named.items()]
        raise AssertionError("the run that is asked for is one of the runs")

    def _settle(
        self, state: _State, pairs: Sequence[tuple[tuple[Decision, _State, int], int | None]]
    ) -> tuple[dict[int, str], dict[str, Outcome]]:
        given = {
            c: str(d.payload["name"]) for c, d in state.named.items() if state.members(c).any()
        }
        lost = {}
        for (decision, _, _), cluster in pairs:
            name = str(decision.payload["name"])
            if cluster is None:
                lost[decision.decision] = _outcome(decision, "lost", _NO_CLUSTER)
            elif cluster in given:
                reason = f"its cluster is called {given[cluster]!r} here"
                lost[decision.decision] = _outcome(decision, "overruled", reason)
            elif name.casefold() in {other.casefold() for other in given.values()}:
                reason = "another cluster has this name"
                lost[decision.decision] = _outcome(decision, "overruled", reason)
            else:
                given[cluster] = name
        return given, lost

    def _checked(self, decision: Decision, outcome: Outcome, before: ClusterLabels) -> Outcome:
        """A decision that links overrule is said to be; `before` (G,) is without them."""
        asked = self.states[self.asked]
        if outcome.status not in ("applied", "carried") or decision.verb not in (
            MOVE,
            MUST,
            CANNOT,
        ):
            return outcome
        places = self._places(decision.region_ids, asked)
        labels = asked.labels[places]
        is_so = {
            MOVE: bool((labels == before[places]).all()),
            MUST: len(set(labels.tolist())) == 1,
            CANNOT: len(set(labels.tolist())) > 1 or labels[0] == constraints.NOISE,
        }[decision.verb]
        return outcome if is_so else replace(outcome, status="overruled", reason=_LINKED)


def _state(made: Clustering, places: NDArray[Any], n: int) -> _State:
    labels = np.full(n, ABSENT, np.int32)
    firmness = np.zeros(n, np.float32)
    labels[places], firmness[places] = made.labels, made.probabilities
    first_free = int(made.labels.max(initial=-1)) + 1
    return _State(made, places.astype(np.int64), labels, firmness, first_free)


def _merge(
    payload: Any, places: NDArray[np.int64], source: _State, target: _State
) -> tuple[str, str]:
    groups = [source.members(cluster) for cluster in payload["clusters"]]
    if source is target:
        if not all(group.any() for group in groups):
            return "lost", _GONE
        found: list[int | None] = list(payload["clusters"])
    else:
        homes = {constraints.home(group, target.labels) for group in groups}
        if len(homes) == 1 and None not in homes:
            return "fulfilled", ""
        found = [constraints.counterpart(g, source.there, target.labels) for g in groups]
    clusters = [cluster for cluster in found if cluster is not None]
    if len(clusters) < len(found):
        return "lost", _NO_CLUSTER
    target.labels[np.isin(target.labels, clusters)] = clusters[0]
    for cluster in clusters[1:]:
        if cluster in target.named:  # the first cluster's own name goes before the others'
            target.named.setdefault(clusters[0], target.named.pop(cluster))
    return ("applied" if source is target else "carried"), ""


def _split_off(
    places: NDArray[np.int64],
    rest: NDArray[np.bool_],
    cluster: int,
    source: _State,
    target: _State,
    number: int,
) -> tuple[str, str]:
    part = np.zeros(len(target.labels), bool)
    part[places] = True
    if source is not target:
        home = constraints.home(part, target.labels)
        if home is None:
            return "lost", _NO_CLUSTER
        if home != constraints.home(rest, target.labels):
            return "fulfilled", ""
        cluster = home
    leaving = part & (target.labels == cluster)
    if not leaving.any():
        return "lost", _GONE
    target.labels[leaving] = number
    return ("applied" if source is target else "carried"), ""


def _move(
    payload: Any, places: NDArray[np.int64], source: _State, target: _State
) -> tuple[str, str]:
    to: int | None = payload["cluster"]
    if to == constraints.NOISE:
        pass
    elif source is target:
        if not source.members(payload["cluster"]).any():
            return "lost", _GONE
    else:
        group = source.members(payload["cluster"])
        group[places] = False  # the cluster is told by its other members
        to = constraints.counterpart(group, source.there, target.labels)
    if to is None:
        return "lost", _NO_CLUSTER
    target.labels[places], target.firmness[places] = to, to != constraints.NOISE
    return ("applied" if source is target else "carried"), ""


def _clusters(
    labels: ClusterLabels, names: dict[int, Name], given: dict[int, str]
) -> tuple[Cluster, ...]:
    """The clusters by falling size, called as people decided, else as programs found."""
    held = {name.casefold() for name in given.values()}
    clusters = []
    for cluster in runs.clusters_of(labels):
        c = cluster.cluster
        if c in names:
            found = names[c]
            free = f"{found.name} ({c})" if found.name.casefold() in held else found.name
            cluster = replace(
                cluster,
                name=free,
                confidence=found.confidence,
                source=found.source,
                words=found.words,
            )
        if c in given:
            cluster = replace(cluster, name=given[c], confidence=1.0, source="person")
        clusters.append(cluster)
    return tuple(clusters)


def _outcome(decision: Decision, status: str, reason: str = "") -> Outcome:
    return Outcome(decision.decision, decision.verb, status, decisions.in_words(decision), reason)
