"""Models by name: from the cache, from a folder filled by hand, and from a hub that is away."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from huggingface_hub import constants

from bilderatlas.errors import EncoderNotFound
from bilderatlas.models import encoders
from bilderatlas.models.encoders import hub
from bilderatlas.models.encoders.model_folder import PLACES, files_needed
from tests.models.encoders.hub_cache import put_into_cache
from tests.models.encoders.onnx_folders import (
    write_image_only,
    write_json,
    write_text_only,
    write_two_towers,
)
from tests.models.encoders.small_hub import SmallHub, serving

CLIP = "Xenova/clip-vit-base-patch32"


@pytest.fixture
def clip(models: Path, tmp_path: Path) -> Path:
    """A small CLIP in the cache, under the name of the large one."""
    return put_into_cache(models, CLIP, write_two_towers(tmp_path / "clip"))


@pytest.fixture
def silent_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub that takes calls and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield


@pytest.mark.usefixtures("clip", "closed_port")
def test_a_model_in_the_cache_needs_no_hub():
    encoder = encoders.load("clip-vit-b-32")
    assert (encoder.name, encoder.space) == ("clip-vit-b-32", "clip-vit-b-32")
    np.testing.assert_allclose(encoder.embed_texts(["red"]), [[1, 0, 0]], atol=1e-6)


@pytest.mark.usefixtures("clip", "closed_port")
def test_any_repository_goes_by_its_own_name():
    encoder = encoders.load(f"hf:{CLIP}")
    assert encoder.name == f"hf:{CLIP}"
    assert encoder.space == "hf-xenova-clip-vit-base-patch32"
    assert encoder.weights_hash == encoders.load("clip-vit-b-32").weights_hash


@pytest.mark.usefixtures("closed_port")
def test_a_folder_filled_by_hand_needs_no_hub():
    write_two_towers(hub.by_hand("clip-vit-b-32"))
    assert encoders.load("clip-vit-b-32").reads_text


@pytest.mark.usefixtures("closed_port")
def test_a_precision_is_a_file_of_its_own(models: Path, tmp_path: Path):
    folder = write_two_towers(tmp_path / "clip")
    for name in ("vision_model", "text_model"):
        (folder / "onnx" / f"{name}.onnx").rename(folder / "onnx" / f"{name}_quantized.onnx")
    put_into_cache(models, CLIP, folder)
    encoder = encoders.load("clip-vit-b-32:q8")
    assert (encoder.name, encoder.space) == ("clip-vit-b-32:q8", "clip-vit-b-32-q8")
    assert encoders.load(f"{folder}:q8").space == "clip-q8"
    with pytest.raises(EncoderNotFound, match=r"no towers of precision 'fp32'.*there is 'q8'"):
        encoders.load(folder)


@pytest.mark.usefixtures("closed_port")
def test_a_hub_that_is_away_is_told_at_once():
    started = time.monotonic()
    with pytest.raises(EncoderNotFound) as refused:
        encoders.load("clip-vit-b-32")
    assert time.monotonic() - started < 5
    for told in ("'clip-vit-b-32'", str(hub.by_hand("clip-vit-b-32")), "--encoder builtin", CLIP):
        assert told in str(refused.value)


@pytest.mark.usefixtures("closed_port")
@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("minilm", "use --encoder builtin-text."),
        ("bge-small-en", "use --encoder builtin-text."),
        ("clip-vit-b-32", "use --encoder builtin."),
        ("dinov2-s", "use --encoder builtin."),
        ("hf:someone/something", "use --encoder builtin (for texts: builtin-text)."),
    ],
)
def test_what_serves_instead_reads_the_same(name: str, instead: str):
    with pytest.raises(EncoderNotFound) as refused:
        encoders.load(name)
    assert instead in str(refused.value)


@pytest.mark.slow
@pytest.mark.usefixtures("silent_port")
def test_a_hub_that_does_not_answer_is_given_up_within_5_seconds():
    started = time.monotonic()
    with pytest.raises(EncoderNotFound, match=r"'hf:someone/something'.*could not be reached"):
        encoders.load("hf:someone/something")
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("closed_port")
def test_half_a_download_is_not_taken_for_a_model(clip: Path):
    (clip / "onnx" / "text_model.onnx").unlink()
    assert hub.on_disk("clip-vit-b-32") is None
    with pytest.raises(EncoderNotFound, match="could not be reached"):
        encoders.load("clip-vit-b-32")


@pytest.mark.usefixtures("closed_port")
def test_texts_are_read_by_the_best_on_disk_else_by_the_built_in_half(models: Path, tmp_path: Path):
    put_into_cache(models, "Xenova/clip-vit-base-patch32", write_two_towers(tmp_path / "clip"))
    assert encoders.best_for_texts() == "builtin-text"  # CLIP reads captions, not texts
    folder = write_text_only(tmp_path / "text")
    put_into_cache(models, "Xenova/all-MiniLM-L6-v2", folder)
    assert encoders.best_for_texts() == "minilm"
    put_into_cache(models, "Xenova/bge-small-en-v1.5", folder)
    assert encoders.best_for_texts() == "bge-small-en"


def test_auto_takes_the_best_on_disk_and_never_downloads(models: Path, tmp_path: Path):
    assert encoders.load("auto").name == "builtin"
    put_into_cache(models, "Xenova/dinov2-small", write_image_only(tmp_path / "dino"))
    assert encoders.load("auto").name == "builtin"  # a model without words is no choice for all
    mobile = write_two_towers(tmp_path / "mobile")
    shutil.move(mobile / "onnx", mobile / "s2")
    shutil.move(mobile / "s2", mobile / "onnx" / "s2")
    put_into_cache(models, "plhery/mobileclip2-onnx", mobile)
    assert encoders.load("auto").name == "mobileclip2-s2"
    put_into_cache(models, CLIP, write_two_towers(tmp_path / "clip"))
    assert encoders.load("auto").name == "clip-vit-b-32"  # free for any use goes first


def test_available_says_what_is_on_disk(clip: Path):
    facts = {each.name: each for each in encoders.available()}
    assert list(facts) == ["builtin", "builtin-text", *hub.MODELS]
    towers = sum(path.stat().st_size for path in (clip / "onnx").iterdir())
    assert facts["clip-vit-b-32"].n_bytes == towers
    on_disk = [name for name, each in facts.items() if each.is_on_disk]
    assert on_disk == ["builtin", "builtin-text", "clip-vit-b-32"]


def test_a_text_encoder_pools_as_its_table_says(models: Path, tmp_path: Path):
    folder = write_text_only(tmp_path / "text")
    put_into_cache(models, "Xenova/bge-small-en-v1.5", folder)
    put_into_cache(models, "Xenova/all-MiniLM-L6-v2", folder)
    first = encoders.load("bge-small-en").embed_texts(["red blue"])
    mean = encoders.load("minilm").embed_texts(["red blue"])
    np.testing.assert_allclose(first, [[1, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(mean, [[0.5**0.5, 0, 0.5**0.5]], atol=1e-6)


def test_questions_are_asked_as_the_authors_say_and_texts_are_not(models: Path, tmp_path: Path):
    folder = write_text_only(tmp_path / "text")
    put_into_cache(models, "Xenova/bge-small-en-v1.5", folder)
    put_into_cache(models, "Xenova/all-MiniLM-L6-v2", folder)
    bge, minilm = encoders.load("bge-small-en"), encoders.load("minilm")
    # the first token of a question is "Represent", which is grey here
    np.testing.assert_allclose(encoders.embed_queries(bge, ["red"]), [[3**-0.5] * 3], atol=1e-6)
    np.testing.assert_allclose(bge.embed_texts(["red"]), [[1, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(encoders.embed_queries(minilm, ["red"]), [[1, 0, 0]], atol=1e-6)


def test_what_a_folder_says_of_questions_counts(tmp_path: Path):
    folder = write_text_only(tmp_path / "text")
    write_json(folder / "config_sentence_transformers.json", {"prompts": {"query": "blue "}})
    asked = encoders.embed_queries(encoders.load(folder), ["red"])
    np.testing.assert_allclose(asked, [[0.5**0.5, 0, 0.5**0.5]], atol=1e-6)


def test_a_model_without_a_repository_says_how_to_make_it():
    with pytest.raises(EncoderNotFound, match=r"optimum-cli export onnx --model google/effic"):
        encoders.load("efficientnet-b0")


def test_a_name_that_is_no_repository_is_refused():
    with pytest.raises(EncoderNotFound, match="hf:OWNER/NAME was expected"):
        encoders.load("hf:clip")


def test_two_towers_are_not_fetched_a_third_time():
    listed = ["config.json", "README.md", "tokenizer.json", "onnx/model.onnx", "model.safetensors"]
    listed += [f"onnx/{tower}_model{end}" for tower in ("vision", "text") for end in ENDS]
    assert sorted(files_needed(listed, "fp16", PLACES) or []) == [
        "config.json",
        "onnx/text_model_fp16.onnx",
        "onnx/text_model_fp16.onnx_data",
        "onnx/vision_model_fp16.onnx",
        "onnx/vision_model_fp16.onnx_data",
        "tokenizer.json",
    ]


ENDS = (".onnx", "_fp16.onnx", "_fp16.onnx_data", "_quantized.onnx")


@pytest.fixture
def small_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SmallHub]]:
    with serving(write_two_towers(tmp_path / "repository"), monkeypatch) as hub:
        yield hub


def test_a_download_fetches_what_is_needed_once(small_hub: type[SmallHub], models: Path):
    for name in ("README.md", "model.safetensors", "onnx/model.onnx"):
        (small_hub.root / name).write_text("not needed")
    encoder = encoders.load("clip-vit-b-32")
    np.testing.assert_allclose(encoder.embed_texts(["red"]), [[1, 0, 0]], atol=1e-6)
    assert set(small_hub.asked) == {
        "config.json",
        "onnx/text_model.onnx",
        "onnx/vision_model.onnx",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    small_hub.asked.clear()
    assert encoders.load("clip-vit-b-32").weights_hash == encoder.weights_hash
    assert not small_hub.asked


def test_a_precision_that_the_hub_lacks_is_refused_with_those_it_has(small_hub: type[SmallHub]):
    with pytest.raises(EncoderNotFound, match=r"no 'fp16' files.*Use 'clip-vit-b-32:fp32'"):
        encoders.load("clip-vit-b-32:fp16")
    shutil.rmtree(small_hub.root / "onnx")
    with pytest.raises(EncoderNotFound, match="has no ONNX towers"):
        encoders.load("clip-vit-b-32")


def test_weights_beside_the_graph_are_found_through_the_links_of_the_cache(
    models: Path, tmp_path: Path
):
    folder = write_text_only(tmp_path / "text")
    model = onnx.load(folder / "model.onnx")
    for weights in model.graph.initializer:
        onnx.external_data_helper.set_external_data(weights, "model.onnx_data")
    onnx.save(
        model,
        folder / "model.onnx",
        save_as_external_data=True,
        location="model.onnx_data",
        size_threshold=0,
    )
    assert (folder / "model.onnx_data").is_file()
    put_into_cache(models, "Xenova/all-MiniLM-L6-v2", folder)
    encoder = encoders.load("minilm")
    np.testing.assert_allclose(encoder.embed_texts(["red"]), [[1, 0, 0]], atol=1e-6)
