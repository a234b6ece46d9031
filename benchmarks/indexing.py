"""Images per second of `index`, beside the plain way, on large photographs.

    python benchmarks/indexing.py [--n 500] [--photographs FOLDER]

The plain way: open each picture fully with Pillow, bring it to the model's size, one forward
pass at a time with the same model and all cores. Ours: the `index` verb on an empty collection,
thumbnails, hashes and writing included. Both in one run, on the same files.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import machine
import photographs
from PIL import Image, ImageOps

import bilderatlas as ba
from bilderatlas import encoders, images
from bilderatlas.encoders import Encoder
from bilderatlas.indexing.local import BATCH_SIZE


def plain_seconds(encoder: Encoder, paths: list[Path]) -> float:
    started = time.perf_counter()
    for path in paths:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image.convert("RGB"))
        encoder.embed_images(encoder.prepare(upright)[None])
    return time.perf_counter() - started


def index_seconds(folder: Path, encoder: str) -> float:
    with tempfile.TemporaryDirectory() as place:
        return ba.create(Path(place) / "c.atlas").index(folder, encoder=encoder).seconds


def shares(encoder: Encoder, paths: list[Path]) -> dict[str, float]:
    """Milliseconds an image of each stage, by itself on one thread."""
    contents, pictures = [], []
    took: dict[str, float] = {}
    with _Timed(took, "read", len(paths)):
        contents = [path.read_bytes() for path in paths]
    with _Timed(took, "hash the content", len(paths)):
        for content in contents:
            images.image_id(content)
    with _Timed(took, "decode, reduced", len(paths)):
        side = max(encoder.input_side, images.THUMBNAIL_SIDE)
        pictures = [images.decode(content, min_side=side).image for content in contents]
    with _Timed(took, "decode, full (plain way)", len(paths)):
        for content in contents:
            images.decode(content)
    with _Timed(took, "thumbnail and perceptual hash", len(paths)):
        for picture in pictures:
            images.thumbnail(picture)
            images.perceptual_hash(picture)
    with _Timed(took, "prepare for the model", len(paths)):
        prepared = [encoder.prepare(picture) for picture in pictures]
    with _Timed(took, f"model, batches of {BATCH_SIZE}, all cores", len(paths)):
        import numpy as np

        for start in range(0, len(prepared), BATCH_SIZE):
            encoder.embed_images(np.stack(prepared[start : start + BATCH_SIZE]))
    return took


class _Timed:
    def __init__(self, took: dict[str, float], stage: str, n: int) -> None:
        self.took, self.stage, self.n = took, stage, n

    def __enter__(self) -> None:
        self.started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.took[self.stage] = (time.perf_counter() - self.started) * 1e3 / self.n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--photographs", type=Path, default=Path("benchmarks/photographs"))
    asked = parser.parse_args()
    folder = photographs.enlarge(asked.photographs / str(asked.n), asked.n)
    paths = sorted(folder.iterdir())
    megabytes = sum(path.stat().st_size for path in paths) / len(paths) / 1e6
    encoder = encoders.load(asked.encoder)
    plain = plain_seconds(encoder, paths)
    ours = index_seconds(folder, asked.encoder)
    print(machine.describe())
    print(f"{len(paths)} photographs of 12 megapixels, {megabytes:.1f} MB each; {encoder.name}\n")
    print("| way | images/s | ratio |")
    print("|---|---|---|")
    print(f"| plain | {len(paths) / plain:.1f} | 1 |")
    print(f"| bilderatlas index | {len(paths) / ours:.1f} | {plain / ours:.1f} |")
    print("\n| stage, alone | ms an image |")
    print("|---|---|")
    for stage, milliseconds in shares(encoder, paths[:64]).items():
        print(f"| {stage} | {milliseconds:.1f} |")


if __name__ == "__main__":
    main()
