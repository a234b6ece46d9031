"""Where clusters lie: three pairs of arrows in a plane."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.analysis.evaluation import shape

# Cluster 4: east and north, its centre between them. Cluster 7: twice west. Noise: south.
ARROWS = np.array([[1, 0], [0, 1], [-1, 0], [-1, 0], [0, -1]], dtype=np.float32)
LABELS = np.array([4, 4, 7, 7, -1], dtype=np.int32)
HALF = np.sqrt(0.5)


def test_a_centre_lies_in_the_middle_and_tightness_is_the_mean_cosine_to_it() -> None:
    found = shape(ARROWS, LABELS)
    assert found.clusters.tolist() == [4, 7]
    assert found.centres == pytest.approx(np.array([[HALF, HALF], [-1, 0]]))
    assert found.tightness == pytest.approx([HALF, 1])
    assert found.closeness == pytest.approx([HALF, HALF, 1, 1, 0])


def test_tightness_agrees_with_the_cosines_of_the_rows() -> None:
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(5000, 12)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = generator.integers(-1, 6, 5000).astype(np.int32)
    found = shape(rows, labels)
    for cluster, tightness in zip(found.clusters, found.tightness, strict=True):
        assert found.closeness[labels == cluster].mean() == pytest.approx(tightness, abs=1e-6)
    assert not found.closeness[labels == -1].any()


def test_the_nearest_clusters_come_by_their_centres() -> None:
    rows = np.array([[1, 0], [HALF, HALF], [0, 1], [-1, 0]], dtype=np.float32)
    places, cosines = shape(rows, np.arange(4, dtype=np.int32)).nearest(2)
    assert places.tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]
    assert cosines[0] == pytest.approx([HALF, 0])
    assert shape(rows, np.arange(4, dtype=np.int32)).nearest(9)[0].shape == (4, 3)


def test_noise_alone_has_no_clusters() -> None:
    found = shape(ARROWS, np.full(5, -1, np.int32))
    assert found.centres.shape == (0, 2)
    assert not found.closeness.any()
    assert found.nearest(3)[0].shape == (0, 0)
