"""Clusters as dense places, however dense: HDBSCAN, and EVoC. Owns fast_hdbscan and evoc."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bilderatlas.analysis.clustering.directions import Rows
from bilderatlas.errors import MissingExtra

LIBRARY = {"fast-hdbscan": "fast_hdbscan", "evoc": "evoc"}  # of the extra `fast`
N_EVOC = 20  # rows that EVoC needs to build its graph

DensityClusters = tuple[NDArray[np.integer], NDArray[np.float32]]  # labels and firmness (N,)


def is_installed(method: str) -> bool:
    """Whether the library of a method is there."""
    return method not in LIBRARY or find_spec(LIBRARY[method]) is not None


def check_installed(method: str) -> None:
    """Refuse a method whose library is not there, instead of doing another one's work."""
    if not is_installed(method):
        raise MissingExtra(
            f"Method {method!r} needs {LIBRARY[method]}, which is not installed. "
            "Install it with: pip install 'bilderatlas[fast]' (190 MB), or use hdbscan."
        )


def first_use(method: str) -> str | None:
    """What is to be said before the library of a method runs for the first time here."""
    if method not in LIBRARY or not is_installed(method) or _is_compiled(LIBRARY[method]):
        return None
    return (
        f"{LIBRARY[method]} is compiled for this machine before its first run; that takes a minute "
        "or two."
    )


def _is_compiled(library: str) -> bool:
    """Whether numba has kept machine code of a library where it keeps such."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        folders = [Path(chosen)]
    else:
        spec = find_spec(library)
        assert spec is not None, "it is installed"
        assert spec.origin is not None, "and a package"
        folders = [Path(spec.origin).parent, Path.home() / ".cache" / "numba"]
    return any(any(folder.rglob("*.nbi")) for folder in folders)


def hdbscan(rows: Rows, min_samples: int, min_cluster_size: int) -> DensityClusters:
    """Campello, Moulavi and Sander 2013, as scikit-learn has it: 2.5 s for 10,000 rows."""
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_samples=min_samples, min_cluster_size=min_cluster_size, n_jobs=-1, copy=True
    ).fit(rows)
    return model.labels_, model.probabilities_.astype(np.float32)


def fast_hdbscan(rows: Rows, min_samples: int, min_cluster_size: int) -> DensityClusters:
    """The same with a parallel spanning tree; it counts a row's neighbors without the row."""
    from fast_hdbscan import HDBSCAN

    model = HDBSCAN(
        min_samples=min_samples, min_cluster_size=min_cluster_size, reproducible=True
    ).fit(rows)
    return model.labels_, model.probabilities_.astype(np.float32)


def evoc(rows: Rows, min_samples: int, min_cluster_size: int, seed: int) -> DensityClusters:
    """Embedding Vector Oriented Clustering (McInnes 2025, github.com/TutteInstitute/evoc).

    Of its layers, the one whose clusters persist longest.
    """
    from evoc import EVoC

    model: Any = EVoC(
        base_min_cluster_size=min_cluster_size, min_samples=min_samples, random_state=seed
    )
    labels = model.fit_predict(rows.astype(np.float32))
    return labels, np.asarray(model.membership_strengths_, np.float32)
