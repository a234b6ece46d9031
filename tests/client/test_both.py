"""A collection answers the same where it lies and over HTTP."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bilderatlas
from bilderatlas import cli
from bilderatlas.client.protocol import Atlas
from bilderatlas.collection import Collection
from bilderatlas.errors import (
    BilderatlasError,
    DecisionError,
    ImageNotFound,
    ImageProblem,
    KeyNeeded,
    LabelsError,
    NotAllowed,
    NotOverHttp,
    QueryError,
    RunNotFound,
    ServerError,
)
from tests.pictures import plain, put
from tests.server.auth.keyed import ACCESS, VIEWER
from tests.server.coloured import make_collection, paint
from tests.web.visiting import served


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_collection(tmp_path_factory.mktemp("both"))


@pytest.fixture(scope="module")
def address(here: Collection) -> Iterator[str]:
    with served(here) as address:
        yield address


@pytest.fixture(scope="module")
def there(address: str) -> Atlas:
    return bilderatlas.open(address)


def told(result: Any) -> Any:
    """A result with all that it holds, to be compared."""
    if isinstance(result, np.ndarray):
        return result.dtype.name, result.tolist()
    if isinstance(result, Image.Image):
        return result.mode, result.size
    if is_dataclass(result) and not isinstance(result, type):
        return type(result).__name__, {
            f.name: told(getattr(result, f.name)) for f in fields(result) if f.compare
        }
    if isinstance(result, (list, tuple)):
        return type(result).__name__, [told(item) for item in result]
    return result


def first_id(atlas: Atlas) -> str:
    return atlas.browse(n=1)[0].image_id


def png(colour: str) -> bytes:
    buffer = io.BytesIO()
    paint(colour, 99).save(buffer, "PNG")
    return buffer.getvalue()


def exported(atlas: Atlas, table: str) -> bytes:
    buffer = io.BytesIO()
    atlas.export(buffer, table=table, format="csv")
    return buffer.getvalue()


EXAMPLES: dict[str, Callable[[Atlas], Any]] = {
    "name": lambda atlas: atlas.name,
    "words": lambda atlas: atlas.search("red", k=9),
    "an expression": lambda atlas: atlas.search(f"2:red + image:{first_id(atlas)} - blue"),
    "options": lambda atlas: atlas.search(
        "red", k=50, threshold=0.1, kinds=["image"], without=["text"], weights={"image": 2.0},
        aggregate="mean", where="year > 1951", space="toy",
    ),
    "no hit": lambda atlas: atlas.search("red", threshold=1.0),
    "a picture": lambda atlas: atlas.search(image=png("green"), k=5, weights={"image": 0.5}),
    "words and a picture": lambda atlas: atlas.search("red", image=png("blue"), k=9),
    "a decoded picture": lambda atlas: sorted(
        hit.path for hit in atlas.search(image=paint("blue", 98), k=8)
    ),
    "a contact sheet": lambda atlas: atlas.search("red", k=2).to_png(),
    "similar by id": lambda atlas: atlas.similar(first_id(atlas), k=5),
    "similar by path": lambda atlas: atlas.similar(atlas.browse(n=9)[8].path, radius=0.5),
    "similar, drawn": lambda atlas: atlas.similar(first_id(atlas), k=1).to_png(),
    "runs": lambda atlas: atlas.runs(),
    "runs of a verb": lambda atlas: atlas.runs("project"),
    "the newest clustering": lambda atlas: atlas.clustering(),
    "a clustering": lambda atlas: atlas.clustering("kmeans-1"),
    "the shape of clusters": lambda atlas: atlas.cluster_shapes(),
    "a map": lambda atlas: atlas.projection("pca-1"),
    "a map in space": lambda atlas: atlas.projection(dims=3),
    "a comparison": lambda atlas: atlas.compare("kmeans-1", "kmeans-1"),
    "decisions": lambda atlas: atlas.decisions(with_undone=True),
    "duplicates": lambda atlas: atlas.duplicates(max_bits=3, min_cosine=0.9999, min_likeness=0.3),
    "labels": lambda atlas: atlas.labels(),
    "a list": lambda atlas: atlas.browse("newest", n=5, where="year > 1951", kinds=["image"]),
    "a list goes on": lambda atlas: atlas.browse(n=3, after=atlas.browse(n=3).next),
    "a sample": lambda atlas: atlas.sample(7, seed=3),
    "an image": lambda atlas: atlas.image(first_id(atlas)),
    "images by name": lambda atlas: atlas.images([image.path for image in atlas.sample(3)]),
    "all images": lambda atlas: list(atlas.all_images()),
    "a thumbnail": lambda atlas: atlas.thumbnail(first_id(atlas)),
    "a picture in full": lambda atlas: atlas.picture(first_id(atlas)),
    "a crop": lambda atlas: atlas.crop(first_id(atlas), side=50),
    "embeddings": lambda atlas: atlas.embeddings(),
    "embeddings of a kind": lambda atlas: atlas.embeddings("all", space="toy"),
    "images as a table": lambda atlas: exported(atlas, "images"),
    "clusters as a table": lambda atlas: exported(atlas, "clusters"),
    "labels as a table": lambda atlas: exported(atlas, "labels"),
    "coordinates as a table": lambda atlas: exported(atlas, "coordinates"),
    "problems": lambda atlas: atlas.problems().to_dict(),
    "what was passed over": lambda atlas: atlas.problems("other").to_dict(),
    "everything that was skipped": lambda atlas: atlas.problems("all").to_dict(),
    "what is inside": lambda atlas: atlas.info(),
    "kinds": lambda atlas: atlas.kinds(),
}  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_same_is_answered_here_and_there(here: Collection, there: Atlas, example: str) -> None:
    ask = EXAMPLES[example]
    assert told(ask(there)) == told(ask(here))


REFUSED: dict[str, tuple[type[BilderatlasError], Callable[[Atlas], Any]]] = {
    "an empty query": (QueryError, lambda atlas: atlas.search("  ")),
    "nothing asked": (QueryError, lambda atlas: atlas.search()),
    "a condition": (QueryError, lambda atlas: atlas.search("red", where="colour = 1")),
    "a picture": (ImageProblem, lambda atlas: atlas.search(image=b"this is no picture at all")),
    "an image": (ImageNotFound, lambda atlas: atlas.image("nothing/here.png")),
    "its neighbors": (ImageNotFound, lambda atlas: atlas.similar("../../etc/passwd")),
    "a thumbnail": (ImageNotFound, lambda atlas: atlas.thumbnail("0" * 32)),
    "a run": (RunNotFound, lambda atlas: atlas.clustering("kmeans-9")),
    "a decision": (DecisionError, lambda atlas: atlas.decide("merge", 1, 1)),
    "a label": (LabelsError, lambda atlas: atlas.label([first_id(atlas)], "  ")),
    "a cursor": (QueryError, lambda atlas: atlas.browse(after="nonsense")),
    "a table": (QueryError, lambda atlas: exported(atlas, "secrets")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_same_is_refused_here_and_there(here: Collection, there: Atlas, what: str) -> None:
    kind, ask = REFUSED[what]
    said = []
    for atlas in (here, there):
        with pytest.raises(BilderatlasError) as refusal:
            ask(atlas)
        assert type(refusal.value) is kind
        said.append(str(refusal.value))
    assert said[0] == said[1]


def test_deciding_and_labelling_there_is_seen_here(
    tmp_path: Path,
) -> None:
    here = make_collection(tmp_path)
    with served(here) as address:
        there = bilderatlas.open(address)
        made = there.decide("name", 0, "Poppies", who="Anna")
        assert told(made.clustering) == told(here.clustering())
        assert told(there.decisions()) == told(here.decisions())
        there.decide("undo", made.decision.decision)
        assert len(here.decisions()) == 0
        ids = [image.image_id for image in here.browse(n=3)]
        assert there.label(ids, "red things", who="Anna").n_regions == 3
        assert told(there.labels()) == told(here.labels())
        assert told(there.suggest_labels(n=2)) == told(here.suggest_labels(n=2))
        assert [i.image_id for i in there.browse(label="red things")] == ids
        assert there.unlabel(ids[:1], "red things").n_regions == 1
        assert told(there.not_duplicates(*ids[:2])) == told(here.decisions()[-1])


def test_a_key_is_given_or_asked_for(here: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(here, ACCESS) as address:
        with pytest.raises(KeyNeeded, match="asks for an API key"):
            bilderatlas.open(address).kinds()
        assert bilderatlas.open(address, api_key=VIEWER).kinds() == here.kinds()
        monkeypatch.setenv("BILDERATLAS_API_KEY", VIEWER)
        with pytest.raises(NotAllowed, match="viewer's"):
            bilderatlas.open(address).decide("undo", "none")


@pytest.mark.slow
@pytest.mark.model
def test_clusters_and_maps_are_made_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the built-in encoder, which the job's own process loads."""
    for colour in ("red", "green", "blue"):
        for side in (40, 50, 60):
            put(tmp_path / "pile" / f"{colour}-{side}.png", plain(colour, side=side))
    here = bilderatlas.create(tmp_path / "made.atlas")
    here.index(tmp_path / "pile", encoder="builtin")
    with served(here) as address:
        there = bilderatlas.open(address)
        assert told(there.cluster("kmeans", k=3)) == told(here.clustering("kmeans-1"))
        assert told(there.project("pca", dims=3)) == told(here.projection("pca-1"))
        assert told(there.name_clusters()) == told(here.clustering())
        with pytest.raises(QueryError, match="k is 1000, and there are 9 items"):
            there.cluster("kmeans", k=1000)
        assert run(monkeypatch, "project", address, "--method", "pca", "--json") == 0
        assert json.loads(capsys.readouterr().out)["run"] == "pca-2"


def test_what_cannot_go_over_http_says_so(there: Atlas) -> None:
    for verb in ("index", "reindex", "evaluate", "map_page"):
        with pytest.raises(
            NotOverHttp, match=f"'{verb}' works only on the machine that holds the collection"
        ):
            getattr(there, verb)
    with pytest.raises(QueryError, match="at most 1000 images"):
        there.similar(first_id(there), k=None, radius=1)


def test_where_nobody_serves_the_error_says_how(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="bilderatlas serve"):
        bilderatlas.open("http://127.0.0.1:9").info()


@pytest.mark.parametrize("address", ["http://", "http://a:b", "http://x/?q=1", "http://me:you@x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(QueryError, match="not the address of a server"):
        bilderatlas.open(address)


def as_json(document: dict[str, Any]) -> Any:
    return json.loads(json.dumps(document))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bilderatlas", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_commands_take_an_address(
    here: Collection,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "search", address, "red", "-k", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out) == as_json(here.search("red", k=2).to_dict())
    assert run(monkeypatch, "export", address, "--table", "clusters") == 0
    assert run(monkeypatch, "index", address, ".") == 1
    assert "only on the machine that holds the collection" in capsys.readouterr().err
