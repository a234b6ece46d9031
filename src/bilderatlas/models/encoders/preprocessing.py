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
        """Read what image processors write: Hugging Face's of all years, timm's, OpenCLIP's."""
        if "interpolation" in config:
            return cls._from_timm(config)
        resize, crop = _size_and_crop(config)
        mean, std = [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]
        if config.get("do_normalize", True):
            mean, std = _stated(config, "image_mean"), _stated(config, "image_std")
        if config.get("rescale_offset"):  # EfficientNet: to -1..1, before normalising
            mean = [value + 1 for value in mean]
        if config.get("include_top", _is(config, "EfficientNet")):  # and divided by std again
            std = [value**2 for value in std]
        return cls(
            resize=resize if config.get("do_resize", True) else None,
            crop=crop,
            resample=Image.Resampling(config.get("resample", Image.Resampling.BICUBIC)),
            rescale=config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1,
            mean=tuple(mean),
            std=tuple(std),
        )

    @classmethod
    def _from_timm(cls, config: Mapping[str, Any]) -> Preprocessing:
        """timm's `pretrained_cfg` and OpenCLIP's `preprocess_cfg`."""
        size = config["input_size"][1:] if "input_size" in config else _stated(config, "size")
        height, width = (size, size) if isinstance(size, int) else size
        mode = config.get("crop_mode") or config.get("resize_mode", "shortest")
        if mode not in ("center", "shortest", "squash") or (mode != "squash" and height != width):
            raise EncoderNotFound(
                f"The model's files ask to prepare pictures by {mode!r} to {height} x {width}; "
                "'center', 'shortest' (of a square) and 'squash' are known."
            )
        whole = [int(side / config.get("crop_pct", 1)) for side in (height, width)]
        return cls(
            resize=(whole[0], whole[1]) if mode == "squash" else whole[0],
            crop=(height, width),
            resample=Image.Resampling[config["interpolation"].upper()],
            rescale=1 / 255,
            mean=tuple(_stated(config, "mean")),
            std=tuple(_stated(config, "std")),
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


def _size_and_crop(config: Mapping[str, Any]) -> tuple[Size | None, tuple[int, int] | None]:
    """To which size to bring a picture, and what to cut out of its middle."""
    if not config.get("do_resize", True):
        return None, _crop(config)
    size = _stated(config, "size")
    if "crop_pct" in config or _is(config, "ConvNext"):
        side = size if isinstance(size, int) else int(size["shortest_edge"])
        if side >= 384:  # as ConvNeXT was trained: all of the picture, out of proportion
            return (side, side), None
        return int(side / (config.get("crop_pct") or 224 / 256)), (side, side)
    crop = _crop(config)
    if isinstance(size, int):  # the shorter side where a crop follows, else both, as ViT
        is_shorter = crop and not _is(config, "DeiT")
        return (size if is_shorter else (size, size)), crop
    if "shortest_edge" in size:
        return int(size["shortest_edge"]), crop
    return _height_and_width(size), crop


def _crop(config: Mapping[str, Any]) -> tuple[int, int] | None:
    if not config.get("do_center_crop", "crop_size" in config):
        return None
    return _height_and_width(_stated(config, "crop_size"))


def _is(config: Mapping[str, Any], model: str) -> bool:
    """Whether the processor is of that model's."""
    kind = config.get("image_processor_type") or config.get("feature_extractor_type") or ""
    return str(kind).startswith(model)


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
