"""Preparing pictures, against numbers worked out by hand."""

import numpy as np
import pytest
from PIL import Image

from bilderatlas.errors import EncoderNotFound
from bilderatlas.models.encoders.preprocessing import Preprocessing

CLIP = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "image_mean": [0.5, 0.25, 0.0],
    "image_std": [0.5, 0.25, 2.0],
    "resample": 3,
    "size": 224,
}


def halves(size: tuple[int, int]) -> Image.Image:
    """Left half black, right half white."""
    image = Image.new("RGB", size, "black")
    image.paste("white", (size[0] // 2, 0, size[0], size[1]))
    return image


def test_channels_are_rescaled_then_normalised():
    pixels = Preprocessing.from_config(CLIP).apply(Image.new("RGB", (300, 400), (255, 0, 51)))
    assert pixels.shape == (3, 224, 224)
    assert pixels.dtype == np.float32
    # Red: 1 less 0.5, by 0.5. Green: 0 less 0.25, by 0.25. Blue: 51/255 by 2.
    np.testing.assert_allclose(pixels[:, 7, 9], [1, -1, 0.1], rtol=1e-6)


def test_the_builtin_scale_is_x_less_127_by_128():
    config = CLIP | {"image_mean": [127 / 255] * 3, "image_std": [128 / 255] * 3}
    pixels = Preprocessing.from_config(config).apply(Image.new("RGB", (224, 224), (255, 127, 0)))
    np.testing.assert_allclose(pixels[:, 0, 0], [1, 0, -127 / 128], atol=1e-6)


def test_the_centre_of_a_wide_picture_is_kept():
    pixels = Preprocessing.from_config(CLIP).apply(halves((2240, 224)))
    assert pixels[2, 0, 0] == 0
    assert pixels[2, 0, 223] == pytest.approx(0.5)  # white: (1 - 0) / 2


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000)])
def test_a_line_is_prepared_without_making_it_a_wall(size: tuple[int, int]):
    pixels = Preprocessing.from_config(CLIP).apply(Image.new("RGB", size, (255, 0, 51)))
    np.testing.assert_allclose(pixels[:, 7, 9], [1, -1, 0.1], rtol=1e-6)


def test_the_middle_of_a_long_picture_is_that_of_the_whole_resized():
    noise = np.random.default_rng(0).integers(0, 256, (32, 1600, 3), dtype=np.uint8)
    long = Image.fromarray(noise)
    whole = long.resize((11_200, 224), Image.Resampling.BICUBIC).crop((5488, 0, 5712, 224))
    preparing = Preprocessing.from_config(CLIP)
    np.testing.assert_array_equal(preparing.apply(long), preparing.apply(whole))


def test_both_sides_are_set_where_height_and_width_are_stated():
    config = CLIP | {"size": {"height": 2, "width": 4}, "do_center_crop": False, "resample": 0}
    pixels = Preprocessing.from_config(config).apply(halves((8, 8)))
    np.testing.assert_allclose(pixels[2], [[0, 0, 0.5, 0.5]] * 2)


def test_a_bare_size_without_a_crop_is_both_sides():
    config = {"size": 4, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    assert Preprocessing.from_config(config).apply(halves((40, 10))).shape == (3, 4, 4)


def test_a_crop_fraction_enlarges_the_shorter_side():
    config = CLIP | {"size": {"shortest_edge": 224}, "crop_pct": 0.875}
    assert Preprocessing.from_config(config).input_side == 256


def test_steps_can_be_turned_off():
    config = CLIP | {"do_normalize": False, "do_rescale": False}
    pixels = Preprocessing.from_config(config).apply(Image.new("RGB", (224, 224), (255, 0, 51)))
    assert pixels[:, 0, 0].tolist() == [255, 0, 51]


def test_a_picture_narrower_than_the_crop_is_set_in_black():
    config = CLIP | {"do_resize": False, "do_normalize": False, "crop_size": 4}
    pixels = Preprocessing.from_config(config).apply(Image.new("RGB", (2, 2), "white"))
    assert pixels[0].tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("key", ["size", "crop_size", "image_mean", "image_std"])
def test_a_config_that_lacks_a_value_is_refused_by_its_name(key: str):
    config = {name: value for name, value in CLIP.items() if name != key}
    with pytest.raises(EncoderNotFound, match=f"does not state '{key}'"):
        Preprocessing.from_config(config)


def test_pictures_without_a_fixed_size_are_refused():
    config = CLIP | {"size": {"shortest_edge": 224}, "do_center_crop": False}
    with pytest.raises(EncoderNotFound, match="no fixed size"):
        _ = Preprocessing.from_config(config).shape


CONVNEXT = {
    "feature_extractor_type": "ConvNextFeatureExtractor",
    "crop_pct": 0.875,
    "image_mean": [0, 0, 0],
    "image_std": [1, 1, 1],
    "resample": 3,
    "size": {"shortest_edge": 224},
}


def test_convnext_cuts_out_what_its_fraction_leaves():
    small = Preprocessing.from_config(CONVNEXT)
    assert (small.input_side, small.shape) == (256, (224, 224))
    large = Preprocessing.from_config(CONVNEXT | {"size": 384})
    assert (large.resize, large.crop) == ((384, 384), None)


def test_a_bare_size_is_both_sides_for_deit():
    config = CLIP | {"feature_extractor_type": "DeiTFeatureExtractor", "size": 256}
    assert Preprocessing.from_config(config).resize == (256, 256)
    assert Preprocessing.from_config(CLIP).resize == 224


def test_efficientnet_divides_by_the_deviation_twice():
    config = CLIP | {"image_processor_type": "EfficientNetImageProcessor", "include_top": True}
    white = Image.new("RGB", (224, 224), "white")
    pixels = Preprocessing.from_config(config).apply(white)[:, 0, 0]
    np.testing.assert_allclose(pixels, [1 / 0.5, 3 / 0.25, 0.5 / 2], rtol=1e-6)
    offset = config | {"rescale_offset": True, "rescale_factor": 1 / 127.5}  # to -1..1
    pixels = Preprocessing.from_config(offset).apply(white)[:, 0, 0]
    np.testing.assert_allclose(pixels, [1 / 0.5, 3 / 0.25, 0.5 / 2], rtol=1e-5)
    pixels = Preprocessing.from_config(offset).apply(Image.new("RGB", (224, 224), "black"))
    np.testing.assert_allclose(pixels[:, 0, 0], [-6, -20, -0.25], rtol=1e-5)


def test_timm_states_the_crop_as_a_fraction():
    config = {
        "input_size": [3, 224, 224],
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "crop_mode": "center",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    }
    read = Preprocessing.from_config(config)
    assert (read.resize, read.crop, read.resample) == (248, (224, 224), Image.Resampling.BICUBIC)
    assert read.apply(Image.new("RGB", (300, 300), "white"))[0, 0, 0] == pytest.approx(1)
    squash = Preprocessing.from_config(config | {"crop_mode": "squash", "crop_pct": 1})
    assert squash.resize == (224, 224)
    with pytest.raises(EncoderNotFound, match="'border'"):
        Preprocessing.from_config(config | {"crop_mode": "border"})


def test_openclip_states_the_size_alone():
    config = {"size": 256, "interpolation": "bilinear", "mean": [0, 0, 0], "std": [1, 1, 1]}
    read = Preprocessing.from_config(config)
    assert (read.resize, read.crop, read.resample) == (256, (256, 256), Image.Resampling.BILINEAR)
