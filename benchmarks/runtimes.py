"""Milliseconds an image on every runtime: CLIP ViT-B/32 (random weights) and the built-in tower.

    python benchmarks/runtimes.py

Needs `--group torch --group parity` to make the ViT, the `openvino` extra for its rows. Two
threads. The best of several runs, because other programs only ever make a run slower; and the
processor time of all threads, which they touch less.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import vit
from machine import describe
from onnxruntime.quantization import QuantType, quantize_dynamic

N_THREADS = 2
SECONDS = 5.0
BUILTIN = Path(__file__).parents[1] / "src/bilderatlas/models/encoders/builtin/image.onnx"

Run = Callable[[np.ndarray], np.ndarray]


def with_onnx_runtime(path: Path, output: str) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = N_THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pixels: session.run([output], {name: pixels})[0]


def with_openvino(path: Path, output: str, precision: str) -> Run:
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": N_THREADS}
    model = openvino.Core().compile_model(str(path), "CPU", settings)
    name = model.inputs[0].any_name
    request = model.create_infer_request()

    def run(pixels: np.ndarray) -> np.ndarray:
        request.infer({name: pixels})
        return request.get_tensor(output).data.copy()

    return run


def ms_an_image(run: Run, pixels: np.ndarray) -> str:
    """Best of the clock's and of the processor's milliseconds."""
    run(pixels)
    walls, processors = [], []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        started = time.perf_counter(), time.process_time()
        run(pixels)
        walls.append(time.perf_counter() - started[0])
        processors.append(time.process_time() - started[1])
    wall, processor = (min(times) / len(pixels) * 1e3 for times in (walls, processors))
    return f"{wall:.1f} ({processor:.1f})"


def quantise(source: Path, target: Path) -> None:
    """Dynamic int8, of a graph whose half-precision weights are made whole first."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    quantize_dynamic(target, target, weight_type=QuantType.QUInt8)


def compare(title: str, path: Path, small: Path, output: str, side: int) -> None:
    pixels = np.random.default_rng(0).standard_normal((16, 3, side, side), dtype=np.float32)
    reference = with_onnx_runtime(path, output)
    expected = reference(pixels)
    runs: dict[str, Run] = {
        "ONNX Runtime": reference,
        "ONNX Runtime, dynamic int8": with_onnx_runtime(small, output),
    }
    try:
        for precision in ("f32", "bf16"):
            runs[f"OpenVINO {precision}"] = with_openvino(path, output, precision)
    except ImportError:
        print("OpenVINO is not installed")
    print(
        f"\n| {title} | ms (processor), batch 16 | by 4 | alone | cosine to ONNX Runtime, lowest |"
    )
    print("|---|---|---|---|---|")
    for name, run in runs.items():
        made = run(pixels)
        norms = np.linalg.norm(made, axis=1) * np.linalg.norm(expected, axis=1)
        cosine = ((made * expected).sum(axis=1) / norms).min()
        by_size = [ms_an_image(run, pixels[:n_rows]) for n_rows in (16, 4, 1)]
        print(f"| {name} | {' | '.join(by_size)} | {cosine:.4f} |", flush=True)


def main() -> None:
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder) / "vit.onnx", Path(folder) / "vit_int8.onnx"
        vit.export(whole)
        quantise(whole, small)
        compare("ViT-B/32", whole, small, "image_embeds", vit.SIDE)
        builtin = Path(folder) / "builtin_int8.onnx"
        quantise(BUILTIN, builtin)
        compare("built-in image tower", BUILTIN, builtin, "features", 260)


if __name__ == "__main__":
    main()
