"""A small collection with everything in it, and many ways to damage it."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np
from PIL import Image

from bilderatlas import storage as store_module
from bilderatlas.collection import Collection
from bilderatlas.indexing import images, texts
from bilderatlas.storage import Store, job_history
from tests.models.detectors.detectors import write_yolox
from tests.pictures import put, saved
from tests.toy_encoder import ToyEncoder

N_PICTURES = 24
DETECTED = {0: (1, 1, np.log(2), np.log(2), 0.9, 16)}  # a dog in the upper left quarter
ENCODERS = {"toy": ToyEncoder(), "title-toy": ToyEncoder()}


def picture(number: int, seed: int = 0) -> bytes:
    noise = np.random.default_rng((seed, number)).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    return saved(Image.fromarray(noise), "PNG")


def prepare(folder: Path) -> Path:
    """Pictures in a table with titles, indexed in two turns; runs, names, labels, a selection.

    Tables have several fragments, deleted rows and an index of ids.
    """
    pile = folder / "pile"
    for number in range(N_PICTURES):
        put(pile / f"{number:02}.png", picture(number))
    atlas = Collection(Store.create(folder / "toy.atlas"), encoder=ToyEncoder())
    find = {"find": ["objects"], "detector": write_yolox(folder / "dogs.onnx", DETECTED)}
    few = store_module.INDEXED_FROM_ROWS, store_module.FRAGMENT_ROWS
    store_module.INDEXED_FROM_ROWS, store_module.FRAGMENT_ROWS = 10, 8
    try:
        atlas.index(table(pile, N_PICTURES - 8), **find)
        atlas.index(table(pile, N_PICTURES), **find)
        put(pile / "01.png", picture(1, seed=1))
        atlas.index(table(pile, N_PICTURES), **find)
        list(texts.reindex(atlas._store, ToyEncoder(), "title"))
    finally:
        store_module.INDEXED_FROM_ROWS, store_module.FRAGMENT_ROWS = few
    ask_to_decide(atlas, pile)
    return atlas.path


def table(pile: Path, n: int) -> Path:
    rows = "".join(f"{number:02}.png,red {number}\n" for number in range(n))
    return put(pile / "table.csv", f"path,title\n{rows}".encode())


def ask_to_decide(atlas: Collection, pile: Path) -> None:
    atlas.cluster("kmeans", k=3)
    atlas.project("pca")
    atlas.decide("name", 0, "Poppies")
    atlas.decide("merge", 1, 2)
    atlas.label([str(pile / "00.png"), str(pile / "02.png")], "x")
    atlas.keep_selection([str(pile / "00.png")])
    (atlas.path / "jobs.json").write_text("[]")


def copied(prepared: Path, folder: Path) -> Path:
    """The collection in another folder, its files at their own times; its pictures stay."""
    return Path(shutil.copytree(prepared, folder / prepared.name))


# -- what is done to a file


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def zero(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def flip(file: Path) -> None:
    """One bit in the middle, and the file's time is put back: nothing shows it but its content."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x20
    file.write_bytes(content)


def garble(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = slice(len(content) // 3, len(content) // 3 + max(1, len(content) // 4))
    content[middle] = np.random.default_rng(0).bytes(len(content[middle]))
    file.write_bytes(content)


def lengthen(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"x" * 100)


def delete(file: Path) -> None:
    file.unlink()


def become_a_folder(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.mkdir()


ACTS: dict[str, Callable[[Path], None]] = {
    act.__name__: act
    for act in (truncate, empty, zero, flip, garble, lengthen, delete, become_a_folder)
}

# -- which file


def newest(pattern: str) -> Callable[[Path], Path]:
    return lambda folder: sorted(folder.glob(pattern))[0]  # manifests count down


def in_use(name: str, part: str = "data") -> Callable[[Path], Path]:
    """A file that the newest version of a table needs."""

    def find(folder: Path) -> Path:
        dataset = Store.open(folder)._dataset(name)
        own = folder / f"{name}.lance"
        for fragment in reversed(dataset.get_fragments()):
            if part == "data":
                return own / "data" / fragment.data_files()[0].path
            if part == "_deletions" and fragment.deletion_file():
                return own / fragment.deletion_file()
        segment = dataset.describe_indices()[0].segments[0]
        return max((own / "_indices" / segment.uuid).iterdir(), key=lambda f: f.stat().st_size)

    return find


TABLES = ("images", "places", "regions", "runs", "decisions", "embeddings/toy")
FILES: dict[str, Callable[[Path], Path]] = {
    **{f"{name} data": in_use(name) for name in (*TABLES, "names", "embeddings/title-toy")},
    **{f"{name} manifest": newest(f"{name}.lance/_versions/*.manifest") for name in TABLES},
    "images deletions": in_use("images", "_deletions"),
    "images index": in_use("images", "_indices"),
    "problems manifest": newest("problems.lance/_versions/*.manifest"),
    "atlas.json": lambda folder: folder / "atlas.json",
    "decisions.jsonl": lambda folder: folder / "decisions.jsonl",
    "checksums": lambda folder: folder / "spare" / "checksums",
    "copy of atlas.json": lambda folder: folder / "spare" / "atlas.json",
    "jobs.json": lambda folder: folder / "jobs.json",
    "selection": newest("selections/*"),
    "transaction": newest("images.lance/_transactions/*"),
    "hint": newest("images.lance/_versions/latest_version_hint.json"),
    "words": newest("words-*.npy"),
    "writer.lock": lambda folder: folder / "writer.lock",
    "decisions.lock": lambda folder: folder / "decisions.lock",
    "checksums.lock": lambda folder: folder / "checksums.lock",
}


def damages() -> Iterator[tuple[str, str]]:
    """Every file, damaged in every way."""
    for file in FILES:
        for act in ACTS:
            yield file, act


CHOSEN = {
    "data": ("flip", "truncate"),
    "runs data": ("flip", "delete", "become_a_folder"),
    "images data": ("flip", "zero", "delete", "garble"),
    "manifest": ("flip", "delete"),
    "images manifest": ("flip", "zero", "delete", "become_a_folder"),
    "problems manifest": ("delete",),
    "atlas.json": ("flip", "empty", "delete", "become_a_folder"),
    "decisions.jsonl": ("flip", "truncate", "delete", "become_a_folder"),
    "hint": ("garble",),
    "words": ("truncate",),
    "jobs.json": ("truncate",),
    "selection": ("flip", "become_a_folder"),
    "transaction": ("flip",),
    "copy of atlas.json": ("become_a_folder",),
    "writer.lock": ("become_a_folder",),
    "decisions.lock": ("become_a_folder",),
    "checksums.lock": ("become_a_folder",),
}


def is_chosen(file: str, act: str) -> bool:
    """Whether a damage is one of those that every test run does; all take minutes."""
    return act in CHOSEN.get(file, CHOSEN.get(file.split()[-1], ("garble", "delete")))


def damage(folder: Path, file: str, act: str) -> None:
    ACTS[act](FILES[file](folder))


# -- more than one file, or what stands in it


def lose_table(name: str) -> Callable[[Path], None]:
    return lambda folder: shutil.rmtree(folder / f"{name}.lance")


def lose_all_descriptions(folder: Path) -> None:
    (folder / "atlas.json").unlink()
    (folder / "spare" / "atlas.json").unlink()


def change_description(folder: Path) -> None:
    file = folder / "atlas.json"
    file.write_text(file.read_text().replace('"dim": 16', '"dim": 17'))


def lose_spare(folder: Path) -> None:
    shutil.rmtree(folder / "spare")


def lose_rows(name: str) -> Callable[[Path], None]:
    """Some rows, by Lance itself: only the counts say so."""

    def lose(folder: Path) -> None:
        store = Store.open(folder)
        key = {"images": "image_id", "places": "image_id", "decisions": "decision"}.get(name)
        key = key or "region_id"
        ids = store.read(name, [key])[key].to_pylist()
        store.delete(name, key, ids[:3])

    return lose


def give_twice(folder: Path) -> None:
    store = Store.open(folder)
    store.add_rows("regions", store.read("regions").slice(0, 2))


def rename_a_space(folder: Path) -> None:
    stated = json.loads((folder / "atlas.json").read_text())
    stated["active_space"] = "other"
    (folder / "atlas.json").write_text(json.dumps(stated))


LARGER: dict[str, Callable[[Path], None]] = {
    **{f"{name} is gone": lose_table(name) for name in (*TABLES, "problems", "names")},
    **{
        f"rows of {name} are gone": lose_rows(name)
        for name in ("images", "places", "regions", "decisions", "embeddings/toy")
    },
    "both descriptions are gone": lose_all_descriptions,
    "the description has another number": change_description,
    "the description names no space": rename_a_space,
    "second copies are gone": lose_spare,
    "regions are there twice": give_twice,
}


LOST = {  # what cannot be made again, by what was damaged: the verbs that miss it
    "runs data": ("clustering", "projection"),
    "runs is gone": ("clustering", "projection"),
    "selection": ("selection",),
}
SEEN_BY_COUNTS_ONLY = ("rows of", "regions are there twice")  # Lance itself wrote it

# -- what is asked of it, before and after


def verbs(atlas: Collection, pile: Path) -> dict[str, Callable[[], object]]:
    """What people ask; each answer can be compared with that of a sound collection."""
    first = str(pile / "00.png")
    return {
        "search": lambda: [(h.path, round(h.score, 5)) for h in atlas.search("red", k=30)],
        "search titles": lambda: [h.path for h in atlas.search("red", k=30, space="title-toy")],
        "where": lambda: [h.path for h in atlas.search("red", k=30, where="width = 64")],
        "similar": lambda: [hit.path for hit in atlas.similar(first, k=30)],
        "image": lambda: (atlas.image(ID).width, atlas.thumbnail(ID)),
        "parts": lambda: sorted(part.region_id for part in atlas.parts(ID)),
        "clustering": lambda: [(c.name, c.size) for c in atlas.clustering("kmeans-1").clusters],
        "projection": lambda: atlas.projection("pca-1").coordinates.tolist(),
        "decisions": lambda: [each.decision for each in atlas.decisions()],
        "labelled": lambda: sorted(atlas.labelled("x")),
        "selection": lambda: atlas.selection(SELECTION),
        "info": lambda: (atlas.info().n_images, atlas.info().n_regions, atlas.info().kinds),
        "problems": lambda: len(atlas.problems()),
        "export": lambda: exported(atlas),
        "cluster": lambda: len(atlas.cluster("kmeans", k=3).clusters),
        "decide": lambda: len(decided(atlas)),
        "label": lambda: atlas.label([str(pile / "05.png")], "y").n_regions,
        "jobs": lambda: job_history.read(atlas.path),
        "index": lambda: atlas.index(pile / "table.csv").n_images,
    }


ID = images.image_id(picture(0))
SELECTION = blake2b(bytes.fromhex(ID), digest_size=8).hexdigest()


def exported(atlas: Collection) -> str:
    with io.BytesIO() as file:
        atlas.export(file, table="images", format="csv")
        return file.getvalue().decode()


def decided(atlas: Collection) -> set[str]:
    """A decision that is taken back at once; how many clusters there were."""
    made = atlas.decide("move", ID, "out", run="kmeans-1")
    atlas.decide("undo", made.decision.decision)
    return {cluster.name for cluster in atlas.clustering("kmeans-1").clusters}
