"""What other programs and readers rely on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bilderatlas as ba

ROOT = Path(__file__).parents[1]


def test_the_public_names_are_these() -> None:
    assert sorted(ba.__all__) == ["BilderatlasError", "Collection", "create", "open"]
    assert all(hasattr(ba, name) for name in ba.__all__)


def test_the_verbs_of_a_collection_are_these() -> None:
    verbs = {
        "index",
        "search",
        "similar",
        "cluster",
        "advise",
        "compare",
        "project",
        "evaluate",
        "export",
    }
    verbs |= {"reindex", "problems", "info"}
    looks = {
        "browse",
        "image",
        "images",
        "sample",
        "crop",
        "thumbnail",
        "picture",
        "embeddings",
        "places",
        "runs",
    }
    assert verbs | looks <= set(dir(ba.Collection))


def test_importing_and_asking_for_help_load_nothing_heavy() -> None:
    heavy = {"numpy", "onnxruntime", "lance", "pyarrow", "PIL", "dash", "fastapi", "sklearn"}
    code = "import sys, bilderatlas, bilderatlas.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not heavy & set(loaded.stdout.split())


def test_the_readme_has_no_placeholders_and_its_pictures_are_there() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "PACKAGES" not in readme
    for name in ("gallery", "search", "clusters", "map", "image"):
        assert f"docs/images/{name}.png" in readme
        assert (ROOT / "docs" / "images" / f"{name}.png").stat().st_size > 10_000
