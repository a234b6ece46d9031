"""`project` and `project --into`: a map that is remembered, and grows without moving."""

from pathlib import Path

import numpy as np
import pytest

import bilderatlas
from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError, RunNotFound
from tests.pictures import collect, plain, put


def shades(folder: Path, numbers: range) -> Path:
    """Red pictures of falling brightness."""
    for n in numbers:
        put(folder / f"{n:03d}.png", plain(f"#{255 - 3 * n:02x}0000"))
    return folder


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    return collect(tmp_path, shades(tmp_path / "pile", range(12)))


def grown(atlas: Collection, tmp_path: Path) -> Collection:
    """Four pictures more, two less, in a process that knows nothing of the first map's making."""
    for n in (0, 1):
        (tmp_path / "pile" / f"{n:03d}.png").unlink()
    atlas.index(shades(tmp_path / "pile", range(12, 16)), prune=True)
    again = bilderatlas.open(atlas.path)
    again._encoder = atlas._encoder
    return again


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_map_grows_and_its_points_stay(atlas: Collection, tmp_path: Path, method: str) -> None:
    first = atlas.project(method, dims=3, seed=4)
    atlas = grown(atlas, tmp_path)
    second = atlas.project(into=first.run)
    before = dict(zip(first.region_ids, first.coordinates.tolist(), strict=True))
    after = dict(zip(second.region_ids, second.coordinates.tolist(), strict=True))
    stayed = before.keys() & after.keys()
    assert len(stayed) == 10
    assert all(before[region] == after[region] for region in stayed)
    assert set(after) == set(atlas.embeddings()[0])
    assert np.isfinite(second.coordinates).all()
    assert second.run == f"{method}-2"
    assert second.about.parameters["into"] == first.run
    assert second.about.seed == 4


def test_a_grown_map_can_grow_again(atlas: Collection, tmp_path: Path) -> None:
    atlas.project("pca")
    grown(atlas, tmp_path).project(into="pca-1")
    atlas.index(shades(tmp_path / "pile", range(16, 20)))
    last = atlas.project(into="pca-2")
    assert len(last.region_ids) == 18
    assert last.about.parameters["into"] == "pca-2"


def test_nothing_new_gives_the_same_points(atlas: Collection) -> None:
    first = atlas.project("pca")
    assert np.array_equal(atlas.project(into="pca-1").coordinates, first.coordinates)


def test_other_options_do_not_go_with_into(atlas: Collection) -> None:
    atlas.project("pca")
    with pytest.raises(QueryError, match="dims, seed: a map that is added to keeps its own"):
        atlas.project(into="pca-1", dims=3, seed=1)


def test_a_map_that_is_not_there_cannot_be_added_to(atlas: Collection) -> None:
    atlas.project("pca")
    with pytest.raises(RunNotFound, match="no projection 'tsne-9'; there are: pca-1"):
        atlas.project(into="tsne-9")


@pytest.mark.parametrize(
    ("method", "option"),
    [("pca", {"perplexity": 5}), ("tsne", {"n_neighbors": 5}), (None, {"min_dist": 0.5})],
)
def test_an_option_of_another_method_is_refused(
    atlas: Collection, method: str | None, option: dict[str, float]
) -> None:
    with pytest.raises(QueryError, match=f"{next(iter(option))} is for"):
        atlas.project(method, **option)  # type: ignore[arg-type]


def test_a_map_of_a_space_that_is_not_there_is_refused(atlas: Collection) -> None:
    from bilderatlas.storage import runs

    atlas.project("pca")
    about = runs.describe(
        atlas._store, "project", "pca", {"dims": 2, "unit": 1.0},
        seed=0, space="elsewhere", kind="image", n_regions=1,
    )  # fmt: skip
    runs.keep_projection(atlas._store, about, ["0" * 32], np.zeros((1, 2), np.float32))
    with pytest.raises(QueryError, match="no space 'elsewhere'"):
        atlas.project(into=about.run)


def test_a_run_says_how_its_map_was_made(atlas: Collection) -> None:
    made = atlas.project(perplexity=50)
    assert made.about.method == "tsne"
    assert made.about.parameters["perplexity"] == pytest.approx(11 / 3)  # a third of the others
    assert made.about.parameters["unit"] > 0
