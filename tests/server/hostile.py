"""Texts that somebody may bring to do harm, and a collection full of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from PIL import Image

from bilderatlas.collection import Collection
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage import Store
from bilderatlas.storage.rows import Parts, RegionRow
from tests.pictures import put, saved
from tests.toy_encoder import ToyEncoder

STORED = {
    "a script": "<script>document.title='broken'</script>",
    "a picture": "<img src=x onerror=\"document.title='broken'\">",
    "a drawing": "<svg/onload=\"document.title='broken'\">",
    "out of an attribute": "\"' autofocus onfocus=\"document.title='broken'\" x=\"",
    "out of JSON": "</script><script>document.title='broken'</script>",
    "a link": "javascript:document.title='broken'",
    "a template": "{{constructor.constructor('document.title=1')()}} ${7*7} {0} %s%n",
    "up and away": "../../../../../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "up and away, encoded": "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "up and away, Windows": "..\\..\\..\\windows\\win.ini",
    "written backwards": "photo\u202egnp.exe \u2066\u200f",
    "quotes of SQL": "'; DROP TABLE places; -- \" OR 1=1 /*",
    "headers": "a\r\nSet-Cookie: broken=1\r\n\r\n<script>",
    "a null": "before\0after",
    "a formula": "=HYPERLINK(\"http://evil.example\",\"click\")",
    "5,000 characters": "x" * 5000,
    "many marks": "Z" + "\u0335\u0489" * 200,
    "not a character": "\ufffe\uffff \U0010ffff",
}  # fmt: skip
ASKED = STORED | {"half a character": "\ud800", "half of two": "a\udfffb"}
SHORT = 200  # characters; file names and labels hold no more


def file_name(number: int, text: str) -> str:
    """A name that holds as much of a text as a file's name may."""
    kept = text.replace("\0", "").replace("/", "\u2215").encode()[:SHORT].decode(errors="ignore")
    return f"{number:02} {kept}.png"


def make_collection(folder: Path) -> Collection:
    """Each text is a file's name, metadata, words and a label found in it, and people's label."""
    rows = []
    for number, text in enumerate(STORED.values()):
        name = file_name(number, text)
        picture = Image.new("RGB", (64 + number, 48), (255 - 12 * number, 12 * number, 90))
        put(folder / "pile" / name, saved(picture, "PNG"))
        rows.append({"path": name, "title": text, "id": f"{number}{text}"})
    table = folder / "pile" / "hostile.parquet"
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), table)
    atlas = Collection(Store.create(folder / "hostile.atlas"), encoder=ToyEncoder())
    atlas.index(table, column="path")
    _find(atlas)
    atlas.cluster("kmeans", k=len(STORED) // 2)
    atlas.project("pca")
    _decide(atlas)
    return atlas


def _find(atlas: Collection) -> None:
    """Pretend that each text was read in its picture, and that a detector calls it so."""
    images = list(atlas.all_images())
    parts = [
        RegionRow(
            f"{image.image_id}-1",
            image.image_id,
            "text",
            image.metadata["title"],
            (0.1, 0.1, 0.9, 0.5),
            0.9,
            image.metadata["title"],
        )
        for image in images
    ]
    embeddings = ImageEmbeddings(ToyEncoder().embed_texts(["red"] * len(parts)), None)
    ids = [image.image_id for image in images]
    atlas._store.replace_parts("toy", ids, Parts(parts, embeddings, "hostile"))


def _decide(atlas: Collection) -> None:
    """Call clusters and label images by them, as somebody of such a name."""
    short = [text for text in STORED.values() if text.isprintable() and len(text) < SHORT]
    for cluster, text in zip(atlas.clustering().clusters, short, strict=False):
        atlas.decide("name", cluster.cluster, text, who=text)
    for image, text in zip(list(atlas.all_images()), short, strict=False):
        atlas.label([image.image_id], text, who=text)
