"""How alike some things are to each other, as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.analysis.evaluation.similarity import Matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Cosines between images, or mean cosines between clusters. A notebook shows it as one."""

    title: str
    names: Sequence[str]  # (M,)
    matrix: Matrix  # (M, M); of a cluster and itself: of two different members, NaN for one
    pictures: Sequence[bytes] = field(default=(), repr=False)  # (M,) thumbnails, or none

    def to_dict(self) -> dict[str, Any]:
        """Names and nested lists; None where there is no figure."""
        rows = [[None if np.isnan(v) else v for v in row] for row in self.matrix.tolist()]
        return {"title": self.title, "names": list(self.names), "matrix": rows}

    def figure(self) -> Figure:
        """A matplotlib figure."""
        from bilderatlas import figures

        return figures.heat_map(self.matrix, self.names, title=self.title, pictures=self.pictures)

    def to_png(self) -> bytes:
        """A PNG file."""
        from bilderatlas import figures

        return figures.to_png(self.figure())

    def _repr_png_(self) -> bytes:
        return self.to_png()
