"""The commands name, decide and decisions on a real store."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bilderatlas import cli
from tests.assets import assets
from tests.language_model import answering, completion
from tests.pictures import put

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clothes")
    for kind in ("shoes", "pants"):
        for photograph in sorted((assets() / "data" / "clothing" / kind).glob("*.jpg"))[:8]:
            put(folder / "pile" / f"{kind}-{photograph.name}", photograph.read_bytes())
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `bilderatlas ...`; its status, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bilderatlas", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        streams = capsys.readouterr()
        return int(ended.value.code or 0), streams.out, streams.err

    return run


def test_people_name_clusters_and_later_runs_know_it(run: Run, clothes: Path) -> None:
    atlas = clothes / "a.atlas"
    run("index", atlas, clothes / "pile", "--encoder", "builtin")
    _, out, _ = run("cluster", atlas, "--method", "kmeans", "--k", "2", "--json")
    made = json.loads(out)
    names = [cluster["name"] for cluster in made["clusters"]]
    assert {"cluster", "name", "size", "confidence", "source"} <= made["clusters"][0].keys()
    assert any("shoes" in name or "sneakers" in name for name in names)
    run("name", atlas, "--cluster", "0", "Grandma's wardrobe")
    status, out, err = run("cluster", atlas, "--method", "kmeans", "--k", "2", "--seed", "5")
    assert (status, "Grandma's wardrobe  (person, 1.00)" in out) == (0, True)
    assert "1 of 1 decisions hold in it." in err

    _, out, err = run("decide", atlas, "merge", "0", "1", "--json")
    decided: dict[str, Any] = json.loads(out)
    assert decided["n_clusters"] == 1
    _, out, err = run("cluster", atlas, "--method", "kmeans", "--k", "1")
    assert "2 of 2 decisions hold in it." in err
    run("decide", atlas, "undo", decided["decision"]["decision"])
    _, out, _ = run("decisions", atlas)
    assert [line.split("  ")[-1] for line in out.splitlines()] == [
        'cluster 0 of kmeans-1 is called "Grandma\'s wardrobe"'
    ]
    _, out, _ = run("decisions", atlas, "--all", "--json")
    assert [d["verb"] for d in json.loads(out)["decisions"]] == ["name", "merge", "undo"]

    exported = clothes / "clusters.csv"
    run("export", atlas, "--table", "clusters", "--run", "kmeans-1", "-o", exported)
    assert "Grandma's wardrobe" in exported.read_text("utf-8")

    with answering(b"oops", status=500) as server:
        status, out, err = run("name", atlas, "--llm-url", server.url, "--llm-model", "small")
    assert (status, len(server.asked)) == (0, 1)
    assert "small: it answered with status 500" in err
    with answering(completion("Footwear")) as server:
        how = ["--llm-url", server.url, "--llm-model", "small", "--llm-timeout", "9"]
        _, out, _ = run("name", atlas, "--run", "kmeans-1", *how, "--json")
    assert {c["source"] for c in json.loads(out)["clusters"]} == {"llm", "person"}

    for arguments, why in (
        (["name", atlas, "Anna"], "go together"),
        (["name", atlas, "--cluster", "7", "Anna"], "no cluster 7"),
        (["name", atlas, "--run", "kmeans-9"], "kmeans-9"),
        (["decide", atlas, "merge", "0", "0"], "there twice"),
        (["name", atlas, "--llm-url", "ftp://x", "--llm-model", "m"], "ftp://x"),
    ):
        status, out, err = run(*arguments)
        assert (status, out, why in err) == (1, "", True), (arguments, err)
