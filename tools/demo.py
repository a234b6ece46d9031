"""A pile of pictures to try Bilderatlas on, made without a network.

    python tools/demo.py pictures demo/pictures

It looks like a recovered disk: photographs that installed packages carry, as a person keeps them
(originals, crops, black and white copies, small ones), pages and pictures drawn by
demo_pictures, and some broken files. CREDITS.txt says where the photographs are from.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from demo_pictures import DRAWINGS, Rng
from PIL import Image, ImageEnhance, ImageOps

N_FOLDERS = 6
SEED = 1929  # the last year of the first Bilderatlas


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph inside an installed package."""

    package: str
    path: str
    credit: str
    n_views: int  # how many crops and copies of it a demo pile holds


PHOTOGRAPHS = [
    Photograph("skimage.data", "chelsea.png", "Chelsea the cat, Stefan van der Walt, CC0", 9),
    Photograph("skimage.data", "coffee.png", "Cup of coffee, Rachel Michetti, CC0", 8),
    Photograph("skimage.data", "rocket.jpg", "Falcon 9 rocket, SpaceX, public domain", 8),
    Photograph("skimage.data", "astronaut.png", "Eileen Collins, NASA, public domain", 7),
    Photograph("skimage.data", "camera.png", "Photographer, Lav Varshney, CC0", 6),
    Photograph("skimage.data", "horse.png", "Silhouette of a horse, Andreas Preuss, CC0", 6),
    Photograph("skimage.data", "hubble_deep_field.jpg", "Hubble, NASA, public domain", 6),
    Photograph("skimage.data", "retina.jpg", "Fundus of an eye, Mikael Häggström, CC0", 5),
    Photograph("skimage.data", "brick.png", "Bricks, CC0Textures, CC0", 5),
    Photograph("skimage.data", "grass.png", "Grass, Linolafett, CC0", 4),
    Photograph("skimage.data", "gravel.png", "Gravel, CC0Textures, CC0", 4),
    Photograph("skimage.data", "coins.png", "Coins, Brooklyn Museum, no known restrictions", 5),
    Photograph("sklearn.datasets", "images/china.jpg", "Temple, danielbuechele, CC BY 2.0", 8),
    Photograph("sklearn.datasets", "images/flower.jpg", "Dahlia, vultilion, CC BY 2.0", 8),
    Photograph(
        "matplotlib", "mpl-data/sample_data/grace_hopper.jpg",
        "Grace Hopper, James S. Davis, U.S. Navy, public domain", 6,
    ),
]  # fmt: skip

HOW_TO_SAVE = [  # ending, Pillow's options
    *[("jpg", {"quality": quality}) for quality in (75, 85, 90, 92)],
    ("png", {}), ("webp", {"quality": 85}), ("tif", {"compression": "tiff_lzw"}),
]  # fmt: skip


def views(photograph: Photograph, rng: Rng) -> Iterator[Image.Image]:
    """The photograph, then other crops, tones and sizes of it."""
    original = Image.open(BytesIO(read(photograph)))
    yield original.copy()
    upright = original.convert("RGBA")
    paper = Image.new("RGBA", upright.size, "white")
    whole = Image.alpha_composite(paper, upright).convert("RGB")
    tones: list[Callable[[Image.Image], Image.Image]] = [
        lambda picture: ImageEnhance.Brightness(picture).enhance(rng.uniform(0.8, 1.25)),
        ImageOps.mirror,
        ImageOps.grayscale,
        lambda picture: ImageEnhance.Color(picture).enhance(rng.uniform(0.4, 1.6)),
        lambda picture: ImageOps.colorize(ImageOps.grayscale(picture), "#2a1a0e", "#f6e7cb"),
        lambda picture: picture.rotate(rng.uniform(-4, 4), Image.Resampling.BICUBIC, expand=False),
    ]
    for i in range(photograph.n_views - 1):
        share = rng.uniform(0.72, 0.97)  # of the width and height
        w, h = (int(share * side) for side in whole.size)
        x, y = rng.integers(whole.width - w + 1), rng.integers(whole.height - h + 1)
        yield tones[i % len(tones)](whole.crop((x, y, x + w, y + h)))


def read(photograph: Photograph) -> bytes:
    return files(photograph.package).joinpath(photograph.path).read_bytes()


def draw(kind: int, seed: int) -> Image.Image:
    return list(DRAWINGS)[kind](np.random.default_rng([SEED, kind, seed]))


def all_pictures(rng: Rng) -> list[Image.Image]:
    with ProcessPoolExecutor(os.cpu_count()) as drawers:
        drawn = [
            drawers.submit(draw, kind, seed)
            for kind, n in enumerate(DRAWINGS.values())
            for seed in range(n)
        ]
        seen = [view for photograph in PHOTOGRAPHS for view in views(photograph, rng)]
        return seen + [drawing.result() for drawing in drawn]


def broken_files(picture: bytes) -> dict[str, bytes]:
    """What a failing disk leaves behind."""
    return {
        "cut-short.jpg": picture[: len(picture) // 3],
        "empty.jpg": b"",
        "zeros.jpg": bytes(4096),
        "really-text.jpg": b"Dear diary, today the disk made a strange noise.\n",
        "half-a-header.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    }


def write_pile(folder: Path) -> int:
    """Write the pile into `folder`; returns the number of pictures."""
    rng = np.random.default_rng(SEED)
    pictures = all_pictures(rng)
    folders = [folder / f"recup_dir.{i + 1}" for i in range(N_FOLDERS)]
    for subfolder in folders:
        subfolder.mkdir(parents=True, exist_ok=True)
    for number, place in enumerate(rng.permutation(len(pictures))):
        ending, options = HOW_TO_SAVE[rng.integers(len(HOW_TO_SAVE))]
        name = f"f{100_000 + 37 * number:07d}.{ending}"
        picture = pictures[place]
        if picture.mode == "RGBA" and ending == "jpg":
            picture = picture.convert("RGB")
        picture.save(folders[number % N_FOLDERS] / name, **options)
    for name, content in broken_files(read(PHOTOGRAPHS[0])).items():
        (folders[-1] / name).write_bytes(content)
    (folders[-1] / "f0999999.jpg").write_bytes(read(PHOTOGRAPHS[2]))  # an exact copy
    (folders[0] / "f0999998.jpg").write_bytes(read(PHOTOGRAPHS[2]))
    (folder / "CREDITS.txt").write_text(credits(), encoding="utf-8")
    return len(pictures) + 2


def credits() -> str:
    lines = [f"{p.credit} ({p.package}/{p.path})" for p in PHOTOGRAPHS]
    return "\n".join([*lines, "All other pictures were drawn by tools/demo_pictures.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["pictures"])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    print(f"Wrote {write_pile(folder)} pictures and 5 broken files into {folder}.")


if __name__ == "__main__":
    main()
