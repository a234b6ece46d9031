"""A row is a row: what people keep apart stays apart in every table that leaves."""

from __future__ import annotations

import csv
import io
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from bilderatlas.cli import search
from bilderatlas.collection import Collection
from bilderatlas.server import app
from bilderatlas.storage import place_rows
from bilderatlas.web.views import image as image_page
from tests.pictures import collect, plain, put

N_PAGES, N_DIFFERENT = 120, 107


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Four products: two of one file, a third with its copy under another name, and a blue one."""
    folder = tmp_path_factory.mktemp("shop")
    put(folder / "shoe.png", plain("red"))
    put(folder / "boot.png", plain("red"))
    put(folder / "hat.png", plain("blue"))
    products = "file,sku,title,price\nshoe.png,A1,left shoe,20\nshoe.png,A2,right shoe,21\n"
    products += "boot.png,B1,boot,60\nhat.png,C1,hat,9\n"
    put(folder / "products.csv", products.encode())
    made = collect(folder, folder / "products.csv", column="file", id_column="sku")
    made.cluster("kmeans", k=2)
    made.project("pca", dims=2)
    made.classify(prompts=["red", "blue"], top=1)
    made.label(["C1"], "warm")
    made.label(["A1"], "leather")  # a label belongs to the picture
    return made


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A hundred and twenty pages, the last thirteen of which repeat the first ones."""
    folder = tmp_path_factory.mktemp("pages")
    for n in range(N_PAGES):
        colour = "red" if n % 2 else "blue"
        content = plain(colour, side=16 + n % N_DIFFERENT)
        if n >= N_DIFFERENT:
            content = (folder / f"volume {(n - N_DIFFERENT) % 12 + 1}").joinpath(
                f"{n - N_DIFFERENT}.png"
            ).read_bytes()  # fmt: skip
        put(folder / f"volume {n % 12 + 1}" / f"{n}.png", content)
    made = collect(folder, folder)
    made.cluster("kmeans", k=2)
    made.project("pca", dims=3)
    return made


def exported(atlas: Collection, table: str, **how: Any) -> list[dict[str, str]]:
    output = io.BytesIO()
    atlas.export(output, table=table, format="csv", **how)
    return list(csv.DictReader(io.StringIO(output.getvalue().decode(), newline="")))


# -- tables


def test_products_that_share_a_picture_are_rows_of_their_own(shop: Collection) -> None:
    assert (shop.info().n_images, shop.info().n_places) == (2, 4)
    rows = exported(shop, "images")
    assert [(row["id"], row["title"], Path(row["path"]).name) for row in rows] == [
        ("B1", "boot", "boot.png"),
        ("C1", "hat", "hat.png"),
        ("A1", "left shoe", "shoe.png"),
        ("A2", "right shoe", "shoe.png"),
    ]
    assert len({row["image_id"] for row in rows}) == 2
    assert len({row["place_id"] for row in rows}) == 4
    red = [Path(path).name for path in json.loads(rows[0]["paths"])]
    assert red == ["boot.png", "shoe.png"]  # that a table names twice


@pytest.mark.parametrize("table", ["clusters", "coordinates", "classes"])
def test_every_table_has_a_row_for_each_place(shop: Collection, table: str) -> None:
    rows = exported(shop, table)
    assert sorted(row["id"] for row in rows) == ["A1", "A2", "B1", "C1"]
    place_of = {row["id"]: row["place_id"] for row in exported(shop, "images")}
    assert {row["id"]: row["place_id"] for row in rows} == place_of
    said = {"clusters": "cluster", "coordinates": "x", "classes": "label"}[table]
    by_id = {row["id"]: row[said] for row in rows}
    assert by_id["A1"] == by_id["A2"] == by_id["B1"] != by_id["C1"]


def test_labels_have_a_row_for_each_place_and_come_back_as_they_were(
    shop: Collection, tmp_path: Path
) -> None:
    rows = exported(shop, "labels")
    assert sorted((row["id"], row["label"]) for row in rows) == [
        ("A1", "leather"), ("A2", "leather"), ("B1", "leather"), ("C1", "warm"),
    ]  # fmt: skip
    shop.export(tmp_path / "labels.csv", table="labels")
    table = Path(shop.info().sources[0])
    again = collect(tmp_path, table, column="file", id_column="sku")
    assert again.import_labels(tmp_path / "labels.csv").n_new == 2
    assert again.region_labels() == shop.region_labels()


def test_a_selection_has_the_places_of_its_images(shop: Collection) -> None:
    kept = shop.keep_selection(["A1"])
    rows = exported(shop, "images", selection=kept)
    assert [row["id"] for row in rows] == ["B1", "A1", "A2"]


def test_what_is_exported_is_a_source_again_row_by_row(shop: Collection, tmp_path: Path) -> None:
    shop.export(tmp_path / "again.csv")
    again = collect(tmp_path, tmp_path / "again.csv", column="path")
    assert (again.info().n_images, again.info().n_places) == (2, 4)
    assert [row["title"] for row in exported(again, "images")] == [
        row["title"] for row in exported(shop, "images")
    ]


def test_results_show_every_product(shop: Collection) -> None:
    found = shop.search("red", k=1)
    (hit,) = found.to_dict()["results"]
    assert [place["metadata"]["title"] for place in hit["places"]] == [
        "boot", "left shoe", "right shoe",
    ]  # fmt: skip
    assert {Path(place["path"]).name for place in hit["places"]} == {"boot.png", "shoe.png"}
    with TestClient(app.create(shop), base_url="http://127.0.0.1") as client:
        said = client.get("/api/v1/search/table", params={"query": "red"})
        assert [row["id"] for row in csv.DictReader(io.StringIO(said.text))][:3] == [
            "B1", "A1", "A2",
        ]  # fmt: skip
        over_http = client.get("/api/v1/export", params={"table": "clusters"}).text
    assert list(csv.DictReader(io.StringIO(over_http))) == exported(shop, "clusters")


def test_a_result_says_how_many_places_it_stands_for(
    shop: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    search._show_hits(shop.search("red", k=2), None, as_json=False)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("boot.png and 2 more")
    assert second.endswith("hat.png")


@pytest.mark.parametrize("table", ["images", "clusters", "coordinates"])
def test_all_pages_are_in_every_table(pages: Collection, table: str) -> None:
    rows = exported(pages, table)
    assert len(rows) == len({row["path"] for row in rows}) == N_PAGES
    assert len({row["image_id"] for row in rows}) == N_DIFFERENT
    assert (pages.info().n_images, pages.info().n_places) == (N_DIFFERENT, N_PAGES)


@pytest.mark.skipif(find_spec("chromadb") is None, reason="pip install 'bilderatlas[chroma]'")
def test_chroma_has_every_product_with_its_own_metadata(shop: Collection, tmp_path: Path) -> None:
    import chromadb

    made = shop.to_chroma(tmp_path / "chroma", prefix="shop")
    assert (made.n_regions, made.n_rows) == (2, 4)
    kept = chromadb.PersistentClient(tmp_path / "chroma").get_collection(
        "shop-image", embedding_function=None
    )
    rows = kept.get(include=["metadatas", "embeddings"])
    assert {row["id"]: row["title"] for row in rows["metadatas"]} == {
        "A1": "left shoe", "A2": "right shoe", "B1": "boot", "C1": "hat",
    }  # fmt: skip
    id_of = {row["id"]: own for own, row in zip(rows["ids"], rows["metadatas"], strict=True)}
    (a1, b1) = (next(r for r in rows["metadatas"] if r["id"] == name) for name in ("A1", "B1"))
    assert id_of["B1"] == b1["region_id"]  # the first place
    assert id_of["A1"] == f"{a1['region_id']}@{a1['place_id']}"
    vector_of = dict(zip(rows["ids"], rows["embeddings"], strict=True))
    assert np.array_equal(vector_of[id_of["A1"]], vector_of[id_of["A2"]])


def test_a_file_that_a_table_names_twice_is_no_copy_of_itself(shop: Collection) -> None:
    (group,) = shop.duplicates()
    names = [Path(one.path).name for one in (group, *group.copies)]
    assert sorted(names) == ["boot.png", "shoe.png"]
    assert [Path(path).name for path in shop.image("A1").paths] == ["boot.png", "shoe.png"]


def test_the_page_of_a_picture_tells_of_each_of_its_products(shop: Collection) -> None:
    told = str(image_page._facts(shop.image("A1")))
    assert all(title in told for title in ("left shoe", "right shoe", "boot"))
    assert "hat" not in told


# -- evaluation


def test_pages_that_repeat_are_rows_of_their_own_beside_each_other(pages: Collection) -> None:
    made = pages.evaluate("folders")
    assert (made.labels.n_labelled, made.labels.n_images) == (N_PAGES, N_DIFFERENT)
    assert sum(made.labels.classes.values()) == made.runs[0].agreement.n_rows == N_PAGES
    assert list(made.labels.classes) == [f"volume {n}" for n in range(1, 13)]  # 2 before 10
    table = made.to_arrow().to_pylist()
    assert len(table) == len({row["place_id"] for row in table}) == N_PAGES
    labels = [row["label"] for row in table]
    assert labels == [f"volume {n}" for n in range(1, 13) for _ in range(10)]
    assert all(Path(row["path"]).parent.name == row["label"] for row in table)
    assert [Path(row["path"]).stem for row in table[:10]] == [str(n) for n in range(0, 120, 12)]
    assert f"<strong>{N_PAGES}</strong> images ({N_DIFFERENT} different pictures)" in made.to_html()


def test_labels_of_as_many_images_come_in_the_order_in_which_people_read(tmp_path: Path) -> None:
    for n in (1, 2, 10):
        put(tmp_path / "pile" / f"v {n}" / "1.png", plain("red", side=16 + n))
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.import_labels("folders")
    assert [each.label for each in atlas.labels()] == ["v 1", "v 2", "v 10"]


def test_a_picture_with_two_true_groups_is_a_row_in_each(tmp_path: Path) -> None:
    for group in ("a", "b"):
        put(tmp_path / "pile" / group / "same.png", plain("red"))
        for n in range(2):
            put(
                tmp_path / "pile" / group / f"{n}.png",
                plain("red", side=20 + n + 5 * (group > "a")),
            )
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.cluster("kmeans", k=1)
    made = atlas.evaluate("folders")
    assert made.labels.classes == {"a": 3, "b": 3}
    assert (made.labels.n_labelled, made.labels.n_images, made.labels.n_torn) == (6, 5, 1)
    assert made.labels.n_unlabelled == 0  # nothing is counted twice
    assert made.runs[0].agreement.n_rows == 6
    assert made.runs[0].agreement.purity == 0.5
    same = [row for row in made.to_arrow().to_pylist() if row["path"].endswith("same.png")]
    assert [row["label"] for row in same] == ["a", "b"]
    assert "have no label" not in made.to_html()


def test_products_are_judged_one_by_one(shop: Collection, tmp_path: Path) -> None:
    made = shop.evaluate("column:title")
    assert made.labels.classes == {"boot": 1, "hat": 1, "left shoe": 1, "right shoe": 1}
    table = put(tmp_path / "t.csv", b"id,label\nA1,x\nA2,y\nB1,y\n")
    made = shop.evaluate(table)
    assert (made.labels.n_labelled, made.labels.n_unlabelled, made.labels.n_images) == (3, 1, 1)
    assert [(row["id"], row["label"]) for row in made.to_arrow().to_pylist()] == [
        ("A1", "x"), ("B1", "y"), ("A2", "y"),
    ]  # fmt: skip


def test_dbscan_meets_each_picture_once(tmp_path: Path) -> None:
    """Three copies of one picture are no group of three that min_samples would find."""
    for n, colour in enumerate(("red", "red", "red", "blue")):
        put(tmp_path / "pile" / f"{colour} {n}" / "1.png", plain(colour))
    made = collect(tmp_path, tmp_path / "pile").evaluate("folders", eps=[0.1], min_samples=[2])
    (tried,) = made.dbscan.settings
    assert (tried.agreement.n_rows, tried.agreement.n_noise) == (4, 4)


# -- places


def made_of(*rows: tuple[str, str, str, str]) -> pa.Table:
    uris, sources, images, metadata = zip(*rows, strict=True)
    columns = {"uri": uris, "source": sources, "image_id": images, "metadata": metadata}
    return pa.table({**columns, "position": list(range(len(rows)))})


def test_a_folder_beside_the_table_that_tells_of_its_files_says_nothing_twice() -> None:
    table = made_of(
        ("/p/1.png", "/p", "a", "{}"),
        ("/p/1.png", "/p/t.csv", "a", '{"n": 1}'),
        ("/p/1.png#2", "/p/t.csv", "a", '{"n": 2}'),
        ("/p/2.png", "/p", "b", "{}"),
        ("/p/2.png", "/p/sub", "b", "{}"),
        ("/p/3.png", "/p/t.csv", "a", '{"n": 3}'),
        ("/p/3.png", "/p/u.csv", "a", '{"n": 4}'),
        ("/p/4.png", "/p", "a", "{}"),  # as it was before it changed
        ("/p/4.png", "/p/t.csv", "c", '{"n": 5}'),
    )
    rows = place_rows.rows(table)
    assert place_rows.count(table) == len(rows) == 7
    assert list(zip(rows["path"].to_pylist(), rows["metadata"].to_pylist(), strict=True)) == [
        ("/p/1.png", '{"n": 1}'),
        ("/p/1.png", '{"n": 2}'),
        ("/p/2.png", "{}"),
        ("/p/3.png", '{"n": 3}'),
        ("/p/3.png", '{"n": 4}'),
        ("/p/4.png", "{}"),
        ("/p/4.png", '{"n": 5}'),
    ]
    assert len(set(rows["place_id"].to_pylist())) == 7


def test_a_file_whose_name_ends_in_a_number_sign_keeps_it() -> None:
    rows = place_rows.rows(made_of(("/p/1.png", "/p", "a", "{}"), ("/p/1.png#2", "/p", "b", "{}")))
    assert rows["path"].to_pylist() == ["/p/1.png", "/p/1.png#2"]


def test_an_image_that_has_left_keeps_a_row_without_a_place() -> None:
    rows = place_rows.rows(made_of(("/p/1", "/p", "a", "{}"), ("/p/2", "/p", "a", "{}")))
    owner, row = place_rows.spread(pa.array(["x", "a", "x"]), rows)
    assert (owner.tolist(), row.to_pylist()) == ([0, 1, 1, 2], [None, 0, 1, None])
    nowhere = rows.slice(0, 0)
    assert place_rows.spread(pa.array(["x"]), nowhere)[1].to_pylist() == [None]
