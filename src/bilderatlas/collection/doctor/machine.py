"""What this machine can do, measured and not guessed."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

LIBRARIES = ("numpy", "onnxruntime", "pillow", "pyarrow", "pylance", "scikit-learn", "dash")
ROOM_GIB = 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    is_fine: bool
    finding: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> list[Check]:
    """Look at everything that Bilderatlas needs."""
    return [_look(name, check) for name, check in CHECKS.items()]


def _look(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except Exception as error:  # noqa: BLE001  a fault is the finding
        return Check(name, False, f"{type(error).__name__}: {error}")


def _machine() -> str:
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, "
        f"Python {platform.python_version()}"
    )


def _libraries() -> str:
    return ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def _room() -> str:
    free_gib = shutil.disk_usage(Path.cwd()).free / 2**30
    if free_gib < ROOM_GIB:
        raise OSError(f"only {free_gib:.1f} GiB are free here; make room before indexing")
    return f"{free_gib:.0f} GiB free in {Path.cwd()}"


def _devices() -> str:
    from bilderatlas.models.encoders import runtimes

    told = {"cpu": "cpu (ONNX Runtime)", "openvino": "openvino", "cuda": "cuda (ONNX Runtime)"}
    there = ", ".join(told[name] for name in runtimes.devices())
    lacking = [name for name in runtimes.DEVICES if name not in runtimes.devices()]
    absent = f"; not there: {', '.join(lacking)}" if lacking else ""
    return f"{there}; auto takes {runtimes.choose_device('auto')}{absent}"


def _encoder() -> str:
    """Run the built-in encoder on noise, both towers, and time it."""
    from PIL import Image

    from bilderatlas.models import encoders

    encoder = encoders.load("builtin")
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    pixels = encoder.prepare(Image.fromarray(noise))[None].repeat(8, axis=0)
    encoder.embed_images(pixels)
    started = time.perf_counter()
    encoder.embed_images(pixels)
    image_ms = (time.perf_counter() - started) / len(pixels) * 1e3
    encoder.embed_texts(["a test"])
    return f"builtin runs on {encoder.device}: {image_ms:.0f} ms an image"


CHECKS: dict[str, Callable[[], str]] = {
    "machine": _machine,
    "libraries": _libraries,
    "disk": _room,
    "devices": _devices,
    "encoder": _encoder,
}
