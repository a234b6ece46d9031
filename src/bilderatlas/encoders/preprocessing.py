"""Picture -> the pixels that a model was trained on, as its preprocessor_config.json says.

The one home of that rule; `builtin` states its own in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from bilderatlas.arrays import Pixels
from bilderatlas.errors import EncoderNotFound

MAX_ASPECT = 8  # longer side / shorter side of what is resized before a crop
Size = int | tuple[int, int]  # pixels: the shorter side, or (height, width)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resize, crop the centre, rescale, normalise: each step optional, always in this order."""

    resize: Size | None
    crop: tuple[int, int] | None  # (height, width)
    resample: Image.Resampling
    rescale: float
    mean: tuple[float, ...]  # a channel, after rescaling
    std: tuple[float, ...]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocessing:
        """Read what Hugging Face image processors write, in the spellings of all its years."""
        crops = config.get("do_center_crop", "crop_size" in config)
        resizes = config.get("do_resize", True)
        normalises = config.get("do_normalize", True)
        return cls(
            resize=_size_of(config, crops=crops) if resizes else None,
            crop=_height_and_width(_stated(config, "crop_size")) if crops else None,
            resample=Image.Resampling(config.get("resample", Image.Resampling.BICUBIC)),
            rescale=config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1,
            mean=tuple(_stated(config, "image_mean")) if normalises else (0.0, 0.0, 0.0),
            std=tuple(_stated(config, "image_std")) if normalises else (1.0, 1.0, 1.0),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of every prepared picture."""
        if self.crop:
            return self.crop
        if isinstance(self.resize, tuple):
            return self.resize
        raise EncoderNotFound(
            "preprocessor_config.json gives pictures no fixed size: it has neither 'crop_size' "
            "nor a 'size' with height and width. Add one of them."
        )

    @property
    def input_side(self) -> int:
        """Pixels that a picture's shorter side needs before it is resized."""
        return self.resize if isinstance(self.resize, int) else max(self.resize or self.shape)

    def apply(self, image: Image.Image) -> Pixels:
        """One upright RGB picture -> (3, H, W) float32."""
        if self.resize:
            image = _without_far_ends(image) if self.crop else image
            image = image.resize(_resized(image.size, self.resize), self.resample)
        if self.crop:
            image = _crop_centre(image, *self.crop)
        std = np.asarray(self.std, dtype=np.float32)
        gain = np.float32(self.rescale) / std
        shift = np.asarray(self.mean, dtype=np.float32) / std
        scaled = np.asarray(image, dtype=np.float32) * gain - shift  # (H, W, 3)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1))  # (3, H, W)


def _stated(config: Mapping[str, Any], key: str) -> Any:
    if key in config:
        return config[key]
    raise EncoderNotFound(
        f"preprocessor_config.json does not state {key!r}, so pictures cannot be prepared as the "
        "model was trained. Take the file from the repository that the model came from."
    )


def _size_of(config: Mapping[str, Any], *, crops: bool) -> Size:
    """A bare number is the shorter side where a crop follows, else both sides (as ViT)."""
    size = _stated(config, "size")
    if isinstance(size, int):
        return size if crops else (size, size)
    if "shortest_edge" not in size:
        return _height_and_width(size)
    side = int(size["shortest_edge"])
    # ConvNeXT: below 384 pixels `size` is that of the crop, which is a fixed part of the whole.
    return int(side / config["crop_pct"]) if "crop_pct" in config and side < 384 else side


def _height_and_width(size: int | Mapping[str, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size["height"], size["width"])


def _resized(size: tuple[int, int], target: Size) -> tuple[int, int]:
    """(width, height) after resizing; the longer side is rounded down, as torchvision does."""
    if isinstance(target, tuple):
        return target[1], target[0]
    shorter = min(size)
    width, height = (max(target, target * side // shorter) for side in size)
    return width, height


def _without_far_ends(image: Image.Image) -> Image.Image:
    """The middle of a very long picture, which the crop leaves no more of.

    A line of 20,000 x 2 pixels, resized whole, would take gigabytes.
    """
    longest = MAX_ASPECT * min(image.size)
    return _crop_centre(image, min(image.height, longest), min(image.width, longest))


def _crop_centre(image: Image.Image, height: int, width: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))  # outside the picture is black
