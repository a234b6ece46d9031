"""Where a curve bends: Kneedle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]  # (M,)

_LEAST = 0.1  # a bend this small is what measuring a straight line may give


def bend(x: Curve, y: Curve) -> Curve:
    """(M,) how far a rising curve lies above the line between its ends, both scaled to 0..1."""
    width, height = x[-1] - x[0], np.ptp(y)
    if width == 0 or height == 0:
        return np.zeros(len(x))
    return np.asarray((y - y.min()) / height - (x - x[0]) / width)


def knee(x: Curve, y: Curve) -> int | None:
    """Where a rising curve that flattens has its knee; None where it has none.

    Satopaa, Albrecht, Irwin and Raghavan 2011 ("Finding a Kneedle in a Haystack", section III,
    offline, S = 1): the highest bend, if the bend falls again by more than the mean step of x. For
    a falling curve hand in -y.
    """
    above = bend(x, y)
    top = int(above.argmax())
    mean_step = 1 / (len(x) - 1) if len(x) > 1 else 1.0
    falls_again = (above[top:] < above[top] - mean_step).any()
    return top if above[top] >= _LEAST and falls_again else None
