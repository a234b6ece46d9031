"""Which copies `duplicates` finds, what it takes for copies, and how long 100,000 pictures take.

    python benchmarks/duplicates.py quality ../shared/data [--n 60]
    python benchmarks/duplicates.py speed [--n 100000] [--dim 512]

`quality` indexes every photograph under the folder (built-in encoder), and changed copies of n of
them. A copy is found when it is in one group with its original; a group that joins two originals is
a false one, or a copy that was in the data before: look at the sheet that is written.

`speed` asks a collection on disk of generated hashes and embeddings (a spectrum like that of real
ones), a hundredth of them near copies. Thumbnails are 64 pictures of noise: most candidates are
strangers, as those of real piles are.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import machine
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from queries import RandomEncoder

import bilderatlas
from bilderatlas.analysis import duplicates
from bilderatlas.arrays import to_unit_length
from bilderatlas.collection import Collection
from bilderatlas.indexing import images
from bilderatlas.indexing.images import PICTURE_SUFFIXES
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.results import DuplicateGroup, Duplicates
from bilderatlas.storage import Store
from bilderatlas.storage.rows import ImageRow, PlaceRow

MARK = "__"  # between the name of an original and the kind of copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    quality = modes.add_parser("quality")
    quality.add_argument("folder", type=Path)
    quality.add_argument("--n", type=int, default=60)
    quality.add_argument("--sheet", type=Path, default=Path("false-groups.png"))
    speed = modes.add_parser("speed")
    speed.add_argument("--n", type=int, default=100_000)
    speed.add_argument("--dim", type=int, default=512)
    asked = parser.parse_args()
    print(machine.describe())
    if asked.mode == "quality":
        measure_quality(asked.folder, asked.n, asked.sheet)
    else:
        measure_speed(asked.n, asked.dim)


def scaled(image: Image.Image, share: float) -> Image.Image:
    return image.resize(
        (max(1, round(image.width * share)), max(1, round(image.height * share))),
        Image.Resampling.LANCZOS,
    )


def cropped(image: Image.Image, share: float) -> Image.Image:
    """Without a share of the picture on each of its four sides."""
    x, y = round(image.width * share), round(image.height * share)
    return image.crop((x, y, image.width - x, image.height - y))


def cut_above(image: Image.Image) -> Image.Image:
    return image.crop((0, round(image.height * 0.25), image.width, image.height))


def marked(image: Image.Image) -> Image.Image:
    image = image.copy()
    width, height = image.size
    draw = ImageDraw.Draw(image)
    draw.rectangle((width * 0.6, height * 0.88, width * 0.98, height * 0.97), fill="white")
    draw.text((width * 0.62, height * 0.9), "www.example.com", fill="black")
    return image


def bordered(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, border=round(0.06 * min(image.size)), fill="white")


def as_jpeg(image: Image.Image, quality: int = 85) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def as_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


TRANSPOSE = Image.Transpose
KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "half the size": lambda image: as_jpeg(scaled(image, 0.5)),
    "a quarter": lambda image: as_jpeg(scaled(image, 0.25)),
    "JPEG quality 30": lambda image: as_jpeg(image, 30),
    "as PNG": as_png,
    "brighter by 35 %": lambda image: as_jpeg(ImageEnhance.Brightness(image).enhance(1.35)),
    "contrast +40 %": lambda image: as_jpeg(ImageEnhance.Contrast(image).enhance(1.4)),
    "grey": lambda image: as_jpeg(image.convert("L").convert("RGB")),
    "turned by 90°": lambda image: as_jpeg(image.transpose(TRANSPOSE.ROTATE_90)),
    "turned by 180°": lambda image: as_jpeg(image.transpose(TRANSPOSE.ROTATE_180)),
    "mirrored": lambda image: as_jpeg(ImageOps.mirror(image)),
    "turned by 2°": lambda image: as_jpeg(
        image.rotate(2, Image.Resampling.BICUBIC, fillcolor="white")
    ),
    "cropped by 3 % a side": lambda image: as_jpeg(cropped(image, 0.03)),
    "by 8 %": lambda image: as_jpeg(cropped(image, 0.08)),
    "by 20 %": lambda image: as_jpeg(cropped(image, 0.20)),
    "a quarter cut off above": lambda image: as_jpeg(cut_above(image)),
    "a white border": lambda image: as_jpeg(bordered(image)),
    "a label on it": lambda image: as_jpeg(marked(image)),
}


def measure_quality(folder: Path, n: int, sheet: Path) -> None:
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PICTURE_SUFFIXES)
    chosen = set(np.random.default_rng(0).permutation(len(files))[:n].tolist())
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary, "copies")
        place.mkdir()
        for number, file in enumerate(files):
            if number in chosen:
                write_copies(place, number, file)
        atlas = bilderatlas.create(Path(temporary, "pile"))
        atlas.index(folder, place, encoder="builtin")
        found = atlas.duplicates()
        report(found, files, n)
        false = [group for group in found if len(originals(group_paths(group), files)) > 1]
        if false:
            sheet.write_bytes(Duplicates.of(false, thumbnails=atlas.thumbnails).contact_sheet(40))


def write_copies(place: Path, number: int, file: Path) -> None:
    image = images.decode(file.read_bytes()).image
    for kind, change in enumerate(KINDS.values()):
        (place / f"{number}{MARK}{kind}.jpg").write_bytes(change(image))


def group_paths(group: DuplicateGroup) -> list[str]:
    return [group.path, *(copy.path for copy in group.copies)]


def originals(paths: list[str], files: list[Path]) -> set[str]:
    """The originals that some files are, or are copies of."""
    return {
        str(files[int(Path(path).name.partition(MARK)[0])]) if MARK in Path(path).name else path
        for path in paths
    }


def report(found: Duplicates, files: list[Path], n: int) -> None:
    n_found: Counter[int] = Counter()
    n_false = 0
    for group in found:
        paths = group_paths(group)
        those = set(paths)
        n_false += len(originals(paths, files)) - 1
        for path in paths:
            number, mark, kind = Path(path).stem.partition(MARK)
            n_found[int(kind) if mark else -1] += bool(mark and str(files[int(number)]) in those)
    print(f"{len(files):,} pictures, {n} of them with copies; {len(found):,} groups")
    print("| copy | found |")
    print("|---|---|")
    for number, kind in enumerate(KINDS):
        print(f"| {kind} | {n_found[number] / n:.2f} |")
    print(f"originals joined with another original: {n_false:,}")


def measure_speed(n: int, dim: int) -> None:
    hashes, embeddings = generated(n, dim)
    started = time.perf_counter()
    pairs = duplicates.candidates(hashes, embeddings)
    candidates_s = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as temporary:
        atlas = filled(Path(temporary, "pile"), hashes, embeddings)
        atlas.warm_up()
        started, worked = time.perf_counter(), time.process_time()
        found = atlas.duplicates()
        all_s, all_cpu_s = time.perf_counter() - started, time.process_time() - worked
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        "| pictures | numbers | candidates | finding them, s | in all, s | processor s | groups "
        "| peak, GiB |\n|---|---|---|---|---|---|---|---|"
    )
    print(
        f"| {n:,} | {dim} | {len(pairs):,} | {candidates_s:.1f} | {all_s:.1f} | {all_cpu_s:.1f} "
        f"| {len(found):,} | {peak_gib:.1f} |"
    )


def filled(path: Path, hashes: np.ndarray, embeddings: np.ndarray) -> Collection:
    """A collection on disk of n images that were never there."""
    store, encoder = Store.create(path), RandomEncoder(embeddings.shape[1])
    store.add_space(encoder)
    jpegs = [grained(seed) for seed in range(64)]
    for start in range(0, len(hashes), 1000):
        numbers = range(start, min(len(hashes), start + 1000))
        images = [
            ImageRow(
                f"{i:032x}",
                640,
                480,
                "image/jpeg",
                None,
                int(hashes[i]),
                jpegs[min(i, len(hashes) - 1 - i) % 64],
            )
            for i in numbers
        ]
        places = [
            PlaceRow(f"/pile/{i}.jpg", "/pile", f"{i:032x}", 1, 0.0, 0, "{}") for i in numbers
        ]
        vectors = ImageEmbeddings(embeddings[numbers.start : numbers.stop], None)
        store.append(encoder.space, images, vectors, places)
    store.tidy()
    return Collection(store, encoder=encoder)


def generated(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes (N,) and embeddings (N, D) with a falling spectrum; a hundredth are near copies."""
    rng = np.random.default_rng(0)
    spread = np.arange(1, dim + 1) ** -0.7
    embeddings = rng.normal(size=(n, dim)).astype(np.float32) * spread.astype(np.float32)
    hashes = rng.integers(0, 2**63, n, dtype=np.uint64) * np.uint64(2)
    for copy in range(n - n // 100, n):
        embeddings[copy] = embeddings[n - 1 - copy] * (1 + rng.normal(0, 0.05, dim))
        hashes[copy] = hashes[n - 1 - copy] ^ np.uint64(1 << int(rng.integers(64)))
    return hashes, to_unit_length(embeddings)


def grained(seed: int) -> bytes:
    """A thumbnail of 320 x 240: noise as large as what is left at 64 pixels."""
    coarse = np.random.default_rng(seed).integers(0, 255, (48, 64)).astype(np.uint8)
    return as_jpeg(Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC))


if __name__ == "__main__":
    main()
