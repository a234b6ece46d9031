import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from bilderatlas._open import create
from bilderatlas.errors import EncoderMismatch, EncoderNotFound, QueryError
from bilderatlas.models import encoders
from tests.models.encoders.onnx_folders import IDS, write_text_only, write_tower, write_two_towers
from tests.pictures import plain, put


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(EncoderNotFound, match=r"'clipp'.*'builtin'.*folder"):
        encoders.load("clipp")


@pytest.mark.parametrize("name", ["builtin", "folder"])
def test_an_absent_device_is_refused_with_those_there_are(name: str, tmp_path: Path):
    with pytest.raises(EncoderNotFound, match=r"'tpu'.*'cpu'"):
        encoders.load(name if name == "builtin" else write_two_towers(tmp_path), device="tpu")


def test_the_builtin_encoder_is_available_and_weighs_at_most_40_mb():
    facts = encoders.available()[0]
    assert facts.name == "builtin"
    assert facts.reads_text
    assert 20e6 < facts.n_bytes <= 40e6
    assert facts.dim == encoders.load("builtin").dim


def test_the_number_of_threads_reaches_both_towers():
    encoder = encoders.load("builtin", device="cpu", n_threads=1)
    for tower in (encoder._image_tower, encoder._texts._tower):
        assert tower._session._session.get_session_options().intra_op_num_threads == 1


def test_a_folder_is_known_by_its_name_and_its_weights(tmp_path: Path):
    first = encoders.load(write_two_towers(tmp_path / "My CLIP (v2)"))
    second = encoders.load(write_two_towers(tmp_path / "other"))
    assert first.space == "my-clip-v2"
    assert first.weights_hash == second.weights_hash
    config = tmp_path / "other" / "preprocessor_config.json"
    config.write_text(config.read_text().replace('"resample": 0', '"resample": 2'))
    assert encoders.load(tmp_path / "other").weights_hash != first.weights_hash


def test_an_empty_folder_is_refused_with_the_file_it_lacks(tmp_path: Path):
    with pytest.raises(EncoderNotFound, match=r"no image tower.*onnx/vision_model.onnx"):
        encoders.load(tmp_path)


@pytest.mark.parametrize(
    "file", ["preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "config.json"]
)
def test_a_folder_that_lacks_a_file_is_refused_by_its_name(file: str, tmp_path: Path):
    (write_two_towers(tmp_path) / file).unlink()
    with pytest.raises(EncoderNotFound, match=f"lacks {file}"):
        encoders.load(tmp_path)


def test_a_pointer_in_the_place_of_weights_is_refused(tmp_path: Path):
    tower = write_two_towers(tmp_path) / "onnx" / "vision_model.onnx"
    tower.write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(EncoderNotFound, match=r"vision_model.onnx is not a model.*pointer"):
        encoders.load(tmp_path)


def test_a_json_file_cut_short_is_refused(tmp_path: Path):
    (write_two_towers(tmp_path) / "preprocessor_config.json").write_text('{"size": ')
    with pytest.raises(EncoderNotFound, match=r"preprocessor_config.json is not JSON"):
        encoders.load(tmp_path)


def test_a_classifier_without_embeddings_is_refused(tmp_path: Path):
    folder = write_two_towers(tmp_path)
    rename_output(folder / "onnx" / "vision_model.onnx", "image_embeds", "logits")
    with pytest.raises(EncoderNotFound, match=r"puts out logits.*image_embeds.*feature-extraction"):
        encoders.load(folder)


def test_towers_of_different_width_are_refused(tmp_path: Path):
    folder = write_two_towers(tmp_path)
    cast = helper.make_node("Cast", ["input_ids"], ["text_embeds"], to=TensorProto.FLOAT)
    outputs = {"text_embeds": ["batch", "tokens"]}
    write_tower(folder / "onnx" / "text_model.onnx", [cast], IDS, outputs)
    with pytest.raises(EncoderNotFound, match=r"3 numbers per image and 1 per text"):
        encoders.load(folder)


def test_importing_encoders_loads_nothing_heavy():
    code = (
        "import sys, bilderatlas.models.encoders; "
        "print({'onnxruntime', 'huggingface_hub', 'tokenizers', 'PIL', 'torch'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def rename_output(path: Path, old: str, new: str) -> None:
    model = onnx.load(path)
    model.graph.output[0].name = new
    model.graph.node[-1].output[0] = new
    assert old not in [output.name for output in model.graph.output]
    onnx.save(model, path)


def test_a_text_encoder_cannot_index_pictures(tmp_path: Path):
    put(tmp_path / "pictures" / "red.png", plain("red"))
    atlas = create(tmp_path / "words.atlas")
    with pytest.raises(EncoderMismatch, match=r"reads texts only.*bilderatlas encoders"):
        atlas.index(tmp_path / "pictures", encoder=str(write_text_only(tmp_path / "text")))


def test_indexing_asks_for_a_device_and_says_what_ran(tmp_path: Path):
    put(tmp_path / "pictures" / "red.png", plain("red"))
    atlas = create(tmp_path / "red.atlas")
    folder = str(write_two_towers(tmp_path / "clip"))
    summary = atlas.index(tmp_path / "pictures", encoder=folder, device="cpu")
    assert (summary.device, summary.encoder, summary.n_new) == ("cpu", folder, 1)
    with pytest.raises(EncoderNotFound, match="device 'tpu'"):
        atlas.index(tmp_path / "pictures", device="tpu")


def test_the_text_half_of_builtin_is_an_encoder_of_texts_by_itself():
    alone, both = (
        encoders.load("builtin-text", device="cpu"),
        encoders.load("builtin", device="cpu"),
    )
    texts = ["a red bicycle", "une bicyclette", ""]
    np.testing.assert_array_equal(alone.embed_texts(texts), both.embed_texts(texts))
    assert (alone.dim, alone.joint_dim, alone.reads_images) == (384, None, False)
    assert alone.weights_hash != both.weights_hash
    assert alone.embed_texts([]).shape == (0, 384)
    with pytest.raises(QueryError, match=r"'builtin-text' reads texts only.*'builtin'"):
        alone.prepare(Image.new("RGB", (9, 9)))


def test_texts_of_like_meaning_are_nearer_than_others():
    encoder = encoders.load("builtin-text", device="cpu")
    bicycle, bike, soup = encoder.embed_texts(["a red bicycle", "a bike", "a bowl of soup"])
    assert bicycle @ bike > 0.6 > bicycle @ soup
