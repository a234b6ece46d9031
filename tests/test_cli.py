"""The command line on a real store with the built-in encoder: answers, refusals, exit status."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bilderatlas
from bilderatlas import cli, results
from bilderatlas.cli import classify
from bilderatlas.cli.printing import shortened
from tests.assets import assets
from tests.pictures import plain, put

INDEX_KEYS = {
    "n_images", "n_new", "n_unchanged", "n_moved", "n_changed", "n_missing", "n_problems",
    "seconds", "images_per_s", "encoder", "device", "stages", "peak_memory_mib",
}  # fmt: skip
STAGES = ("read", "decode", "prepare", "embed", "write")
RESULT_KEYS = {"image_id", "path", "score", "relevance", "regions"}
REGION_KEYS = {"region_id", "kind", "label", "box", "score", "text"}


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; anything else there is a failure."""
        document = json.loads(self.stdout)
        assert isinstance(document, dict)
        return document


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `bilderatlas ...` in this process, through its own `main`."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["bilderatlas", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            status: Any = 0
        except SystemExit as ended:
            status = ended.code or 0
        streams = capsys.readouterr()
        return Done(status, streams.out, streams.err)

    return run


def in_a_process(*arguments: str | Path, **environment: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "bilderatlas", *map(str, arguments)],
        capture_output=True,
        env=os.environ | environment,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pile")
    photographs = sorted((assets() / "data" / "coco" / "images").glob("*.jpg"))[:8]
    for path in photographs:
        shutil.copy(path, folder)
    put(folder / "torn.jpg", photographs[0].read_bytes()[:2000])
    put(folder / "notes.txt", b"Dear diary, I took no picture.")
    return folder


@pytest.fixture(scope="module")
def indexed(pile: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A collection that a process of its own has made, clustered and projected."""
    path = tmp_path_factory.mktemp("atlas") / "holiday"
    done = in_a_process("index", path, pile, "--json", PYTHONWARNINGS="error")
    assert done.status == 0, done.stderr
    collection = bilderatlas.open(path)
    collection.cluster("kmeans", k=2)
    collection.project("pca")
    return path, done


@pytest.fixture(scope="module")
def atlas(indexed: tuple[Path, Done]) -> Path:
    return indexed[0]


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder with one picture."""
    put(tmp_path / "pics" / "red.png", plain("red"))
    return tmp_path


# -- every verb with --json


def test_index_counts(indexed: tuple[Path, Done]) -> None:
    facts = indexed[1].document
    assert facts.keys() >= INDEX_KEYS
    assert (facts["n_images"], facts["n_new"], facts["n_problems"]) == (8, 8, 1)
    assert (facts["n_other"], facts["encoder"], facts["device"]) == (1, "builtin", "cpu")


def test_index_again_embeds_nothing(run: Run, atlas: Path, pile: Path) -> None:
    facts = run("index", atlas, pile, "--json").document
    assert (facts["n_unchanged"], facts["n_new"], facts["n_problems"]) == (8, 0, 1)


def test_search_by_words(run: Run, atlas: Path) -> None:
    results = run("search", atlas, "giraffe", "-k", "3", "--json").document["results"]
    assert len(results) == 3
    assert all(result.keys() >= RESULT_KEYS for result in results)
    assert all(region.keys() >= REGION_KEYS for region in results[0]["regions"])
    assert results[0]["regions"][0]["box"] == [0, 0, 1, 1]
    assert results[0]["path"].endswith("000000000025.jpg")  # two giraffes
    assert [r["score"] for r in results] == sorted((r["score"] for r in results), reverse=True)


def test_search_says_how_many_answer_and_that_none_does(run: Run, atlas: Path) -> None:
    found = run("search", atlas, "kitchen", "-k", "3", "--json").document
    assert found.keys() >= {"n_likely", "n_doubtful", "n_background", "cut_off", "verdict"}
    n_images = run("info", atlas, "--json").document["n_images"]
    assert (found["n_likely"], found["n_doubtful"], found["n_background"]) == (1, 0, n_images - 1)
    assert found["verdict"] == "1 likely, 0 doubtful"
    none = run("search", atlas, "microscope")
    assert none.stderr.endswith("Nothing here matches.\n")
    assert len(none.stdout.splitlines()) == min(12, n_images)


def test_search_by_picture(run: Run, atlas: Path, pile: Path) -> None:
    path = min(pile.glob("0*.jpg"))
    results = run("search", atlas, "--image", path, "-k", "2", "--json").document["results"]
    assert results[0]["path"] == str(path)
    assert results[0]["score"] > 0.99


def test_every_option_of_search_changes_the_result(run: Run, atlas: Path) -> None:
    def n_found(*options: str) -> int:
        done = run("search", atlas, "giraffe", *options, "--json")
        return len(done.document["results"])

    assert n_found() == 8
    assert n_found("-k", "2") == 2
    assert n_found("--threshold", "0.99") == 0
    assert n_found("--kind", "person") == 0
    assert n_found("--where", "path LIKE '%0025.jpg'") == 1


def test_similar(run: Run, atlas: Path, pile: Path) -> None:
    path = min(pile.glob("0*.jpg"))
    results = run("similar", atlas, path, "-k", "3", "--json").document["results"]
    assert len(results) == 3
    assert str(path) not in {result["path"] for result in results}
    by_id = run("similar", atlas, results[0]["image_id"], "--radius", "2", "--json").document
    assert len(by_id["results"]) == 7


def test_cluster(run: Run, atlas: Path) -> None:
    made = run("cluster", atlas, "--method", "kmeans", "-k", "3", "--json").document
    assert made.keys() >= {"run", "method", "n_clusters", "n_noise", "clusters"}
    assert (made["method"], made["n_clusters"], made["n_noise"]) == ("kmeans", 3, 0)
    assert all(cluster.keys() >= {"cluster", "name", "size"} for cluster in made["clusters"])
    assert sum(cluster["size"] for cluster in made["clusters"]) == 8


def test_cluster_advise_and_its_figure(run: Run, atlas: Path, tmp_path: Path) -> None:
    png = tmp_path / "advice.png"
    said = run("cluster", atlas, "--advise", "--figure", png, "--json").document
    assert said.keys() == {"kind", "n_regions", "k", "eps"}
    assert {"k", "reason", "inertia_knee", "gap_knee", "curves"} <= said["k"].keys()
    assert {"eps", "reason", "knee", "curves", "k_distances", "cliffs"} <= said["eps"].keys()
    assert png.read_bytes().startswith(b"\x89PNG")
    told = run("cluster", atlas, "--advise").stdout
    assert said["k"]["reason"] in told
    assert said["eps"]["reason"] in told


def test_cluster_with_the_advised_values(run: Run, atlas: Path) -> None:
    made = run("cluster", atlas, "--method", "dbscan", "--eps", "auto", "--json").document
    said = run("cluster", atlas, "--advise", "--json").document
    assert made["parameters"] == {"eps": said["eps"]["eps"], "min_samples": 2}


def test_cluster_compare(run: Run, atlas: Path) -> None:
    found = run("cluster", atlas, "--compare", "kmeans-1", "kmeans-1", "--json").document
    assert (found["first"], found["second"], found["n_shared"]) == ("kmeans-1", "kmeans-1", 8)
    assert (found["ari"], found["nmi"], found["n_moved"]) == (1, 1, 0)
    assert [match["first"] for match in found["matches"]] == [0, 1]
    told = run("cluster", atlas, "--compare", "kmeans-1", "kmeans-1")
    assert "      0  moved, 0 of them into noise" in told.stdout
    assert "ARI 1.000" in told.stderr


def test_duplicates(run: Run, toy: Path, tmp_path: Path) -> None:
    copied = (toy / "pics" / "red.png").read_bytes()
    put(toy / "pics" / "red again.png", copied)
    put(toy / "pics" / "blue.png", plain("blue"))
    atlas = toy / "with copies"
    run("index", atlas, toy / "pics")
    found = run("duplicates", atlas, "--sheet", tmp_path / "a" / "sheet.png", "--json").document
    assert found.keys() >= {"n_groups", "n_copies", "groups"}
    [group] = found["groups"]
    assert group.keys() >= {"image_id", "path", "why", "copies"}
    assert {"path", "reason", "bits", "cosine", "likeness", "turn"} <= group["copies"][0].keys()
    assert (tmp_path / "a" / "sheet.png").stat().st_size > 1000
    assert "the same content" in run("duplicates", atlas).stdout
    pair = [toy / "pics" / name for name in ("red.png", "blue.png")]
    noted = run("duplicates", atlas, "--not", *pair, "--json").document
    assert noted["decisions"][0]["verb"] == "not-duplicate"


def test_project(run: Run, atlas: Path) -> None:
    made = run("project", atlas, "--method", "pca", "--dims", "3", "--json").document
    assert made.keys() >= {"run", "method", "dims"}
    assert (made["method"], made["dims"]) == ("pca", 3)


def test_problems(run: Run, atlas: Path, pile: Path) -> None:
    [problem] = run("problems", atlas, "--json").document["problems"]
    assert problem["uri"] == str(pile / "torn.jpg")
    assert problem["stage"] == "decode"
    assert "cut off" in problem["reason"]


def test_info(run: Run, atlas: Path, pile: Path) -> None:
    facts = run("info", atlas, "--json").document
    assert facts.keys() >= {"n_images", "n_regions", "n_problems", "spaces", "schema_version"}
    assert (facts["n_images"], facts["n_regions"], facts["n_problems"]) == (8, 8, 1)
    assert facts["sources"] == [str(pile)]
    assert facts["spaces"][0]["encoder"] == "builtin"
    last = facts["last_index"]
    assert (last["encoder"], last["device"], last["finders"]) == ("builtin", "cpu", [])
    assert [stage["stage"] for stage in last["stages"]] == list(STAGES)
    assert "Images/s by stage: read" in run("info", atlas).stdout


def test_doctor_and_encoders(run: Run) -> None:
    findings = {c["name"]: c["finding"] for c in run("doctor", "--json").document["checks"]}
    assert findings["devices"].startswith("cpu (ONNX Runtime)")
    assert "auto takes" in findings["devices"]
    assert "builtin" in {e["name"] for e in run("encoders", "--json").document["encoders"]}


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("images", ["image_id", "path", "width", "height", "media_type", "taken_at", "paths"]),
        ("clusters", ["path", "image_id", "region_id", "cluster", "probability", "name"]),
        ("coordinates", ["path", "image_id", "region_id", "x", "y", "z"]),
    ],
)
def test_export_to_stdout_and_to_files(
    atlas: Path, run: Run, tmp_path: Path, table: str, columns: list[str]
) -> None:
    done = in_a_process("export", atlas, "--table", table)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert (rows[0], len(rows)) == ([*columns, "place_id"], 9)
    path = tmp_path / "out.csv"
    assert run("export", atlas, "--table", table, "-o", path).stdout == ""
    assert path.read_text() == done.stdout


def test_contact_sheets(run: Run, atlas: Path, tmp_path: Path) -> None:
    done = run("export", atlas, "--contact-sheets", tmp_path / "sheets", "--run", "kmeans-1")
    assert done.status == 0
    assert len(list((tmp_path / "sheets").glob("*.png"))) == 2


# -- what a person reads


def test_every_verb_speaks_to_people_too(run: Run, atlas: Path, pile: Path) -> None:
    told = {
        ("index", atlas, pile): "8 images are in the collection",
        ("search", atlas, "giraffe"): "000000000025.jpg",
        ("similar", atlas, min(pile.glob("0*.jpg"))): ".jpg",
        ("cluster", atlas): "noise",
        ("project", atlas, "--method", "pca"): "8 points in 2 dimensions",
        ("problems", atlas): "torn.jpg\tdecode",
        ("info", atlas): "8 images at 8 places",
        ("doctor",): "ok",
        ("encoders",): "builtin",
    }
    for arguments, words in told.items():
        done = run(*arguments)
        assert (done.status, words in done.stdout) == (0, True), (arguments, done)


def test_a_name_stays_on_its_line_and_off_the_terminal(run: Run, toy: Path) -> None:
    put(toy / "pics" / "two\nlines \x1b[31m.png", plain("blue"))
    put(toy / "pics" / "torn \x1b]0;title\x07.png", b"no picture at all")
    run("index", toy / "new", toy / "pics")
    [line] = run("similar", toy / "new", toy / "pics" / "red.png").stdout.splitlines()
    assert line.endswith(r"two\nlines \x1b[31m.png")
    assert r"torn \x1b]0;title\x07.png" in run("problems", toy / "new").stdout


# -- bad input: one message, status 1, nothing lost


def refused(done: Done, kind: str, *words: str) -> None:
    assert done.status == 1
    assert done.stderr == "" or "\n" not in done.stderr.removeprefix("New collection").strip("\n")
    assert done.document.keys() == {"error"}
    error = done.document["error"]
    assert error["kind"] == kind
    for word in words:
        assert word in error["message"]
    assert "fault in Bilderatlas" not in error["message"]


@pytest.mark.parametrize(
    "command",
    [
        ["search", "{}", "dog"], ["similar", "{}", "x.jpg"], ["cluster", "{}"], ["project", "{}"],
        ["problems", "{}"], ["info", "{}"],
    ],
)  # fmt: skip
def test_no_such_collection(run: Run, tmp_path: Path, command: list[str]) -> None:
    path = str(tmp_path / "nowhere")
    arguments = [part.format(path) for part in command]
    refused(run(*arguments, "--json"), "CollectionNotFound", "no collection", "bilderatlas index")
    done = run(*arguments)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("bilderatlas: There is no collection at")
    assert list(tmp_path.iterdir()) == []


def first_run(run: Run, toy: Path, *sources: str | Path) -> Done:
    """A first `index` that must be refused; no half-made collection may stay."""
    done = run("index", toy / "new", *sources, "--json")
    assert not (toy / "new.atlas").exists()
    return done


def test_a_source_that_is_not_there(run: Run, toy: Path) -> None:
    refused(first_run(run, toy, toy / "nowhere"), "SourceError", "nothing at", "Give a folder")


def test_a_folder_without_pictures(run: Run, toy: Path) -> None:
    put(toy / "texts" / "a.txt", b"no picture")
    done = first_run(run, toy, toy / "texts")
    refused(done, "SourceError", "No pictures in", "(1 text)", "stays")


def test_a_csv_without_the_named_column(run: Run, toy: Path) -> None:
    table = put(toy / "t.csv", b"path,price\npics/red.png,3\n")
    done = first_run(run, toy, table, "--column", "picture")
    refused(done, "SourceError", "no column 'picture'", "path, price")


def test_an_unreadable_archive(run: Run, toy: Path) -> None:
    done = first_run(run, toy, put(toy / "x.zip", b"PK\3\4 and nothing more"))
    refused(done, "SourceError", "neither a ZIP nor a tar", "Unpack what can be saved")


def test_an_encoder_that_is_not_there(run: Run, toy: Path) -> None:
    done = first_run(run, toy, toy / "pics", "--encoder", "clip-vit-z")
    refused(done, "EncoderNotFound", "'clip-vit-z'", "bilderatlas encoders")


def test_a_name_that_no_collection_can_have(run: Run, toy: Path) -> None:
    refused(
        run("index", toy / "caf\udce9", toy / "pics", "--json"), "StoreError", "not valid UTF-8"
    )
    assert {path.name for path in toy.iterdir()} == {"pics"}


def test_something_else_of_that_name(run: Run, toy: Path) -> None:
    path = put(toy / "mine.atlas" / "letter.txt", b"dear")
    refused(run("index", toy / "mine", toy / "pics", "--json"), "CollectionExists", "there already")
    assert path.read_bytes() == b"dear"


def test_what_a_killed_creation_left_is_in_nobodys_way(run: Run, toy: Path, atlas: Path) -> None:
    shutil.copytree(f"{atlas}.atlas/images.lance", toy / ".new.atlas.1" / "images.lance")
    assert run("index", toy / "new", toy / "pics", "--json").document["n_images"] == 1


def test_everything_was_read_only_where_that_is_so(run: Run, toy: Path) -> None:
    run("index", toy / "new", toy / "pics")
    told = run("problems", toy / "new")
    assert (told.stdout, told.stderr) == ("", "No problems: everything was read.\n")
    for name in ("a.pdf", "b.pdf", "c.pdf", "d.nef", "e.rar", "f.7z"):
        put(toy / "pics" / name, b"of that kind")
    put(toy / "pics" / ".DS_Store", b"of the system")
    summary = run("index", toy / "new", toy / "pics")
    counted = "3 PDF documents, 2 archives, 1 raw file"
    assert f"Passed over: {counted} (bilderatlas problems " in summary.stdout
    told = run("problems", toy / "new")
    assert (told.stdout, told.stderr) == ("", "No problems. 6 passed over: --kind other.\n")
    told = run("problems", toy / "new", "--kind", "other")
    assert told.stderr == f"6 passed over: {counted}.\n"
    assert told.stdout.splitlines()[0] == (
        f"{toy}/pics/a.pdf\tother\tPDF documents are not read; convert them to JPEG or PNG"
    )
    facts = run("problems", toy / "new", "--kind", "other", "--json").document
    assert facts["kinds"] == {"problem": 0, "other": 6, "small": 0}
    assert facts["others"] == {"PDF documents": 3, "archives": 2, "raw files": 1}
    assert (facts["n_problems"], len(facts["problems"])) == (6, 6)
    about = run("info", toy / "new")
    assert "6 files and folders passed over" in about.stdout
    assert "exclude @eaDir, #recycle" in about.stdout


def test_sources_without_pictures_are_named_by_what_they_hold(run: Run, toy: Path) -> None:
    put(toy / "papers" / "a.pdf", b"%PDF-1.7")
    put(toy / "notes" / "a.txt", b"no picture")
    done = run("index", toy / "new", toy / "papers", toy / "pics", toy / "notes")
    assert done.status == 0
    assert f"No pictures in {toy}/papers (1 PDF document)." in done.stdout
    assert f"No pictures in {toy}/notes (1 text)." in done.stdout
    refused = run("index", toy / "other", toy / "papers", toy / "notes")
    assert refused.status == 1
    told = f"No pictures in {toy}/papers (1 PDF document), {toy}/notes (1 text)."
    assert refused.stderr.startswith(f"bilderatlas: {told}")
    assert not (toy / "other.atlas").exists()


@pytest.mark.parametrize("header", ["nothing", ": value", "A B: value", "A: ü", "A: b\nC: d"])
def test_a_header_that_is_none_is_wrong_usage(run: Run, toy: Path, header: str) -> None:
    done = run("index", toy / "new", toy / "pics", "--header", header)
    assert done.status == 2
    assert "--header" in done.stderr


def test_options_of_index_are_remembered(run: Run, toy: Path) -> None:
    put(toy / "pics" / "small.png", plain("blue", side=8))
    put(toy / "pics" / "drafts" / "a.png", plain("lime"))
    asked = ("--exclude", "drafts", "--min-side", "10", "--json")
    first = run("index", toy / "new", toy / "pics", *asked).document
    again = run("index", toy / "new", toy / "pics", "--json").document
    for facts in (first, again):
        assert (facts["n_images"], facts["n_small"], facts["n_other"]) == (1, 1, 1)
    about = run("info", toy / "new", "--json").document
    assert (about["min_side"], about["exclude"][-1]) == (10, "drafts")
    assert "1 too small: --kind small." in run("problems", toy / "new").stderr


def test_pictures_that_are_all_unreadable_are_kept_as_problems(run: Run, toy: Path) -> None:
    put(toy / "torn" / "a.jpg", b"no picture at all")
    assert run("index", toy / "new", toy / "torn", "--json").document["n_problems"] == 1
    assert len(run("problems", toy / "new", "--json").document["problems"]) == 1
    assert run("info", toy / "new", "--json").document["n_images"] == 0
    assert run("search", toy / "new", "dog", "--json").document["results"] == []
    for verb in ("cluster", "project"):
        refused(run(verb, toy / "new", "--json"), "QueryError")


@pytest.fixture
def untouched(atlas: Path, run: Run) -> Any:
    """The collection must be the same after a refusal."""
    before = run("info", atlas, "--json").document
    yield
    after = run("info", atlas, "--json").document
    assert {k: v for k, v in after.items() if k != "n_bytes"} == {
        k: v for k, v in before.items() if k != "n_bytes"
    }


def test_a_classification_ends_in_a_command_that_can_be_run(
    run: Run, atlas: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(atlas.with_suffix(".atlas"), tmp_path / "with a blank.atlas")
    told = run("classify", copied, "--prompts", "dog, car").stderr
    assert f"Next: bilderatlas export '{copied}' --table classes" in told


def test_what_is_compiled_first_is_said_beforehand(
    run: Run, atlas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("evoc")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    done = run("cluster", atlas, "--method", "evoc", "--min-cluster-size", "1")
    said, refused = done.stderr.splitlines()
    assert said.startswith("evoc is compiled for this machine before its first run")
    assert "bilderatlas: " in refused


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("command", "kind", "words"),
    [
        ("search {atlas} dog -k 0", "QueryError", "k is 0"),
        ("similar {atlas} {picture} -k 0", "QueryError", "k is 0"),
        ("cluster {atlas} --method kmeans -k 0", "QueryError", "k is 0"),
        ("cluster {atlas} --method kmeans -k 99", "QueryError", "k is 99"),
        ("cluster {atlas} --method spectral", "QueryError", "hdbscan, fast-hdbscan, evoc, dbscan"),
        ("cluster {atlas} --kind person", "QueryError", "there are image"),
        ("cluster {atlas} --method kmeans --eps 0.1", "QueryError", "eps is for dbscan"),
        ("cluster {atlas} --figure x.png", "QueryError", "Add --advise"),
        ("cluster {atlas} --advise --method dbscan -k 3", "QueryError", "not read --k, --method"),
        ("cluster {atlas} --compare a b --kind all", "QueryError", "does not read --kind"),
        ("cluster {atlas} --advise --figure a.gif", "QueryError", "Call it a.png"),
        ("duplicates {atlas} --sheet a.gif", "QueryError", "Call it a.png"),
        ("cluster {atlas} --compare kmeans-1 x", "RunNotFound", "no clustering 'x'"),
        ("project {atlas} --dims 4", "QueryError", "dims is 4"),
        ("project {atlas} --method mds", "QueryError", "tsne"),
        ("search {atlas}", "QueryError", "one of the two"),
        ("search {atlas} --image {text}", "ImageProblem", "not a picture"),
        ("search {atlas} --image {nowhere}", "ImageProblem", "No such file"),
        ("search {atlas} dog --where colour=1", "QueryError", "no such column: colour"),
        ("similar {atlas} {nowhere}", "ImageNotFound", "holds no image"),
        ("similar {atlas} {picture} --radius 3", "QueryError", "between 0 and 2"),
        ("index {atlas} {text}", "SourceError", "No pictures in"),
        ("index {atlas} {nowhere}", "SourceError", "nothing at"),
        ("index {atlas} {folder} --column path", "SourceError", "is not a table"),
    ],
)
def test_what_is_refused(
    run: Run, atlas: Path, pile: Path, command: str, kind: str, words: str
) -> None:
    names = {
        "atlas": atlas,
        "picture": min(pile.glob("0*.jpg")),
        "text": pile / "notes.txt",
        "nowhere": pile / "nowhere.jpg",
        "folder": pile,
    }
    arguments = [part.format(**names) for part in command.split()]
    refused(run(*arguments, "--json"), kind, words)
    told = run(*arguments)
    assert (told.status, told.stdout) == (1, "")
    assert told.stderr.startswith("bilderatlas: ")
    assert told.stderr.count("\n") == 1


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--table", "people"], "no table 'people'"),
        (["--table", "clusters", "--run", "x"], "no clustering 'x'; there are: "),
        (["-o", "x.doc"], "'.doc' is not offered"),
        (["-o", "/proc/no/x.csv"], "cannot be written"),
        (["--contact-sheets", "/proc/no"], "cannot be written"),
    ],
)
def test_what_export_refuses(run: Run, atlas: Path, options: list[str], words: str) -> None:
    done = run("export", atlas, *options)
    assert (done.status, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("untouched")
def test_an_encoder_that_does_not_fit(run: Run, atlas: Path, pile: Path, tmp_path: Path) -> None:
    from tests.models.encoders.onnx_folders import write_image_only

    write_image_only(tmp_path / "other")
    done = run("index", atlas, pile, "--encoder", tmp_path / "other", "--json")
    refused(done, "EncoderMismatch", "'builtin'", "Leave out --encoder")


@pytest.mark.parametrize("verb", ["info", "search", "index", "cluster", "problems"])
def test_a_collection_from_a_newer_schema(run: Run, atlas: Path, toy: Path, verb: str) -> None:
    shutil.copytree(f"{atlas}.atlas", toy / "new.atlas")
    facts = json.loads((toy / "new.atlas" / "atlas.json").read_text())
    put(toy / "new.atlas" / "atlas.json", json.dumps(facts | {"schema_version": 99}).encode())
    before = sorted(toy.rglob("*"))
    rest = {"search": ["dog"], "index": [toy / "pics"]}.get(verb, [])
    refused(run(verb, toy / "new", *rest, "--json"), "SchemaTooNew", "99", "pip install --upgrade")
    assert sorted(toy.rglob("*")) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"spaces": {}}'])
def test_a_damaged_description(run: Run, toy: Path, content: bytes) -> None:
    put(toy / "new.atlas" / "atlas.json", content)
    refused(
        run("info", toy / "new", "--json"),
        "CollectionDamaged",
        "atlas.json",
        "bilderatlas doctor new",
    )
    refused(
        run("index", toy / "new", toy / "pics", "--json"),
        "CollectionDamaged",
        "atlas.json",
        "bilderatlas doctor new",
    )
    assert (toy / "new.atlas" / "atlas.json").read_bytes() == content


# -- the streams


@pytest.mark.parametrize(
    "command", [["search"], ["nonsense"], ["index", "x", "y", "--threads", "0"]]
)
def test_wrong_usage_has_status_2(run: Run, command: list[str]) -> None:
    done = run(*command)
    assert (done.status, done.stdout) == (2, "")
    assert "Usage: bilderatlas" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_output_is_json_in_every_locale_and_for_every_name(
    run: Run, toy: Path, encoding: str
) -> None:
    odd = put(toy / "pics" / "🚲 caf\udce9.png", plain("blue"))
    assert run("index", toy / "é", toy / "pics").status == 0
    found = in_a_process(
        "similar", toy / "é", toy / "pics" / "red.png", "--json", PYTHONIOENCODING=encoding
    )
    assert [hit["path"] for hit in found.document["results"]] == [odd.as_uri()]
    told = in_a_process("similar", toy / "é", "x\udce9", "--json", PYTHONIOENCODING=encoding)
    refused(told, "ImageNotFound", "x?")
    plainly = in_a_process("info", "caf\udce9", PYTHONIOENCODING=encoding)
    assert (plainly.status, plainly.stderr.count("\n")) == (1, 1)


def test_a_reader_that_leaves_early_is_no_error(atlas: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m bilderatlas export {atlas} | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ('"', "")


def test_what_a_program_reads_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a long line " * 9
    assert shortened(text) == text.strip()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert shortened(text) == "a long line a long line a long line a..."


def test_every_label_of_a_classification_is_printed_where_a_program_reads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 45
    about = results.Run("c-1", "classify", "prompts", {}, 0, "toy", "image", datetime.now(UTC), n)
    ids, names = tuple(f"{i:032x}" for i in range(n)), tuple(f"label {i}" for i in range(n))
    labels, sure = np.arange(n, dtype=np.int32)[:, None], np.ones((n, 1), np.float32)
    made = results.Classification(about, ids, names, labels, sure)
    classify._tell(made, "holiday")
    assert capsys.readouterr().out.count("\n") == n
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    classify._tell(made, "holiday")
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 40
    assert "And 5 labels of fewer" in printed.err


# -- evaluate


def test_evaluate_with_json(run: Run, atlas: Path, tmp_path: Path) -> None:
    paths = [image.path for image in bilderatlas.open(atlas).all_images()]
    rows = [f"{path},{'ab'[n % 2]},a photo {n}\n" for n, path in enumerate(paths)]
    labels = put(tmp_path / "t.csv", ("path,what,text\n" + "".join(rows) + "x.jpg,a,\n").encode())
    done = run(
        "evaluate", atlas, "--labels", labels, "--label-column", "what", "--image-column", "path",
        "--captions", "text", "--run", "kmeans-1", "--eps", "0.3", "--eps", "0.5",
        "--min-samples", "3", "--seed", "1", "--json", "--output", tmp_path / "r.html",
        "--side-by-side", tmp_path / "side.csv", "--heat-map", tmp_path / "classes.png",
    )  # fmt: skip
    facts = done.document
    assert (facts["labels"]["n_labelled"], facts["labels"]["n_unknown"]) == (8, 1)
    assert "1 names in" in done.stderr
    assert {"purity", "nmi", "ari", "v_measure", "pair_f1"} <= facts["runs"][0].keys()
    assert [(s["eps"], s["min_samples"]) for s in facts["dbscan"]["settings"]] == [
        (0.3, 3), (0.5, 3),
    ]  # fmt: skip
    assert facts["retrieval"]["n_queries"] == 8
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    with Image.open(tmp_path / "classes.png") as picture:
        assert picture.format == "PNG"
    written = list(csv.DictReader(io.StringIO((tmp_path / "side.csv").read_text("utf-8"))))
    assert [row["label"] for row in written] == list("aaaabbbb")
    assert "kmeans-1" in written[0]


def test_evaluate_tells_what_it_found(run: Run, atlas: Path, tmp_path: Path) -> None:
    paths = [image.path for image in bilderatlas.open(atlas).all_images()]
    rows = [f"{path},{'ab'[n % 2]}\n" for n, path in enumerate(paths)]
    labels = put(tmp_path / "t.csv", ("path,label\n" + "".join(rows)).encode())
    done = run("evaluate", atlas, "--labels", labels, "--run", "kmeans-1")
    assert "8 labelled, 2 classes, encoder builtin." in done.stdout
    assert re.search(r"^kmeans-1 +2 +0 ", done.stdout, re.MULTILINE)
    table = done.stdout.splitlines()[1:4]
    assert re.match(r"dbscan, eps 0\.\d+, min_samples \d+ ", table[2])  # whole, in one column
    assert len({len(line) for line in table}) == 1
    assert "--output report.html" in done.stderr


def test_evaluate_refuses_labels_that_name_nothing(run: Run, atlas: Path, tmp_path: Path) -> None:
    labels = put(tmp_path / "t.csv", b"path,label\nx.jpg,a\ny.jpg,b\n")
    done = run("evaluate", atlas, "--labels", labels)
    assert done.status == 1
    assert "None of the 2 names" in done.stderr
    assert done.stdout == ""


def test_evaluate_refuses_a_table_it_cannot_write_before_it_begins(
    run: Run, atlas: Path, tmp_path: Path
) -> None:
    done = run("evaluate", atlas, "--labels", "folders", "--side-by-side", tmp_path / "side.xls")
    assert "Format '.xls' is not offered" in done.stderr


# -- pictures of results


def test_hits_and_heat_maps_are_written_as_pictures(run: Run, atlas: Path, tmp_path: Path) -> None:
    first, second = [image.path for image in bilderatlas.open(atlas).all_images()][:2]
    for name, command in {
        "similar": ("similar", atlas, first, "-k", "3", "--png"),
        "search": ("search", atlas, "giraffe", "-k", "3", "--png"),
        "clusters": ("export", atlas, "--run", "kmeans-1", "--heat-map"),
        "images": ("export", atlas, "--image", first, "--image", second, "--heat-map"),
    }.items():
        done = run(*command, tmp_path / "deep" / f"{name}.png")
        assert done.status == 0, done.stderr
        with Image.open(tmp_path / "deep" / f"{name}.png") as picture:
            assert (picture.format, picture.width > 300) == ("PNG", True)


def test_a_picture_that_cannot_be_written_is_refused(run: Run, atlas: Path, tmp_path: Path) -> None:
    put(tmp_path / "file", b"")
    for command in (
        ("export", atlas, "--run", "kmeans-1", "--heat-map", tmp_path / "file" / "x.png"),
        ("search", atlas, "giraffe", "--png", tmp_path / "file" / "x.png"),
    ):
        assert "cannot be written" in run(*command).stderr
    assert (
        "does not end in .png. Call it x.png" in run("search", atlas, "a", "--png", "x.gif").stderr
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--heat-map", "x.jpg"], r"x\.jpg does not end in \.png, \.pdf, \.svg"),
        (["--heat-map", "x.png", "--output", "x.csv"], "are two exports"),
        (["--image", "a"], "--image goes with --heat-map"),
    ],
)
def test_a_heat_map_that_cannot_be_is_refused(
    run: Run, atlas: Path, options: list[str], reason: str
) -> None:
    done = run("export", atlas, *options)
    assert done.status == 1
    assert re.search(reason, done.stderr)


def test_a_key_is_made_listed_and_taken_away(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    made = run("keys", file, "--add", "anna", "--role", "editor")
    secret = made.stdout.strip()
    assert secret.startswith("ba_")
    assert "this once" in made.stderr
    assert secret not in file.read_text()
    run("keys", file, "--add", "ben")
    listed = run("keys", file)
    assert listed.stdout.split() == ["editor", "anna", "viewer", "ben"]
    left = run("keys", file, "--remove", "anna", "--json").document
    assert left == {"keys": [{"name": "ben", "role": "viewer"}], "key": None}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "--no-auth"),
        (("--host", "0.0.0.0", "--keys", "nothing.txt"), "cannot be read"),
        (("--rate", "0"), "--rate is 0"),
    ],
)
def test_a_server_for_others_without_keys_is_refused(
    run: Run, options: tuple[str, ...], said: str
) -> None:
    refused = run("serve", "holiday", *options)
    assert refused.status == 1
    assert said in refused.stderr
