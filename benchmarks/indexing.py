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
import stages
from PIL import Image, ImageOps

import bilderatlas as ba
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder


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
    print("\n| stage, alone | processor ms an image |")
    print("|---|---|")
    for stage, milliseconds in stages.processor_ms(encoder, paths[:64]).items():
        print(f"| {stage} | {milliseconds:.1f} |")


if __name__ == "__main__":
    main()
