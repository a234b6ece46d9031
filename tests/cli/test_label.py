"""The command label on a real store."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bilderatlas import cli
from tests.pictures import collect, plain, put

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def atlas(tmp_path: Path) -> Path:
    for colour in ("red", "green"):
        for side in (8, 9):
            put(tmp_path / "pile" / colour / f"{side}.png", plain(colour, side=side))
    return collect(tmp_path, tmp_path / "pile").path


@pytest.fixture
def run(atlas: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `bilderatlas label ATLAS ...`; its status, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        command = ["bilderatlas", "label", str(atlas), *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", command)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        streams = capsys.readouterr()
        return int(ended.value.code or 0), streams.out, streams.err

    return run


def test_images_named_and_images_meant_are_labelled_and_listed(
    run: Run, atlas: Path, tmp_path: Path
) -> None:
    red = tmp_path / "pile" / "red"
    assert "already" not in run("--set", "warm", red / "8.png", red / "9.png", "--who", "Anna")[2]
    _, out, _ = run("--set", "small", "--where", "width = 8", "--json")
    assert (json.loads(out)["n_regions"], json.loads(out)["label"]) == (2, "small")
    assert "1 images no longer have" in run("--unset", "warm", red / "9.png")[2]
    assert "Nothing changed" in run("--set", "warm", red / "8.png")[2]
    status, out, err = run()
    assert (status, out) == (0, "      2  small\n      1  warm\n")
    assert "2 of 4 images have a label." in err


def test_labels_go_out_as_a_table_and_come_in_again(run: Run, tmp_path: Path) -> None:
    assert "4 new labels from the folders' names." in run("--from-folders")[2]
    run("--export", tmp_path / "labels.csv")
    lines = (tmp_path / "labels.csv").read_text("utf-8").splitlines()
    assert (lines[0], len(lines)) == ('"path","image_id","region_id","label","place_id"', 5)
    run("--unset", "red", "--where", "width > 0")
    _, out, _ = run("--import", tmp_path / "labels.csv", "--json")
    made = json.loads(out)
    assert (made["n_new"], made["unknown"]) == (2, [])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--set", "warm"], "No image is chosen"),
        (["--set", "warm", "nowhere.png"], "nowhere.png"),
        (["somewhere.png"], "Say which label"),
        (["--set", "a", "--unset", "b", "x.png"], "--set and --unset do not go together"),
        (["--import", "nowhere.csv"], "nowhere.csv"),
        (
            ["--set", "warm", "--run", "kmeans-1", "--where", "width > 0"],
            "Name one of its clusters",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(run: Run, arguments: list[str], why: str) -> None:
    status, _, err = run(*arguments)
    assert status == 1
    assert why in err
