"""Naming the clusters of a collection: where names come from, and that they stay at home."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bilderatlas as ba
from bilderatlas.collection import Collection
from bilderatlas.collection import name as body
from bilderatlas.errors import LanguageModelError, RunNotFound
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.results import Clustering
from bilderatlas.storage import Store
from bilderatlas.storage.rows import Parts, RegionRow
from tests.assets import assets
from tests.language_model import answering, completion
from tests.pictures import plain, put, saved
from tests.toy_encoder import ToyEncoder

SIDES = range(8, 14)  # six pictures of each colour
GROUPS = {"red": "poppy", "blue": "sky, evening", "white": ""}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Red pictures are called poppies, blue ones skies, white ones nothing."""
    rows = ["path,caption"]
    for colour, caption in GROUPS.items():
        for side in SIDES:
            put(tmp_path / f"{colour}-{side}.png", plain(colour, side=side))
            rows.append(f'{colour}-{side}.png,"{caption}"')
    return put(tmp_path / "table.csv", "\n".join(rows).encode())


def collect(table: Path, encoder: ToyEncoder | None = None) -> Collection:
    store = Store.create(table.parent / "toy.atlas")
    atlas = Collection(store, encoder=encoder or ToyEncoder())
    atlas.index(table)
    return atlas


def named(made: Clustering) -> dict[str, str]:
    return {cluster.name: cluster.source for cluster in made.clusters}


def test_cluster_names_at_once_from_what_the_table_says(table: Path) -> None:
    made = collect(table).cluster("kmeans", k=3)
    names = named(made)
    assert names["poppy"] == names["sky evening"] == "column caption"
    assert sorted(names.values()) == ["column caption", "column caption", "number"]
    assert all(c.confidence == 1 for c in made.clusters if c.source == "column caption")


def test_names_are_kept_with_the_run(table: Path) -> None:
    atlas = collect(table)
    made = atlas.cluster("kmeans", k=3)
    again = ba.open(atlas.path).clustering(made.run)
    assert again.clusters == made.clusters


def test_an_encoder_that_reads_no_words_leaves_words_and_numbers_and_says_so(table: Path) -> None:
    made = collect(table, ToyEncoder(reads_text=False)).cluster("kmeans", k=3)
    assert "poppy" in named(made)
    assert "does not read words" in made.notes[0]


def give_parts(
    atlas: Collection,
    *parts: tuple[str, str, str | None, str | None],
    box: tuple[float, float, float, float] = (0, 0, 1, 1),
) -> None:
    """Regions as detectors would find them: the start of a file's name, kind, label, text."""
    rows = [
        RegionRow(f"{facts.image_id}-1", facts.image_id, kind, label, box, 1.0, text)
        for facts in atlas.all_images()
        for start, kind, label, text in parts
        if Path(facts.path).name.startswith(start)
    ]
    wholes, vectors = atlas.embeddings()
    places = [wholes.index(row.image_id) for row in rows]
    found = Parts(rows, ImageEmbeddings(vectors[places], None), "by hand")
    atlas._store.replace_parts("toy", [row.image_id for row in rows], found)


def test_words_that_were_read_in_pictures_name_them(table: Path) -> None:
    atlas = collect(table)
    give_parts(atlas, ("white", "text", None, "Regatta 1912"), ("red", "text", None, "Regatta"))
    names = named(atlas.cluster("kmeans", k=3))
    assert names["Regatta"] == "words"  # white: nothing else is known, and blue has none of it
    assert names["poppy"] == "column caption"  # all of them, and no other


def test_parts_are_named_by_what_a_detector_calls_them(table: Path) -> None:
    atlas = collect(table)
    give_parts(atlas, ("red", "animal", "fox", None), ("blue", "animal", "activation: whale", None))
    names = named(atlas.cluster("kmeans", k=2, kind="animal"))
    assert names == {"fox": "label", "whale": "label"}


def test_a_vocabulary_that_fits_names_clusters_and_is_embedded_once(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body.vocabulary, "words", lambda: ("red", "blue", "white"))
    table.write_text("path\n" + "\n".join(p.name for p in table.parent.glob("*.png")))
    atlas = collect(table)
    made = atlas.cluster("kmeans", k=3)
    assert named(made) == {"red": "vocabulary", "blue": "vocabulary", "white": "vocabulary"}
    (kept,) = atlas.path.glob("words-*.npy")
    before = kept.stat().st_mtime_ns
    assert named(atlas.name_clusters()) == named(made)
    assert kept.stat().st_mtime_ns == before


def test_naming_anew_leaves_the_names_that_people_gave(table: Path) -> None:
    atlas = collect(table)
    made = atlas.cluster("kmeans", k=3)
    poppies = next(c.cluster for c in made.clusters if c.name == "poppy")
    atlas.decide("name", poppies, "Anna's poppies")
    assert named(atlas.name_clusters(made.run))["Anna's poppies"] == "person"


def test_a_split_off_cluster_is_named_and_the_others_keep_their_names(table: Path) -> None:
    atlas = collect(table)
    made = atlas.cluster("kmeans", k=2)
    mixed = next(c.cluster for c in made.clusters if c.size == 2 * len(SIDES))
    parted = atlas.decide("split", mixed).clustering
    assert len(parted.clusters) == 3
    assert all(c.confidence > 0 or c.source == "number" for c in parted.clusters)
    assert len(named(parted)) == 3
    before = {c.cluster: c.name for c in made.clusters}
    assert all(before.get(c.cluster, c.name) == c.name for c in parted.clusters)


def test_a_run_that_is_not_there_cannot_be_named(table: Path) -> None:
    atlas = collect(table)
    with pytest.raises(RunNotFound, match="No clustering was made yet"):
        atlas.name_clusters()
    atlas.cluster("kmeans", k=3)
    with pytest.raises(RunNotFound, match="'kmeans-9'"):
        atlas.name_clusters("kmeans-9")


def test_a_language_model_names_clusters_where_it_is_asked_to(table: Path) -> None:
    atlas = collect(table)
    atlas.cluster("kmeans", k=3)
    with answering(completion("Colour fields")) as server:
        made = atlas.name_clusters(llm_url=server.url, llm_model="small")
    assert len(server.asked) == 3
    assert [c.source for c in made.clusters] == ["llm"] * 3
    assert sorted(c.name for c in made.clusters)[1].startswith("Colour fields, ")
    assert len(named(made)) == 3  # told apart by local words, or by their numbers
    assert made.notes == ()


def test_a_language_model_is_shown_the_parts_of_a_cluster_of_parts(tmp_path: Path) -> None:
    for side in (32, 48, 64):  # red, and blue on the right
        half = Image.new("RGB", (side, side), "red")
        half.paste("blue", (side // 2, 0, side, side))
        put(tmp_path / "pile" / f"half-{side}.png", saved(half, "PNG"))
    atlas = collect(tmp_path / "pile")
    give_parts(atlas, ("half", "animal", "whale", None), box=(0.5, 0, 1, 1))
    atlas.cluster("kmeans", k=1, kind="animal")
    with answering(completion("Whales")) as server:
        atlas.name_clusters(llm_url=server.url, llm_model="small")
    sent = server.asked[0]["messages"][0]["content"][1]["image_url"]["url"]
    sheet = Image.open(io.BytesIO(base64.b64decode(sent.partition(",")[2]))).convert("RGB")
    red, _, blue = np.moveaxis(np.asarray(sheet).astype(int), -1, 0)
    assert (blue - red > 150).any()
    assert not (red - blue > 100).any()


def test_a_language_model_is_sent_texts_where_they_were_asked_for(table: Path) -> None:
    atlas = collect(table)
    atlas.cluster("kmeans", k=3)
    with answering(completion("Flowers")) as server:
        made = atlas.name_clusters(llm_url=server.url, llm_model="small", llm_sends="texts")
    sent = [message["messages"][0]["content"][0]["text"] for message in server.asked]
    assert len(sent) == 2  # nothing is written of the white ones
    assert any("- poppy" in text for text in sent)
    assert any("nothing is written" in note for note in made.notes)


@pytest.mark.parametrize("body", [completion(""), b"<html>", completion("x" * 5000)])
def test_nonsense_of_a_language_model_leaves_the_local_names_and_is_said(
    table: Path, body: bytes
) -> None:
    atlas = collect(table)
    local = atlas.cluster("kmeans", k=3)
    with answering(body) as server:
        made = atlas.name_clusters(llm_url=server.url, llm_model="small")
    assert made.clusters == local.clusters
    assert len(made.notes) == 3
    assert any("keeps the name 'poppy'" in note for note in made.notes)


def test_a_language_model_that_is_silent_is_asked_no_more_after_three_times(
    tmp_path: Path,
) -> None:
    for number, colour in enumerate(["red", "green", "blue", "white", "black"]):
        for side in SIDES:
            put(tmp_path / "pile" / f"{number}-{side}.png", plain(colour, side=side))
    atlas = Collection(Store.create(tmp_path / "toy.atlas"), encoder=ToyEncoder())
    atlas.index(tmp_path / "pile")
    atlas.cluster("kmeans", k=5)
    with answering(b"", after_s=60) as server:
        made = atlas.name_clusters(llm_url=server.url, llm_model="small", llm_timeout_s=0.1)
    assert len(server.asked) == 3
    assert made.notes[-1] == "After 3 failures in a row small was not asked again."
    assert len(made.clusters) == 5


def test_half_an_address_is_no_language_model(table: Path) -> None:
    atlas = collect(table)
    atlas.cluster("kmeans", k=3)
    with pytest.raises(LanguageModelError, match="No model"):
        atlas.name_clusters(llm_url="http://127.0.0.1/v1")
    with pytest.raises(LanguageModelError, match="not the address of a language model"):
        atlas.name_clusters(llm_model="small")


CUT = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("something asked for the network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
sys.argv = ["bilderatlas", *sys.argv[1:]]
from bilderatlas.cli import main
main()
"""


def test_clusters_are_named_with_the_network_cut(tmp_path: Path) -> None:
    kinds = {"shoes": "sho", "pants": "pan"}
    pile = assets() / "data" / "clothing"
    for kind in kinds:
        for photograph in sorted((pile / kind).glob("*.jpg"))[:8]:
            put(tmp_path / "pile" / f"{kind}-{photograph.name}", photograph.read_bytes())
    atlas = str(tmp_path / "clothes")
    told = ""
    for arguments in (
        ["index", atlas, str(tmp_path / "pile"), "--encoder", "builtin"],
        ["cluster", atlas, "--method", "kmeans", "--k", "2"],
        ["name", atlas],
    ):
        done = subprocess.run(
            [sys.executable, "-c", CUT, *arguments], capture_output=True, text=True, env=os.environ
        )
        assert done.returncode == 0, done.stderr
        told = done.stdout
    assert "shoes" in told or "sneakers" in told
    assert "pants" in told or "jeans" in told
