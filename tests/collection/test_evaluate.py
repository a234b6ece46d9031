"""`evaluate` on coloured squares: four reds and a yellow in one folder, three blues in another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import LabelsError, QueryError, RunNotFound
from bilderatlas.storage import Store
from tests.pictures import collect, plain, put
from tests.toy_encoder import ToyEncoder

COLOURS = ["red", "red", "red", "red", "yellow", "blue", "blue", "blue"]
WARM, COLD = 5, 3


def fill(folder: Path, colours: Sequence[str] = COLOURS) -> Path:
    """Each picture of another size, so that it is an image of its own."""
    for n, colour in enumerate(colours):
        name = "cold" if colour == "blue" else "warm"
        put(folder / name / f"{n}-{colour}.png", plain(colour, side=16 + n))
    return folder


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("evaluating")
    fill(folder / "pile")
    rows = [f"{f},{f.stem.split('-')[1]}\n" for f in sorted((folder / "pile").glob("*/*"))]
    put(folder / "pile" / "all.csv", ("path,colour\n" + "".join(rows)).encode())
    made = collect(folder, folder / "pile" / "all.csv")
    made.cluster("kmeans", k=3)  # reds, yellow, blues
    made.cluster("dbscan", eps=0.1)  # reds, blues; the yellow is noise
    return made


def test_three_clusters_of_two_classes(atlas: Collection) -> None:
    made = atlas.evaluate("folders", runs=["kmeans-1"])
    assert made.labels.classes == {"warm": WARM, "cold": COLD}
    (run,) = made.runs
    assert (run.agreement.purity, run.agreement.n_clusters) == (1, 3)
    assert run.agreement.accuracy == pytest.approx(7 / 8)  # the yellow is a group too many
    assert run.agreement.pair_recall == pytest.approx((6 + 3) / (10 + 3))
    assert {(c.size, c.label, c.n_right) for c in run.clusters} == {
        (4, "warm", 4), (3, "cold", 3), (1, None, 0),
    }  # fmt: skip


def test_the_newest_run_is_judged_unless_others_are_named(atlas: Collection) -> None:
    newest = atlas.evaluate("folders")
    assert [run.about.run for run in newest.runs] == ["dbscan-1"]
    assert newest.runs[0].agreement.n_noise == 1
    assert newest.runs[0].clustered_only is not None
    assert newest.runs[0].clustered_only.ari == 1
    both = atlas.evaluate("folders", runs=["dbscan-1", "kmeans-1"])
    assert [run.about.run for run in both.runs] == ["dbscan-1", "kmeans-1"]


def test_runs_stand_side_by_side_under_the_names_of_the_classes(atlas: Collection) -> None:
    table = atlas.evaluate("folders", runs=["kmeans-1", "dbscan-1"]).to_pandas()
    columns = ["path", "image_id", "region_id", "label", "kmeans-1", "dbscan-1"]
    assert list(table) == [*columns, "place_id", "colour"]
    by_colour = {Path(row.path).stem[2:]: tuple(row[3:6]) for _, row in table.iterrows()}
    assert by_colour == {
        "red": ("warm", "warm", "warm"),
        "yellow": ("warm", "extra 1", "noise"),
        "blue": ("cold", "cold", "cold"),
    }


def test_likeness_is_that_of_the_colours(atlas: Collection) -> None:
    similarity = atlas.evaluate("folders").similarity
    place = {name: i for i, name in enumerate(similarity.classes)}
    half = float(np.sqrt(0.5))  # red and yellow
    matrix = similarity.matrix
    assert matrix[place["warm"], place["warm"]] == pytest.approx((6 + 4 * half) / 10, abs=1e-5)
    assert matrix[place["cold"], place["cold"]] == pytest.approx(1, abs=1e-5)
    assert matrix[place["warm"], place["cold"]] == pytest.approx(0, abs=1e-5)
    assert similarity.separation is not None
    assert similarity.separation.threshold == pytest.approx(half / 2, abs=1e-5)
    assert similarity.separation.auc == 1


def test_the_grid_is_the_one_that_was_asked_for(atlas: Collection) -> None:
    grid = atlas.evaluate("folders", eps=[0.1, 0.5], min_samples=[2]).dbscan
    assert [(s.eps, s.agreement.n_clusters, s.agreement.n_noise) for s in grid.settings] == [
        (0.1, 2, 1), (0.5, 2, 0),
    ]  # fmt: skip
    assert (grid.best.eps, grid.best.agreement.ari) == (0.5, 1)


def test_a_table_of_labels_may_differ_from_the_folders(atlas: Collection, tmp_path: Path) -> None:
    made = atlas.evaluate("column:colour", runs=["kmeans-1"])
    assert made.labels.classes == {"red": 4, "blue": 3, "yellow": 1}
    assert made.runs[0].agreement.ari == 1
    put(tmp_path / "some.csv", b"path,label,kind\n0-red.png,a,x\n5-blue.png,b,y\nno.png,b,y\n")
    made = atlas.evaluate(tmp_path / "some.csv", runs=["kmeans-1"])
    assert (made.labels.n_labelled, made.labels.n_unlabelled, made.labels.n_unknown) == (2, 6, 1)
    assert "1 names" in made.labels.warnings[0]
    assert made.runs[0].agreement.n_rows == 2
    other = atlas.evaluate(tmp_path / "some.csv", label_column="kind", image_column="path")
    assert set(other.labels.classes) == {"x", "y"}


def test_captions_find_their_pictures(atlas: Collection) -> None:
    made = atlas.evaluate("folders", captions="colour")
    assert made.captions is not None
    retrieval, gap = made.captions.retrieval, made.captions.gap
    assert (retrieval.n_queries, retrieval.n_images) == (3, 8)  # red, yellow, blue
    assert (retrieval.recall_at[1], retrieval.mean_average_precision) == (1, 1)
    assert gap is not None
    assert gap.gap == pytest.approx(0, abs=1e-6)  # words lie exactly on their colours
    assert gap.text_to_image_own == pytest.approx(1)
    assert len(made.captions.shown_texts) == len(made.captions.shown_images) == 8
    assert atlas.evaluate("folders").captions is None


def test_captions_are_no_expressions(tmp_path: Path) -> None:
    """As lists and dialogues have them: what begins with a dash, or holds one, or a file's name."""
    captions = {
        "red": "- red",
        "blue": "blue - red",
        "green": '"green" + a.jpg',
        "yellow": "+ yellow",
    }
    rows = [f"{put(tmp_path / f'{c}.png', plain(c))}\t{t}\t{c}\n" for c, t in captions.items()]
    put(tmp_path / "all.tsv", ("path\tcaption\tlabel\n" + "".join(rows)).encode())
    made = collect(tmp_path, tmp_path / "all.tsv").evaluate("column:label", captions="caption")
    assert made.captions is not None
    assert made.captions.n_captions == 4


def test_the_seed_decides_which_captions_are_shown(atlas: Collection) -> None:
    shown = [
        made.captions.shown_images
        for made in (atlas.evaluate("folders", captions="colour", seed=seed) for seed in (0, 0, 1))
        if made.captions
    ]
    assert shown[0] == shown[1] != shown[2]


def test_images_that_came_later_are_not_in_the_run(tmp_path: Path) -> None:
    fill(tmp_path / "pile")
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.cluster("kmeans", k=2)
    put(tmp_path / "pile" / "cold" / "later.png", plain("blue", side=40))
    atlas.index(tmp_path / "pile")
    made = atlas.evaluate("folders")
    assert made.labels.n_labelled == 9
    assert made.runs[0].agreement.n_rows == 8
    found = dict(zip(made.side_by_side.paths, made.side_by_side.predicted["kmeans-1"], strict=True))
    assert found[str(tmp_path / "pile" / "cold" / "later.png")] is None


def test_without_a_clustering_the_space_is_judged(tmp_path: Path) -> None:
    made = collect(tmp_path, fill(tmp_path / "pile")).evaluate("folders")
    assert made.runs == ()
    assert made.similarity.separation is not None
    assert "bilderatlas cluster toy" in made.to_html()


def test_json_has_every_figure_and_no_nan(atlas: Collection) -> None:
    made = atlas.evaluate("column:colour", runs=["kmeans-1"], captions="colour").to_dict()
    document = json.loads(json.dumps(made, allow_nan=False))  # one yellow has no likeness within
    assert set(document) == {
        "collection", "encoder", "kind", "labels", "runs", "similarity", "dbscan", "modality",
        "retrieval",
    }  # fmt: skip
    assert document["runs"][0]["ari"] == 1
    assert document["labels"]["classes"][0] == {"label": "red", "n": 4}
    assert document["dbscan"]["best"]["ari"] == 1
    assert document["retrieval"]["recall_at"]["1"] == 1
    assert None in [value for row in document["similarity"]["matrix"] for value in row]


def test_another_space_may_be_judged(tmp_path: Path) -> None:
    rows = [f"{n},{n // 3},{'a cat' if n < 3 else 'a galaxy'}" for n in range(6)]
    for n in range(6):
        put(tmp_path / f"{n}", plain("red", side=16 + n))
    table = put(tmp_path / "all.csv", "\n".join(["path,kind,title", *rows]).encode())
    atlas = collect(tmp_path, table, column="path")
    atlas.cluster("kmeans", k=1)
    atlas.reindex(text_column="title", encoder="builtin-text")
    pictures = atlas.evaluate("column:kind")
    texts = atlas.evaluate("column:kind", space="title-builtin-text")
    assert (pictures.encoder, texts.encoder) == ("toy", "builtin-text")
    assert [len(pictures.runs), len(texts.runs)] == [1, 0]  # the newest of the space
    assert texts.similarity.separation is not None
    assert texts.similarity.separation.auc == 1  # the pictures are all alike, the titles are not
    assert pictures.similarity.separation is not None
    assert pictures.similarity.separation.auc == 0.5


# -- refusals


def test_a_run_that_is_not_there_is_refused(atlas: Collection) -> None:
    with pytest.raises(RunNotFound, match="There is no clustering 'x'"):
        atlas.evaluate("folders", runs=["x"])


def test_runs_over_different_regions_are_not_compared(atlas: Collection, tmp_path: Path) -> None:
    store = Store.open(atlas.path)
    from bilderatlas.storage import runs

    about = runs.describe(
        store, "cluster", "kmeans", {"k": 1}, seed=0, space="toy", kind="text", n_regions=1
    )
    fresh = collect(tmp_path, fill(tmp_path / "pile"))
    first = fresh.cluster("kmeans", k=2)
    ids, labels = list(first.region_ids), first.labels
    runs.keep_clustering(fresh._store, about, ids, labels, first.probabilities)
    with pytest.raises(QueryError, match="kmeans-2 of text, kmeans-1 of image"):
        fresh.evaluate("folders", runs=["kmeans-2", "kmeans-1"])


def test_labels_of_other_images_than_the_run_has_are_refused(tmp_path: Path) -> None:
    fill(tmp_path / "pile", COLOURS[:4])
    atlas = collect(tmp_path, tmp_path / "pile")
    atlas.cluster("kmeans", k=1)
    put(tmp_path / "pile" / "a" / "1.png", plain("blue", side=30))
    put(tmp_path / "pile" / "b" / "2.png", plain("blue", side=31))
    atlas.index(tmp_path / "pile")
    put(tmp_path / "t.csv", b"path,label\na/1.png,x\nb/2.png,y\n")
    with pytest.raises(QueryError, match="'kmeans-1' holds none of the 2 labelled"):
        atlas.evaluate(tmp_path / "t.csv")


def test_captions_need_an_encoder_that_reads(tmp_path: Path) -> None:
    atlas = Collection(Store.create(tmp_path / "t.atlas"), encoder=ToyEncoder(reads_text=False))
    atlas.index(fill(tmp_path / "pile"))
    with pytest.raises(QueryError, match="does not read words"):
        atlas.evaluate("folders", captions="colour")


def test_one_class_is_refused(tmp_path: Path) -> None:
    atlas = collect(tmp_path, fill(tmp_path / "pile", COLOURS[:3]))
    with pytest.raises(LabelsError, match="All 3 images that the folders' names names are 'warm'"):
        atlas.evaluate("folders")
