"""Two small grey pictures -> how far they agree in their detail, one perhaps a part of the other.

Hashes and embeddings say what pictures show on the whole: pages of one letterhead, portraits of one
person agree in it. Copies agree in their detail too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]  # (H, W), the longer side SIDE

SIDE = 64  # pixels

_FLAT = 1.2  # grey levels (root of the mean square); less is noise
_UNLIKE = 0.4  # where pictures of half the side agree less, they are not looked at any closer
_SURE = 0.9  # where no smaller part need be looked for
_TRIMMED = 3  # pixels that rounding may add to a side
_PLAIN = 16  # grey levels that compression may add to a frame of one
_SMALLEST = 16  # pixels a side that must be left within a frame


@dataclass(frozen=True, slots=True)
class _Scale:
    """How closely pictures are looked at."""

    frame: int  # pixels: room for one picture beside the other in a Fourier transform
    blur: float  # sigma in pixels: what is coarser is no detail
    sizes: tuple[float, ...]  # that a part is brought to


_FINE = _Scale(2 * SIDE, 3.0, (1, 0.97, 0.94, 0.91, 0.88, 0.84, 0.8, 0.76, 0.72, 0.68, 0.64, 0.6))
_COARSE = _Scale(SIDE, 1.5, (1, 0.94, 0.88, 0.8, 0.72, 0.64))  # of half the side


@dataclass(frozen=True, slots=True)
class _Scene:
    """A picture in which others are looked for."""

    shape: tuple[int, int]
    spectrum: NDArray[np.complex64]  # of its detail
    energy: NDArray[np.float64]  # (H + 1, W + 1) running sums of its square
    is_flat: bool


def likeness(left: Grey, right: Grey, *, turn: int = 0) -> float:
    """How far two pictures agree in detail, 0 to 1: one as a whole in the other, or in a part.

    The normalised correlation (Lewis 1995) of what a Gaussian blur takes away, at the best place
    and at twelve sizes down to 0.6 of a side. `turn` is applied to the left one first
    (`pairing.TURNS`). Pictures without detail (blank pages, black frames) agree with nothing. Most
    pictures that do not agree are told by their halves, at six sizes, in a fifth of the time.
    """
    first = _in_turn(left, turn)
    roughly = _agreement(_half(right), _half(first), _COARSE)
    if roughly is not None and roughly < _UNLIKE:
        return roughly
    return _agreement(right, first, _FINE) or 0.0


def without_frame(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey picture (H, W) of any size without the plain frame around it, if it has one.

    A frame has one level on all four sides. Its edge would count as the picture's strongest detail.
    """
    is_plain = np.abs(grey.astype(np.int16) - int(grey[0, 0])) <= _PLAIN
    if not all(side.all() for side in (is_plain[0], is_plain[-1], is_plain[:, 0], is_plain[:, -1])):
        return grey
    rows, columns = np.flatnonzero(~is_plain.all(axis=1)), np.flatnonzero(~is_plain.all(axis=0))
    if min(len(rows), len(columns)) == 0:
        return grey
    # The outermost lines within are mixed with the frame.
    inner = grey[rows[0] + 1 : rows[-1], columns[0] + 1 : columns[-1]]
    return inner if min(inner.shape) >= _SMALLEST else grey


def _agreement(one: Grey, other: Grey, scale: _Scale) -> float | None:
    """How far two pictures agree, one being a part of the other; None where one has no detail."""
    best = 0.0
    for part, whole in ((one, other), (other, one)):
        scene = _scene(whole.tobytes(), whole.shape, scale)
        if scene.is_flat:
            return None
        for size in scale.sizes:
            best = max(best, _found(part, size, scene, scale))
            if best >= _SURE:
                return best
    return best


def _half(grey: Grey) -> Grey:
    height, width = ((side + 1) // 2 for side in grey.shape)
    small = _box(grey.shape[0], height) @ grey.astype(np.float32) @ _box(grey.shape[1], width).T
    return small.astype(np.uint8)


def _in_turn(grey: Grey, turn: int) -> Grey:
    turned = grey.T if turn >= 4 else grey
    turned = turned[:, ::-1] if turn % 2 else turned
    return np.ascontiguousarray(turned[::-1] if turn % 4 >= 2 else turned)


@lru_cache(maxsize=64)
def _scene(content: bytes, shape: tuple[int, int], scale: _Scale) -> _Scene:
    from scipy import fft

    detail = _detail(np.frombuffer(content, np.uint8).reshape(shape).astype(np.float32), scale)
    energy = np.zeros((shape[0] + 1, shape[1] + 1))
    energy[1:, 1:] = np.cumsum(np.cumsum(detail.astype(np.float64) ** 2, axis=0), axis=1)
    spectrum = fft.rfft2(detail, (scale.frame, scale.frame))
    return _Scene(shape, spectrum, energy, bool(np.sqrt((detail**2).mean()) < _FLAT))


def _found(part: Grey, size: float, scene: _Scene, scale: _Scale) -> float:
    """The best correlation of a picture, brought to a size, anywhere in a scene."""
    from scipy import fft

    height, width = (max(1, round(side * size)) for side in part.shape)
    if height > scene.shape[0] + _TRIMMED or width > scene.shape[1] + _TRIMMED:
        return 0.0
    small = _box(part.shape[0], height) @ part.astype(np.float32) @ _box(part.shape[1], width).T
    wanted = _detail(small, scale)[: scene.shape[0], : scene.shape[1]]
    height, width = wanted.shape
    length = float(np.sqrt((wanted**2).sum()))
    if length < _FLAT * np.sqrt(wanted.size):
        return 0.0
    spectrum = scene.spectrum * np.conj(fft.rfft2(wanted, (scale.frame, scale.frame)))
    rows, columns = scene.shape[0] - height + 1, scene.shape[1] - width + 1
    products = fft.irfft2(spectrum, (scale.frame, scale.frame))[:rows, :columns]
    energy = scene.energy
    there = (
        energy[height:, width:]
        - energy[:-height, width:]
        - energy[height:, :-width]
        + energy[:-height, :-width]
    )
    return float((products / (length * np.sqrt(np.maximum(there, 1)))).max())


@lru_cache(maxsize=256)
def _box(n: int, n_after: int) -> NDArray[np.float32]:
    """(n_after, n) the share of each pixel in the larger ones that a row of n is averaged to."""
    borders = np.linspace(0, n, n_after + 1)
    pixels = np.arange(n)
    shared = np.minimum(borders[1:, None], pixels + 1) - np.maximum(borders[:-1, None], pixels)
    shares: NDArray[np.float32] = (np.maximum(shared, 0) * (n_after / n)).astype(np.float32)
    return shares


def _detail(grey: NDArray[np.float32], scale: _Scale) -> NDArray[np.float32]:
    height, width = grey.shape
    blurred = _gaussian(height, scale.blur) @ grey @ _gaussian(width, scale.blur).T
    return np.asarray(grey - blurred, np.float32)


@lru_cache(maxsize=256)
def _gaussian(n: int, sigma: float) -> NDArray[np.float32]:
    """(n, n) what a Gaussian blur makes of a row of n: a tenth of the time of a filter's call."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(np.eye(n), sigma, axis=0), np.float32)
