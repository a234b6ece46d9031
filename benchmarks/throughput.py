"""Images per second of `index` with CLIP ViT-B/32, beside plain programs and the model alone.

    python benchmarks/throughput.py [--n 500] [--rounds 3] [--photographs FOLDER]

Photographs of 12 megapixels; random weights, which are as fast as real ones. Needs `--group torch
--group parity` for transformers, `--group test` for the int8 file, and the `openvino` extra for its
rows.

Every way runs in a process of its own, its model loaded and warm, on a slice of the photographs;
the ways take turns, so that what else the machine does falls on all. Images/s go by the clock.
Processor time counts every thread, and other programs hardly change it: on C idle cores no way can
be faster than C / processor time.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import machine
import numpy as np
import onnxruntime
import photographs
import stages
import vit
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.indexing.index import BATCH_SIZE
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder
from bilderatlas.storage import Store

BY_HAND, BY_TORCH = "ONNX Runtime by hand", "transformers and torch, one by one"
FEWER = 5  # torch and OpenVINO get every fifth photograph: torch alone would take longest of all
N_SHARES = 64  # photographs that the stages are measured on, one by one
Seconds = tuple[float, float]  # by the clock, of the processor


def one_by_one_with_torch(folder: Path, paths: Sequence[Path]) -> Seconds:
    """As the model card shows it: transformers' processor and model, a picture at a time."""
    import torch

    model, processor = vit.model(), vit.processor()

    def embed(path: Path) -> None:
        with Image.open(path) as image, torch.inference_mode():
            model(**processor(image.convert("RGB"), return_tensors="pt"))

    embed(paths[0])
    return _timed(lambda: [embed(path) for path in paths])


def batches_by_hand(folder: Path, paths: Sequence[Path]) -> Seconds:
    """Decode a batch fully, prepare it, run it on all cores; then the next."""
    encoder, run = encoders.load(folder), _session(folder)

    def embed(some: Sequence[Path]) -> None:
        pictures = [Image.open(path).convert("RGB") for path in some]
        run(np.stack([encoder.prepare(picture) for picture in pictures]))

    embed(paths[:1])
    return _timed(lambda: [embed(some) for some in _batches(paths)])


def model_alone(folder: Path, paths: Sequence[Path]) -> Seconds:
    """ONNX Runtime as it comes, on prepared pixels."""
    run, pixels = _session(folder), _pixels()
    run(pixels)
    return _timed(lambda: [run(pixels[: len(some)]) for some in _batches(paths)])


def encoder_alone(name: str, paths: Sequence[Path], device: str = "cpu") -> Seconds:
    """The same through our encoder: another precision, another runtime."""
    encoder, pixels = encoders.load(name, device=device), _pixels()
    encoder.embed_images(pixels)
    return _timed(lambda: [encoder.embed_images(pixels[: len(p)]) for p in _batches(paths)])


def index(name: str, paths: Sequence[Path], device: str = "cpu") -> Seconds:
    """The verb: a new collection, with thumbnails, hashes and everything written."""
    encoder = encoders.load(name, device=device)
    encoder.embed_images(_pixels())
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / "photographs.csv"
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([["path"], *([path.resolve()] for path in paths)])
        atlas = Collection(Store.create(Path(place) / "c.atlas"), encoder=encoder)
        took = _timed(lambda: print(_stages(atlas.index(table, column="path")), file=sys.stderr))
        assert atlas.info().n_images == len(paths), atlas.problems().rows()
    return took


WAYS: dict[str, Callable[[Path, Sequence[Path]], Seconds]] = {
    BY_TORCH: one_by_one_with_torch,
    BY_HAND: batches_by_hand,
    "bilderatlas index": lambda folder, paths: index(str(folder), paths),
    "the model alone": model_alone,
    "bilderatlas index, OpenVINO": lambda folder, paths: index(str(folder), paths, "openvino"),
    "the model alone, OpenVINO": lambda folder, paths: encoder_alone(
        str(folder), paths, "openvino"
    ),
    "bilderatlas index, int8": lambda folder, paths: index(f"{folder}:int8", paths),
    "the model alone, int8": lambda folder, paths: encoder_alone(f"{folder}:int8", paths),
}
FEW = {BY_TORCH, "bilderatlas index, OpenVINO", "the model alone, OpenVINO"}


def _timed(work: Callable[[], object]) -> Seconds:
    started = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started[0], time.process_time() - started[1]


def _session(folder: Path) -> Callable[[np.ndarray], object]:
    path = folder / "onnx" / "vision_model.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixel_values": pixels})


def _pixels() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((BATCH_SIZE, 3, vit.SIDE, vit.SIDE), dtype=np.float32)


def _batches(paths: Sequence[Path]) -> Iterator[Sequence[Path]]:
    return (paths[start : start + BATCH_SIZE] for start in range(0, len(paths), BATCH_SIZE))


def _stages(summary: object) -> str:
    return ", ".join(f"{s.stage} {s.images_per_s:.1f}" for s in summary.stages)


def run_in_turns(
    ways: Sequence[str], folder: Path, paths: Sequence[Path], n_rounds: int
) -> dict[str, Seconds]:
    """Seconds an image of each way, over all rounds."""
    took: dict[str, list[float]] = {way: [0, 0.0, 0.0] for way in ways}
    for number in range(n_rounds):
        for way in ways:
            some = paths[number :: n_rounds * (FEWER if way in FEW else 1)]
            command = [sys.executable, __file__, "--way", way, "--model", str(folder)]
            listed = json.dumps([str(path) for path in some])
            done = subprocess.run(
                command, input=listed, check=True, stdout=subprocess.PIPE, text=True
            )
            sums = [len(some), *json.loads(done.stdout.splitlines()[-1])]
            took[way] = [a + b for a, b in zip(took[way], sums, strict=True)]
    return {way: (clock / n, processor / n) for way, (n, clock, processor) in took.items()}


def print_ways(took: dict[str, Seconds]) -> None:
    print("| way | images/s | of ONNX Runtime by hand | of torch | processor ms an image |")
    print("|---|---|---|---|---|")
    torch, plain = (took[way][0] for way in (BY_TORCH, BY_HAND))
    for way, (clock, processor) in took.items():
        ratios = f"{plain / clock:.2f} | {torch / clock:.2f}"
        print(f"| {way} | {1 / clock:.2f} | {ratios} | {processor * 1e3:.1f} |")
    for kind in ("", ", OpenVINO", ", int8"):
        if f"bilderatlas index{kind}" in took:
            ratio = took[f"bilderatlas index{kind}"][0] / took[f"the model alone{kind}"][0]
            print(f"\nindex{kind} takes {ratio:.2f} times as long as its model alone.")


def print_shares(encoder: Encoder, paths: Sequence[Path]) -> None:
    print("\n| stage, alone | processor ms an image | share of index |\n|---|---|---|")
    took = stages.processor_ms(encoder, paths)
    total = sum(took.values()) - took[stages.FULL]
    for stage, ms in took.items():
        share = "" if stage == stages.FULL else f"{ms / total:.0%}"
        print(f"| {stage} | {ms:.1f} | {share} |")


def print_limit(model_seconds: float) -> None:
    """What a large matrix product reaches on this processor, and what the model does."""
    side = 2048
    square = np.random.default_rng(0).standard_normal((side, side), dtype=np.float32)
    seconds = min(_timed(lambda: square @ square)[1] for _ in range(8))
    peak, used = 2 * side**3 / seconds / 1e9, vit.GFLOP / model_seconds
    print(
        f"\nA product of two matrices of {side} x {side} (fp32, numpy): {peak:.0f} GFLOP/s a core."
        f" The model ({vit.GFLOP} GFLOP an image): {used:.0f}, which is {used / peak:.0%} of that."
    )


def print_cosine(folder: Path, paths: Sequence[Path]) -> None:
    """How close int8 stays to fp32."""
    whole, small = encoders.load(folder), encoders.load(f"{folder}:int8")
    pixels = np.stack([whole.prepare(Image.open(p).convert("RGB")) for p in paths[:BATCH_SIZE]])
    made = [encoder.embed_images(pixels).vectors for encoder in (whole, small)]
    print(f"\nint8: cosine to fp32 at least {(made[0] * made[1]).sum(axis=1).min():.4f}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photographs", type=Path, default=Path("benchmarks/photographs"))
    parser.add_argument("--way", choices=WAYS, help="only this, on the paths of stdin, as JSON")
    parser.add_argument("--model", type=Path, help="for --way: the encoder's folder")
    asked = parser.parse_args()
    if asked.way:
        paths = [Path(path) for path in json.load(sys.stdin)]
        print(json.dumps(WAYS[asked.way](asked.model, paths)))
        return
    paths = sorted(photographs.enlarge(asked.photographs / str(asked.n), asked.n).iterdir())
    has_openvino = find_spec("openvino") is not None
    ways = [way for way in WAYS if has_openvino or "OpenVINO" not in way]
    print(f"{machine.describe()}, load {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory() as place:
        folder = vit.write(Path(place) / "vit-b-32", int8=True)
        took = run_in_turns(ways, folder, paths, asked.rounds)
        print(f"{len(paths)} photographs of 12 megapixels, CLIP ViT-B/32\n")
        print_ways(took)
        print_shares(encoders.load(folder, n_threads=1), paths[:N_SHARES])
        print_limit(took["the model alone"][1])
        print_cosine(folder, paths)


if __name__ == "__main__":
    main()
