"""What `evaluate` found: `Evaluation`. `page.py` makes it HTML, `charts.py` draws its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.analysis.evaluation import Agreement, Grid, ModalityGap, Retrieval, Separation
from bilderatlas.analysis.evaluation.similarity import Matrix
from bilderatlas.errors import StoreError
from bilderatlas.output.evaluation_report.heat_map import HeatMap
from bilderatlas.results import Run, Thumbnails, image_id_of, load_pandas
from bilderatlas.storage import place_rows

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NOISE = "noise"


@dataclass(frozen=True, slots=True)
class LabelsUsed:
    """What the ground truth was, and how much of it could be used."""

    source: str
    n_labelled: int  # rows: a region at one of its places, in one of its classes
    n_images: int  # different images among them
    n_unlabelled: int  # regions at places without a label
    classes: Mapping[str, int]  # class -> how many rows, the largest first
    n_unknown: int  # names of no image of the collection
    n_torn: int  # images in several classes
    warnings: tuple[str, ...]  # a line for each of these, with the first of them

    def to_dict(self) -> dict[str, Any]:
        classes = [{"label": name, "n": n} for name, n in self.classes.items()]
        return asdict(self) | {"classes": classes, "warnings": list(self.warnings)}


@dataclass(frozen=True, slots=True)
class JudgedCluster:
    """One cluster, and the class that it stands for."""

    cluster: int
    name: str
    size: int  # of its rows with a label
    label: str | None  # the class that it is matched to; None for a surplus cluster
    n_right: int  # rows of that class in it


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A clustering beside the ground truth."""

    about: Run
    agreement: Agreement  # over all rows with a label
    clustered_only: Agreement | None  # over those that are not noise
    clusters: tuple[JudgedCluster, ...]  # largest first

    def to_dict(self) -> dict[str, Any]:
        about = {"run": self.about.run, "method": self.about.method}
        return {
            **about,
            "parameters": dict(self.about.parameters),
            **asdict(self.agreement),
            "clustered_only": self.clustered_only and asdict(self.clustered_only),
            "clusters": [asdict(cluster) for cluster in self.clusters],
        }


@dataclass(frozen=True, slots=True)
class ClassSimilarity:
    """How alike the largest classes are within and between, and what tells classes apart."""

    classes: tuple[str, ...]  # (C,) the largest ones, like ones side by side
    n_classes: int  # in all
    matrix: Matrix  # (C, C) mean cosines
    separation: Separation | None  # over pairs of all classes

    def to_dict(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "n_classes": self.n_classes,
            "matrix": _numbers(self.matrix),
            "separation": self.separation and _plain(asdict(self.separation)),
        }


@dataclass(frozen=True, slots=True)
class Captions:
    """Captions beside pictures: the gap between the two kinds, and what captions find."""

    n_captions: int  # different ones; of more than 2,000 as many are drawn
    gap: ModalityGap | None
    retrieval: Retrieval
    shown_texts: tuple[str, ...]  # (S,) the captions in the gap's matrix
    shown_images: tuple[str, ...]  # (S,) the ids of their pictures

    def to_dict(self) -> dict[str, Any]:
        retrieval = asdict(self.retrieval)
        recalls = {str(k): share for k, share in self.retrieval.recall_at.items()}
        gap = _plain(asdict(self.gap)) if self.gap else None
        if gap:
            del gap["shown"], gap["shown_captions"]
        return {
            "retrieval": retrieval | {"recall_at": recalls, "n_captions": self.n_captions},
            "modality": gap and gap | {"texts": self.shown_texts, "image_ids": self.shown_images},
        }


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The groups of every run beside the real ones, called alike where they were matched."""

    region_ids: tuple[str, ...]  # (N,)
    places: pa.Table  # (N,) where each is, as `places.rows` has them
    real: tuple[str, ...]  # (N,)
    predicted: Mapping[str, tuple[str | None, ...]]  # run -> (N,); None: not in this run

    @property
    def paths(self) -> list[str]:
        """(N,) the file of each."""
        found: list[str] = self.places["path"].to_pylist()
        return found

    def to_arrow(self) -> pa.Table:
        """A row for every place and class of a region: path, image_id, region_id, label, a column a
        run, place_id, and the metadata of the place.
        """
        import pyarrow as pa

        columns = {
            "path": self.paths,
            "image_id": list(map(image_id_of, self.region_ids)),
            "region_id": self.region_ids,
            "label": self.real,
            **self.predicted,
            "place_id": self.places["place_id"].to_pylist(),
        }
        told = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        return pa.table(
            told | place_rows.metadata_columns(self.places["metadata"].to_pylist(), told)
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well a space and its clusterings agree with what people say the images are."""

    collection: str
    encoder: str
    kind: str  # of the regions that were judged
    labels: LabelsUsed
    runs: tuple[JudgedRun, ...]
    similarity: ClassSimilarity
    dbscan: Grid
    captions: Captions | None
    side_by_side: SideBySide
    thumbnails: Thumbnails = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """All figures; the rows of `side_by_side` are in `to_arrow`."""
        captions = self.captions.to_dict() if self.captions else {}
        return {
            "collection": self.collection,
            "encoder": self.encoder,
            "kind": self.kind,
            "labels": self.labels.to_dict(),
            "runs": [run.to_dict() for run in self.runs],
            "similarity": self.similarity.to_dict(),
            "dbscan": _grid(self.dbscan),
            "modality": captions.get("modality"),
            "retrieval": captions.get("retrieval"),
        }

    def to_arrow(self) -> pa.Table:
        """The table of runs side by side, a row for every place and class of a region."""
        return self.side_by_side.to_arrow()

    def to_pandas(self) -> pd.DataFrame:
        """The same as a pandas DataFrame. Raises MissingExtra."""
        load_pandas()
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def to_html(self) -> str:
        """One page with all figures that opens from disk."""
        from bilderatlas.output.evaluation_report import page

        return page.of(self)

    def write(self, path: str | Path) -> None:
        """Write the page. Raises StoreError where the file cannot be written."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.to_html(), "utf-8")
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error

    def heat_map(self) -> HeatMap:
        """How alike the classes are, as a picture."""
        similarity = self.similarity
        return HeatMap(f"Classes of {self.collection}", similarity.classes, similarity.matrix)

    def _repr_png_(self) -> bytes:
        return self.heat_map().to_png()


def _grid(grid: Grid) -> dict[str, Any]:
    rows = [
        {"eps": s.eps, "min_samples": s.min_samples} | asdict(s.agreement) for s in grid.settings
    ]
    best = grid.settings.index(grid.best)
    return {"n_rows": grid.n_rows, "settings": rows, "best": rows[best]}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays as lists."""
    return {k: _numbers(v) if isinstance(v, np.ndarray) else v for k, v in row.items()}


def _numbers(array: np.ndarray[Any, Any]) -> list[Any]:
    """Nested lists; NaN, which JSON has not, is None."""
    return [
        _numbers(item)
        if isinstance(item, np.ndarray)
        else None
        if math.isnan(item)
        else float(item)
        for item in array
    ]
