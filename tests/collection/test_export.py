"""What a person takes along: tables that read back, contact sheets, and runs that are kept."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError, RunNotFound, StoreError
from tests.indexing.pile import draw
from tests.pictures import collect, plain, put


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six reds, six blues, and a name that CSV must quote."""
    folder = tmp_path_factory.mktemp("pile")
    for n in range(6):
        put(folder / f"red-{n}.png", plain("red", side=16 + n))
        put(folder / f"blue-{n}.png", plain("blue", side=16 + n))
    put(folder / 'a "quoted",\nbroken name 🚲.png', plain("lime"))
    return folder


@pytest.fixture(scope="module")
def atlas(pile: Path, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = collect(tmp_path_factory.mktemp("atlas"), pile)
    made.cluster("kmeans", k=3)
    made.project("pca", dims=2)
    made.project("pca", dims=3)
    return made


def rows(atlas: Collection, **how: Any) -> list[dict[str, str]]:
    output = io.BytesIO()
    atlas.export(output, format="csv", **how)
    return list(csv.DictReader(io.StringIO(output.getvalue().decode(), newline="")))


def test_images_are_one_row_each(atlas: Collection, pile: Path) -> None:
    written = rows(atlas)
    assert list(written[0]) == [
        "image_id", "path", "width", "height", "media_type", "taken_at", "paths", "place_id",
    ]  # fmt: skip
    assert {row["path"] for row in written} == {str(path) for path in pile.iterdir()}
    assert all(json.loads(row["paths"]) == [row["path"]] for row in written)


def test_clusters_say_who_belongs_together(atlas: Collection) -> None:
    written = rows(atlas, table="clusters")
    assert list(written[0]) == [
        "path", "image_id", "region_id", "cluster", "probability", "name", "place_id",
    ]  # fmt: skip
    clusters = {row["cluster"]: set() for row in written}
    for row in written:
        clusters[row["cluster"]].add(Path(row["path"]).name.partition("-")[0])
    assert len(written) == 13
    assert sorted(len(names) for names in clusters.values()) == [1, 1, 1]


def test_coordinates_are_those_of_the_projection(atlas: Collection) -> None:
    flat = rows(atlas, table="coordinates", run="pca-1")
    assert list(flat[0]) == ["path", "image_id", "region_id", "x", "y", "z", "place_id"]
    assert {row["z"] for row in flat} == {"0"}
    deep = rows(atlas, table="coordinates")
    projection = atlas.projection("pca-2")
    xyz = np.array([[float(row[axis]) for axis in "xyz"] for row in deep])
    assert [row["region_id"] for row in deep] == list(projection.region_ids)
    assert np.allclose(xyz, projection.coordinates)


@pytest.mark.parametrize("table", ["images", "clusters", "coordinates"])
def test_parquet_holds_what_csv_holds(atlas: Collection, tmp_path: Path, table: str) -> None:
    atlas.export(tmp_path / "deep" / "er" / "x.parquet", table=table)
    written = pq.read_table(tmp_path / "deep" / "er" / "x.parquet")
    assert written["image_id"].to_pylist() == [row["image_id"] for row in rows(atlas, table=table)]
    assert written.num_rows == 13


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_exported_is_a_source_again(atlas: Collection, tmp_path: Path, kind: str) -> None:
    atlas.export(tmp_path / f"t.{kind}")
    again = collect(tmp_path, tmp_path / f"t.{kind}", column="path", id_column="image_id")
    ids = {facts.image_id for facts in atlas.all_images()}
    assert {facts.image_id for facts in again.all_images()} == ids
    assert all(facts.metadata["id"] == facts.image_id for facts in again.all_images())


def test_metadata_becomes_columns_whatever_they_are_called(tmp_path: Path) -> None:
    draw(tmp_path / "1.png", 1)
    draw(tmp_path / "2.png", 2)
    table = pa.table(
        {
            "file": ["1.png", "2.png"],
            "path": ["not", "this"],
            "width": [7, 8],
            "tags": [["a"], ["b", "c"]],
            "huge": pa.array([2**64 - 1, 1], pa.uint64()),
            "mixed": [1, None],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    atlas = collect(tmp_path, tmp_path / "t.parquet", column="file")
    written = rows(atlas)
    assert [row["path"] for row in written] == [f"{tmp_path}/1.png", f"{tmp_path}/2.png"]
    assert [row["width"] for row in written] == ["24", "24"]
    assert [row["metadata_width"] for row in written] == ["7", "8"]
    assert [row["metadata_path"] for row in written] == ["not", "this"]
    assert [row["tags"] for row in written] == ['["a"]', '["b", "c"]']
    assert [row["huge"] for row in written] == [str(2**64 - 1), "1"]
    assert [row["mixed"] for row in written] == ["1", ""]
    assert len(atlas.search("red", where="metadata_width = 7")) == 1


def test_a_collection_of_problems_only_has_its_columns(tmp_path: Path) -> None:
    put(tmp_path / "pile" / "a.png", b"no picture at all")
    written = io.BytesIO()
    collect(tmp_path, tmp_path / "pile").export(written, format="csv")
    assert written.getvalue().startswith(b'"image_id","path","width"')


@pytest.mark.parametrize(
    ("name", "how", "reason"),
    [
        ("x.csv", {"table": "people"}, "There is no table 'people'; choose one of: images"),
        ("x.doc", {}, "Format '.doc' is not offered"),
        ("x.csv", {"format": "xml"}, "Use --format csv or --format parquet"),
    ],
)
def test_what_is_not_offered_is_refused_and_writes_nothing(
    atlas: Collection, tmp_path: Path, name: str, how: dict[str, str], reason: str
) -> None:
    with pytest.raises(QueryError, match=reason):
        atlas.export(tmp_path / name, **how)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_never_made_is_refused_with_those_that_were(atlas: Collection) -> None:
    with pytest.raises(RunNotFound, match="There is no clustering 'x'; there are: kmeans-1"):
        atlas.export(io.BytesIO(), table="clusters", format="csv", run="x")
    with pytest.raises(RunNotFound, match="no projection 'kmeans-1'; there are: pca-2, pca-1"):
        atlas.projection("kmeans-1")


def test_without_any_run_the_command_is_told(pile: Path, tmp_path: Path) -> None:
    with pytest.raises(RunNotFound, match="bilderatlas cluster COLLECTION"):
        collect(tmp_path, pile).clustering()


@pytest.mark.parametrize("name", ["folder", "file/x.csv"])
def test_a_place_that_cannot_be_written_is_told(
    atlas: Collection, tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    put(tmp_path / "file", b"")
    with pytest.raises(StoreError, match="cannot be written"):
        atlas.export(tmp_path / name, format="csv")
    with pytest.raises(StoreError, match="cannot be written"):
        atlas.contact_sheets(tmp_path / "file")


# -- contact sheets


def test_every_cluster_has_its_sheet(atlas: Collection, tmp_path: Path) -> None:
    written = atlas.contact_sheets(tmp_path / "sheets")
    assert [path.name[:3] for path in written] == [
        f"{cluster.cluster:03d}" for cluster in atlas.clustering().clusters
    ]
    with Image.open(written[0]) as sheet:
        assert sheet.format == "PNG"
        colours = {colour for _, colour in sheet.convert("RGB").getcolors(1 << 20) or ()}
    assert any(red > 200 and green < 60 and blue < 60 for red, green, blue in colours) or any(
        blue > 200 and red < 60 and green < 60 for red, green, blue in colours
    )


def test_noise_has_a_sheet_of_its_own(pile: Path, tmp_path: Path) -> None:
    atlas = collect(tmp_path, pile)
    atlas.cluster("dbscan", eps=0.1)
    names = sorted(path.name for path in atlas.contact_sheets(tmp_path / "sheets"))
    assert names == ["000-cluster-0.png", "001-cluster-1.png", "noise.png"]


def test_pictures_that_have_left_are_left_out(tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    for n in range(8):
        put(pile / f"{n}.png", plain("red" if n < 4 else "blue", side=16 + n))
    atlas = collect(tmp_path, pile)
    atlas.cluster("kmeans", k=2)
    for n in range(5):
        (pile / f"{n}.png").unlink()
    atlas.index(pile, prune=True)
    assert len(atlas.contact_sheets(tmp_path / "sheets")) == 1
    assert sorted(row["path"] for row in rows(atlas, table="clusters")) == [
        "", "", "", "", "", *(str(pile / f"{n}.png") for n in (5, 6, 7)),
    ]  # fmt: skip


# -- runs


def test_runs_are_numbered_and_the_newest_comes_first(atlas: Collection) -> None:
    assert [run.run for run in atlas.runs()] == ["pca-2", "pca-1", "kmeans-1"]
    assert [run.run for run in atlas.runs("cluster")] == ["kmeans-1"]
    assert atlas.projection(dims=2).run == "pca-1"


def test_a_run_reads_back_as_it_was_made(pile: Path, tmp_path: Path) -> None:
    atlas = collect(tmp_path, pile)
    made = atlas.cluster("kmeans", k=3, seed=7)
    read = Collection(atlas._store).clustering(made.run)
    assert read.about == made.about
    assert read.about.parameters == {"k": 3}
    assert read.about.seed == 7
    assert np.array_equal(read.labels, made.labels)
    assert read.region_ids == made.region_ids
    assert [cluster.size for cluster in read.clusters] == [6, 6, 1]
