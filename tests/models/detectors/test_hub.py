"""Detectors by name: from the cache, from a folder filled by hand, and from a hub that is away."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PIL import Image

from bilderatlas.errors import DetectorError
from bilderatlas.models.detectors import Finding, absolute, load_detectors
from bilderatlas.models.encoders import repositories
from tests.indexing.pile import draw_many, new_collection
from tests.models.detectors.detectors import write_detr, write_yolox
from tests.models.encoders.hub_cache import put_into_cache
from tests.models.encoders.small_hub import serving

D_FINE = "onnx-community/dfine_n_coco-ONNX"
CAT = [[0.5, 0.5, 0.5, 0.5]], [[0.0, 9.0, 0.0, 0.0]]


def labels_of(detector: str) -> list[str | None]:
    [opened] = load_detectors(Finding(("objects",), detector))
    return [region.label for region in opened.find(Image.new("RGB", (40, 40)))]


@pytest.fixture
def d_fine(models: Path, tmp_path: Path) -> Path:
    """A small detector in the cache, under the name of D-FINE."""
    return put_into_cache(models, D_FINE, write_detr(tmp_path / "detector", *CAT))


@pytest.mark.usefixtures("d_fine", "closed_port")
def test_a_detector_in_the_cache_needs_no_hub() -> None:
    assert labels_of("d-fine-n") == labels_of(f"hf:{D_FINE}") == ["cat"]


@pytest.mark.usefixtures("closed_port")
def test_a_folder_filled_by_hand_needs_no_hub() -> None:
    write_detr(repositories.by_hand("detectors", "rf-detr-nano"), *CAT)
    write_yolox(repositories.by_hand("detectors", "hf:me/mine") / "model.onnx", {})
    assert labels_of("rf-detr-nano") == ["cat"]
    assert labels_of("hf:me/mine") == []


@pytest.mark.usefixtures("closed_port")
def test_a_hub_that_is_away_is_told_with_what_serves_instead() -> None:
    started = time.monotonic()
    with pytest.raises(DetectorError) as refused:
        load_detectors(Finding(("objects",), "d-fine-s"))
    assert time.monotonic() - started < 5
    by_hand = str(repositories.by_hand("detectors", "d-fine-s"))
    for told in ("Detector 'd-fine-s'", "onnx-community/dfine_s_coco-ONNX", by_hand):
        assert told in str(refused.value)
    assert "leave out --detector" in str(refused.value)
    assert "class activation" in str(refused.value)


@pytest.mark.usefixtures("closed_port")
def test_half_a_download_is_not_taken_for_a_detector(d_fine: Path) -> None:
    (d_fine / "onnx" / "model.onnx").unlink()
    with pytest.raises(DetectorError, match="could not be reached"):
        labels_of("d-fine-n")


def test_only_what_a_detector_reads_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_detr(tmp_path / "repository", *CAT)
    for name in ("README.md", "model.safetensors", "onnx/model_fp16.onnx"):
        (folder / name).write_text("not needed")
    with serving(folder, monkeypatch) as hub:
        assert labels_of("hf:someone/something") == ["cat"]
        needed = {"config.json", "onnx/model.onnx", "preprocessor_config.json"}
        assert set(hub.asked) == needed
        hub.asked.clear()
        assert labels_of("hf:someone/something") == ["cat"]
        assert not hub.asked


def test_a_repository_without_a_detector_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "README.md").write_text("Weights for torch only.")
    with (
        serving(tmp_path, monkeypatch),
        pytest.raises(DetectorError, match=r"has no ONNX detector .*optimum-cli export onnx"),
    ):
        load_detectors(Finding(("objects",), "hf:someone/something"))


def test_a_name_that_is_no_repository_is_refused() -> None:
    with pytest.raises(DetectorError, match="hf:OWNER/NAME was expected"):
        load_detectors(Finding(("objects",), "hf:detr"))


@pytest.mark.usefixtures("d_fine", "closed_port")
def test_a_collection_remembers_a_detector_by_its_name(tmp_path: Path) -> None:
    assert absolute("d-fine-n") == "d-fine-n"
    assert Path(absolute("detector.onnx")).is_absolute()
    pile = draw_many(tmp_path / "pile", 1)
    atlas = new_collection(tmp_path / "c.atlas")
    assert atlas.index(pile, find=["objects"], detector="d-fine-n").finders == ("d-fine-n",)
    draw_many(pile, 2)
    assert atlas.index(pile).finders == ("d-fine-n",)
    assert atlas.info().finding.detector == "d-fine-n"
