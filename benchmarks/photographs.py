"""Large photographs for benchmarks: labelled real ones, enlarged, with grain.

Cameras make files of 12 megapixels; the test photographs have a quarter of one. Enlarged and
with sensor-like grain they cost as much to read, decode and reduce as a camera's.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

TWELVE_MEGAPIXELS = 4000  # the longer side at 4:3
GRAIN = 4.0  # standard deviation, of 255
ROOT = Path(__file__).parents[1]


def real_photographs() -> list[Path]:
    """The photographs of the test assets."""
    assets = Path(os.environ.get("BILDERATLAS_TEST_ASSETS", ROOT.parent / "shared")) / "data"
    found = sorted((assets / "coco" / "images").glob("*.jpg"))
    found += sorted((assets / "clothing").glob("*/*.jpg"))
    if not found:
        raise SystemExit(f"No photographs in {assets}: set BILDERATLAS_TEST_ASSETS.")
    return found


def enlarge(folder: Path, n: int, *, longer_side: int = TWELVE_MEGAPIXELS) -> Path:
    """Write n different photographs as JPEGs of that size; keeps those already there."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (photograph, folder / f"{number:05d}.jpg", longer_side)
        for number, photograph in enumerate(islice(cycle(real_photographs()), n))
    ]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_enlarge_one, jobs, chunksize=8))
    return folder


def _enlarge_one(job: tuple[Path, Path, int]) -> None:
    photograph, target, longer_side = job
    if target.exists():
        return
    image = Image.open(photograph).convert("RGB")
    factor = longer_side / max(image.size)
    image = image.resize((round(image.width * factor), round(image.height * factor)))
    rng = np.random.default_rng(int(target.stem))  # no two files are the same picture
    grain = rng.standard_normal((image.height // 2, image.width // 2), dtype=np.float32) * GRAIN
    grain = np.kron(grain, np.ones((2, 2), np.float32))[..., None]  # cameras smooth theirs
    pixels = np.asarray(image, dtype=np.float32)[: len(grain), : grain.shape[1]]
    Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(target, quality=92)
