"""Several spaces beside each other, from the verbs of Python, the command line and REST."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import bilderatlas as ba
from bilderatlas import cli
from bilderatlas.errors import EncoderMismatch, QueryError
from bilderatlas.server import app
from tests.models.encoders.onnx_folders import write_image_only, write_two_towers
from tests.pictures import plain, put

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `bilderatlas ... --json`; the document that it prints."""

    def run(*arguments: str | Path) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["bilderatlas", *map(str, arguments), "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit):
            cli.main()
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return run


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_two_towers(tmp_path / "clip")


@pytest.fixture
def atlas(tmp_path: Path, clip: Path) -> ba.Collection:
    """Three pictures, each titled as another is coloured."""
    for colour in ("red", "green", "blue"):
        put(tmp_path / f"{colour}.png", plain(colour))
    table = put(tmp_path / "t.csv", b"path,title\nred.png,green\ngreen.png,blue\nblue.png,red\n")
    made = ba.create(tmp_path / "c")
    made.index(table, encoder=str(clip))
    return made


def first(hits: Any) -> str:
    return Path(hits[0].path).stem


def test_a_switch_is_seen_by_who_has_the_collection_open(
    atlas: ba.Collection, tmp_path: Path
) -> None:
    served = ba.open(atlas.path)
    assert first(served.search("red", k=1)) == "red"
    summary = atlas.reindex(encoder=str(write_image_only(tmp_path / "dino")))
    assert (summary.space, summary.n_embedded, summary.is_active) == ("dino", 3, True)
    with pytest.raises(QueryError, match=r"does not read words.*reindex c --encoder builtin"):
        served.search("red")
    assert first(served.search("red", k=1, space="clip")) == "red"
    back = served.reindex(encoder=str(tmp_path / "clip"))
    assert (back.n_embedded, back.n_kept) == (0, 3)
    assert first(atlas.search("red", k=1)) == "red"


def test_index_goes_on_with_the_active_space(atlas: ba.Collection, tmp_path: Path) -> None:
    atlas.reindex(encoder=str(write_image_only(tmp_path / "dino")))
    put(tmp_path / "more" / "white.png", plain("white"))
    assert atlas.index(tmp_path / "more").encoder == str(tmp_path / "dino")
    with pytest.raises(EncoderMismatch, match=r"holds embeddings.*/dino.*reindex c --encoder"):
        atlas.index(tmp_path / "more", encoder=str(tmp_path / "clip"))
    assert [each.n_missing for each in atlas.info().coverage] == [1, 0]


def test_an_unknown_space_is_refused_with_those_there_are(atlas: ba.Collection) -> None:
    for ask in (atlas.search, atlas.cluster, atlas.project):
        with pytest.raises(QueryError, match=r"no space 'nope'\. It has: clip\."):
            ask("red", space="nope")


def test_a_space_of_texts_is_asked_by_its_column_as_the_table_spells_it(
    run: Run, tmp_path: Path, clip: Path
) -> None:
    for colour in ("red", "blue"):
        put(tmp_path / f"{colour}.png", plain(colour))
    table = put(tmp_path / "t.csv", "path,Größe (Caption)\nred.png,blue\nblue.png,red\n".encode())
    atlas = ba.create(tmp_path / "c")
    atlas.index(table, encoder=str(clip))
    made = atlas.reindex(text_column="Größe (Caption)", encoder=str(clip))
    for name in ("Größe (Caption)", "GRÖSSE (CAPTION)", made.space, made.space.upper()):
        found = run("search", atlas.path, "red", "-k", "1", "--space", name)
        assert Path(found["results"][0]["path"]).stem == "blue", name
    again = atlas.reindex(text_column="Größe (Caption)", encoder="builtin-text")
    with pytest.raises(QueryError, match=f"several spaces: {made.space}, {again.space}. Name one"):
        atlas.search("red", space="Größe (Caption)")
    assert first(atlas.search("red", k=1, space=again.space)) == "blue"


def test_an_encoder_of_texts_makes_no_space_of_pictures(atlas: ba.Collection) -> None:
    with pytest.raises(EncoderMismatch, match=r"reads texts only.*--text-column NAME"):
        atlas.reindex(encoder="builtin-text")


def test_an_encoder_of_pictures_makes_no_space_of_texts(
    atlas: ba.Collection, tmp_path: Path
) -> None:
    with pytest.raises(QueryError, match=r"does not read words\. Use an encoder of texts"):
        atlas.reindex(encoder=str(write_image_only(tmp_path / "dino")), text_column="title")


def test_texts_are_read_by_the_built_in_half_and_then_by_what_made_the_space(
    atlas: ba.Collection, clip: Path
) -> None:
    assert atlas.reindex(text_column="title").space == "title-builtin-text"
    assert atlas.reindex(text_column="title", encoder=str(clip)).space == "title-clip"
    assert atlas.reindex(text_column="title").space == "title-clip"
    assert first(atlas.search("green", space="title-builtin-text", k=1)) == "red"
    assert first(atlas.search("green", space="title-clip", k=1)) == "red"
    assert atlas.info().active_space == "clip"


def test_a_map_is_added_to_in_its_own_space(atlas: ba.Collection, tmp_path: Path) -> None:
    atlas.reindex(text_column="title")
    made = atlas.project("pca", space="title-builtin-text")
    assert atlas.project(into=made.run).about.space == "title-builtin-text"
    with pytest.raises(QueryError, match="one of space 'title-builtin-text', not of 'clip'"):
        atlas.project(into=made.run, space="clip")


def test_an_empty_collection_has_nothing_to_embed(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="'empty' is empty"):
        ba.create(tmp_path / "empty").reindex(encoder="builtin")


def test_the_command_line_makes_and_asks_spaces(run: Run, atlas: ba.Collection) -> None:
    made = run("reindex", atlas.path, "--text-column", "title")
    assert (made["space"], made["field"], made["n_embedded"]) == ("title-builtin-text", "title", 3)
    spaces = run("info", atlas.path)["spaces"]
    assert [(one["space"], one["field"], one["n_regions"], one["n_missing"]) for one in spaces] == [
        ("clip", None, 3, 0),
        ("title-builtin-text", "title", 3, 0),
    ]
    asked = ("--space", "title-builtin-text")
    found = run("search", atlas.path, "green", "-k", "1", *asked)["results"]
    assert Path(found[0]["path"]).stem == "red"
    assert len(run("similar", atlas.path, found[0]["image_id"], *asked)["results"]) == 2
    assert run("cluster", atlas.path, "--method", "kmeans", "-k", "2", *asked)["n_clusters"] == 2
    assert run("project", atlas.path, "--method", "pca", *asked)["dims"] == 2
    assert "titel" in run("reindex", atlas.path, "--text-column", "titel")["error"]["message"]


def test_a_person_is_told_what_a_space_lacks(
    atlas: ba.Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from typer.testing import CliRunner

    (tmp_path / "red.png").unlink()
    dino = write_image_only(tmp_path / "dino")
    told = CliRunner().invoke(cli.app, ["reindex", str(atlas.path), "--encoder", str(dino)]).stdout
    assert "Space dino: 2 regions embedded" in told
    assert "1 pictures could not be read again" in told
    assert "It is the active space now." in told
    told = CliRunner().invoke(cli.app, ["info", str(atlas.path)]).stdout
    assert "dino (active): 2 regions" in told
    assert f"lacks 1: reindex --encoder {dino}" in told


def test_rest_asks_spaces(atlas: ba.Collection) -> None:
    atlas.reindex(text_column="title")
    space = "title-builtin-text"
    with TestClient(app.create(atlas), base_url="http://127.0.0.1") as client:
        info = client.get("/api/v1/info").json()
        assert [one["field"] for one in info["spaces"]] == [None, "title"]
        body = {"query": "green", "k": 1, "space": space}
        (hit,) = client.post("/api/v1/search", json=body).json()["results"]
        assert Path(hit["path"]).stem == "red"
        near = client.get(f"/api/v1/images/{hit['image_id']}/similar", params={"space": space})
        assert len(near.json()["results"]) == 2
        refused = client.post("/api/v1/search", json=body | {"space": "nope"})
        assert (refused.status_code, refused.json()["kind"]) == (400, "QueryError")
