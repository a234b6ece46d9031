"""Any mode of Pillow's -> RGB of 8 bits, in the colours of sRGB, on a ground where it is none."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

GROUND_OF_WHITE = (96, 96, 96)  # what a white drawing on a transparent ground lies on
NEARLY_WHITE = 224  # of 255
SHARE_OF_INK = 0.01  # of what is opaque: darker than that, and white is a ground for it
SAMPLED_SIDE = 512  # pixels that tell what a ground is needed for
SHORT_WHITES = (255, 1023, 4095)  # of 8, 10 and 12 bits that are kept in 16


@dataclass(frozen=True, slots=True)
class Scale:
    """What the values of a picture of more than 8 bits mean, as far as its file says so."""

    n_bits: int = 8  # of a sample
    is_signed: bool = False
    white: float | None = None  # the highest value that is used
    is_inverted: bool = False  # white is the lowest


UNKNOWN = Scale()


def to_rgb(image: Image.Image, scale: Scale = UNKNOWN) -> Image.Image:
    """Any Pillow mode -> RGB of 8 bits, in the colours of sRGB, transparency on a ground."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _from_deep(image, scale)
    elif scale.n_bits == 16 and image.mode in ("RGB", "RGBA"):
        image = _from_high_bytes(image, scale)
    if image.mode == "CMYK":
        return _to_srgb(image).convert("RGB")
    if image.has_transparency_data:
        return _to_srgb(_on_a_ground(_as_shown(image.convert("RGBA"))))
    return _to_srgb(_as_shown(image.convert("RGB")))


def _on_a_ground(rgba: Image.Image) -> Image.Image:
    """On white; but what is itself nearly white, on grey."""
    flat = Image.new("RGB", rgba.size, GROUND_OF_WHITE if _is_nearly_white(rgba) else "white")
    flat.paste(rgba, mask=rgba)
    flat.info = rgba.info  # its colour profile
    return flat


def _is_nearly_white(rgba: Image.Image) -> bool:
    """Whether what can be seen would be lost on white."""
    width, height = (min(side, SAMPLED_SIDE) for side in rgba.size)
    sampled = rgba.resize((width, height), Image.Resampling.NEAREST)  # 100 megapixels are 400 MB
    values = np.asarray(sampled, dtype=np.float32)  # (H, W, 4)
    opacity = values[..., 3]  # (H, W)
    light = values[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)  # (H, W)
    ink = opacity[light < NEARLY_WHITE].sum()
    return bool(opacity.any() and opacity.min() < 255 and ink < SHARE_OF_INK * opacity.sum())


def _as_shown(image: Image.Image) -> Image.Image:
    """Brought to sRGB by the gamma of a PNG that states neither sRGB nor a profile."""
    gamma = image.info.get("gamma")
    if not gamma or "srgb" in image.info or image.info.get("icc_profile"):
        return image
    if abs(gamma * 2.2 - 1) < 0.05:  # that of sRGB
        return image
    linear = (np.arange(256) / 255) ** (1 / gamma)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    levels = (curve * 255).round().astype(int).tolist()
    return image.point(levels * 3 + (list(range(256)) if image.mode == "RGBA" else []))


def _to_srgb(image: Image.Image) -> Image.Image:
    """Colours as meant: wide-gamut and print profiles are brought to sRGB."""
    profile = image.info.get("icc_profile")
    if not profile or b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile:
        return image
    try:
        source, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # a broken profile says nothing about the colours
        return image
    assert converted is not None, "only an in-place conversion returns nothing"
    return converted


def _from_deep(image: Image.Image, scale: Scale) -> Image.Image:
    """Grey of 8 bits, with what else the file says."""
    values = np.asarray(image)  # (H, W) uint16, int32 or float32
    if image.mode == "I" and scale.n_bits == 32 and not scale.is_signed:
        values = values.view(np.uint32)
    is_short = values.dtype.itemsize == 2
    grey = _from_short(values, scale) if is_short else _from_long(values, scale)
    made = Image.fromarray(255 - grey if scale.is_inverted else grey)
    made.info = dict(image.info)
    transparent = made.info.pop("transparency", None)
    if transparent is not None:
        made.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return made


def _from_short(values: NDArray[np.uint16], scale: Scale) -> NDArray[np.uint8]:
    """16 bits keep their range, or that of fewer bits if no value has more."""
    levels = np.arange(1 << 16) / _white(int(values.max(initial=0)), scale)
    grey: NDArray[np.uint8] = np.rint(255 * levels.clip(0, 1)).astype(np.uint8)[values]
    return grey


def _from_long(values: NDArray[np.generic], scale: Scale) -> NDArray[np.uint8]:
    """Integers and floats are stretched to their range, unless that could be of 16 bits."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and 255 < high <= 65535:
        low, high = 0.0, _white(high, scale)
    gain = 255 / max(high - low, 1e-12)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities among floats
        grey = np.nan_to_num((values.astype(np.float32) - np.float32(low)) * np.float32(gain))
    rounded: NDArray[np.uint8] = np.clip(grey, 0, 255).round().astype(np.uint8)
    return rounded


def _from_high_bytes(image: Image.Image, scale: Scale) -> Image.Image:
    """Colours of 16 bits, of which Pillow keeps the higher 8: all dark where only 12 are used."""
    highest = max(int(band.getextrema()[1]) for band in image.split()[:3])  # type: ignore[arg-type]
    white = int(_white(256 * highest, scale)) >> 8  # of 4095: 15
    if not 0 < white < 255:
        return image
    levels = [min(255, round(255 * level / white)) for level in range(256)]
    return image.point(levels * 3 + (list(range(256)) if image.mode == "RGBA" else []))


def _white(highest: float, scale: Scale) -> float:
    """The value that white has, given the highest there is; one that is exceeded is not true."""
    if scale.white and highest <= scale.white < inf:
        return scale.white
    full = 32767 if scale.n_bits == 16 and scale.is_signed else 65535
    return next((white for white in (*SHORT_WHITES, full) if highest <= white), 65535)
