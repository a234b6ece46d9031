"""Objects by what excites the built-in encoder: class activation maps, with no download.

Zhou et al. 2016 (arXiv:1512.04150): the map of a class is the last feature map, weighted as the
classifier weights it; the object is the largest patch above a fifth of the map's maximum. It sees
what ImageNet has classes for, coarsely (9 x 9 cells), and mostly the main thing in a picture: a
detector finds more (figures in docs/regions.md).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from bilderatlas.arrays import Box
from bilderatlas.models.detectors import ACTIVATION, FoundRegion, overlaps, select
from bilderatlas.models.encoders.builtin_encoder import FOLDER
from bilderatlas.models.encoders.preprocessing import Preprocessing
from bilderatlas.models.encoders.towers import Tower, hash_files

MODEL = FOLDER / "image.onnx"
MAPS, WEIGHTS = "clip_184", "cast_187"  # inside the graph: (B, 1280, 9, 9) and (1000, 1280)
N_CLASSES = 5  # the likeliest ones of a picture
SHARE_OF_MAXIMUM = 0.2
MAX_OVERLAP = 0.5
FINER = 4  # cells of the map are split into so many, each way, before they are outlined
N_ANIMALS = 398  # the first classes of ImageNet
VEHICLES = {
    *("aircraft carrier", "airliner", "airship", "ambulance", "amphibious vehicle"),
    *("station wagon", "tandem bicycle", "bobsleigh", "high-speed train", "taxicab"),
    *("canoe", "catamaran", "container ship", "convertible", "electric locomotive"),
    *("fireboat", "fire engine", "forklift", "freight car", "garbage truck", "go-kart"),
    *("golf cart", "gondola", "harvester", "horse-drawn vehicle", "jeep"),
    *("pulled rickshaw", "lifeboat", "limousine", "ocean liner", "minibus", "minivan"),
    *("Model T", "moped", "scooter", "mountain bike", "moving van", "bullock cart"),
    *("passenger car", "pickup truck", "pirate ship", "police van", "race car"),
    *("recreational vehicle", "school bus", "schooner", "snowmobile", "snowplow"),
    *("motorboat", "sports car", "steam locomotive", "tram", "submarine", "tank"),
    *("tow truck", "tractor", "semi-trailer truck", "tricycle", "trimaran", "trolleybus"),
    *("unicycle", "military aircraft", "yawl"),
}
PEOPLE = {"baseball player", "bridegroom", "scuba diver"}


class ActivationDetector:
    """The built-in encoder's picture tower, opened once more, with its inside in view."""

    name = ACTIVATION
    min_side = 720

    def __init__(self, *, min_area: float = 0.0, max_regions: int = 100) -> None:
        self._min_area, self._max_regions = min_area, max_regions
        self._tower = _with_outputs(MODEL, MAPS, WEIGHTS)
        side = int(self._tower.inputs["pixels"][2] or 0)
        config = json.loads((FOLDER / "manifest.json").read_text("utf-8"))["preprocessing"]
        whole = {"size": {"height": side, "width": side}, "do_center_crop": False}
        self._preprocessing = Preprocessing.from_config(config | whole)
        blank = np.zeros((1, 3, side, side), np.float32)
        (self._weights,) = self._tower.run({"pixels": blank}, WEIGHTS)  # (C, D)
        self._labels = json.loads((FOLDER / "labels.json").read_text("utf-8"))
        self.stamp = f"{self.name} {hash_files([MODEL])} {min_area:g} {max_regions}"

    def find(self, image: Image.Image) -> list[FoundRegion]:
        """Where the likeliest classes are, of a fitting size, likeliest first."""
        pixels = self._preprocessing.apply(image)[None]
        maps, logits = self._tower.run({"pixels": pixels}, MAPS, "logits")
        likelihoods = np.exp(logits[0] - logits[0].max())
        likelihoods /= likelihoods.sum()
        found: list[FoundRegion] = []
        for number in np.argsort(-likelihoods)[:N_CLASSES].tolist():
            box = outline(np.tensordot(self._weights[number], maps[0], 1))
            if box and all(overlaps(box, [other.box])[0] <= MAX_OVERLAP for other in found):
                name, score = self._labels[number], float(likelihoods[number])
                kind = _kind_of(number, name)
                found.append(FoundRegion(kind, f"{ACTIVATION}: {name}", box, score))
        return select(found, min_area=self._min_area, max_regions=self._max_regions)


def outline(activation: NDArray[np.float32]) -> Box | None:
    """The box around the largest patch of (H, W) above a fifth of its maximum."""
    height, width = (side * FINER for side in activation.shape)
    finer = np.asarray(
        Image.fromarray(activation).resize((width, height), Image.Resampling.BILINEAR)
    )
    patches, n_patches = ndimage.label(finer >= SHARE_OF_MAXIMUM * finer.max())
    if finer.max() <= 0:
        return None
    sizes = ndimage.sum_labels(np.ones_like(patches), patches, range(1, n_patches + 1))
    rows, columns = ndimage.find_objects(patches)[int(np.argmax(sizes))]
    return columns.start / width, rows.start / height, columns.stop / width, rows.stop / height


def _kind_of(number: int, label: str) -> str:
    if number < N_ANIMALS:
        return "animal"
    return "vehicle" if label in VEHICLES else "person" if label in PEOPLE else "object"


def _with_outputs(model: Path, *names: str) -> Tower:
    """A graph that also puts out some of its inner arrays.

    Protocol Buffers that are joined end to end merge, and repeated fields grow: naming the new
    outputs behind the model's own bytes adds them to its list.
    """
    content = model.read_bytes()
    for name in names:
        value = _field(1, name.encode())  # ValueInfoProto.name
        content += _field(7, _field(12, value))  # ModelProto.graph, GraphProto.output
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / model.name
        path.write_bytes(content)
        return Tower(path, n_threads=1)


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes in the encoding of Protocol Buffers; below 128 bytes a length is a byte."""
    assert len(content) < 128, "longer ones would need a longer length"
    return bytes([number << 3 | 2, len(content)]) + content
