"""How fast the clustering methods are, and how good, beside scikit-learn and beside hindsight.

    python benchmarks/clustering.py speed [--n 100000] [--dim 512] [--half] [--method kmeans ...]
    python benchmarks/clustering.py quality [--encoder builtin] [--assets FOLDER] [--parts 9]

`speed` clusters generated rows, each method in a process of its own, which is how its memory is
told from the others'. `quality` clusters pictures whose classes are known: clothing, faces, and
what COCO's boxes show. It needs the extra `fast`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bilderatlas.analysis import clustering
from bilderatlas.analysis.clustering import k_advice
from bilderatlas.analysis.evaluation import Agreement, agreement
from bilderatlas.arrays import ClusterLabels, Embeddings, to_unit_length
from bilderatlas.models import encoders
from bilderatlas.models.encoders import Encoder

BESIDE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared"
BATCH = 16
SPEED = {  # method -> what is asked of it
    "minibatch-kmeans": {"k": 100},
    "kmeans": {"k": 100},
    "hdbscan": {},
    "fast-hdbscan": {},
    "evoc": {},
    "dbscan": {"eps": 0.2},
    "agglomerative": {},
    "advise": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["speed", "quality"])
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--half", action="store_true", help="float16")
    parser.add_argument("--method", action="append", choices=list(SPEED))
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--assets", type=Path, default=os.environ.get("BILDERATLAS_TEST_ASSETS"))
    parser.add_argument("--parts", type=int, default=9, help="random parts of each labelled set")
    asked = parser.parse_args()
    print(f"{machine.describe()}, load {os.getloadavg()[0]:.1f}\n")
    if asked.what == "speed":
        speed(
            asked.n,
            asked.dim,
            asked.half,
            asked.method or [m for m in SPEED if m != "agglomerative"],
        )
    else:
        sets = labelled(encoders.load(asked.encoder), Path(asked.assets or BESIDE_REPOSITORY))
        quality(sets, asked.parts)


# -- speed


def generated(n: int, dim: int, *, n_groups: int = 200) -> tuple[Embeddings, NDArray[np.int64]]:
    """Groups of unlike size and width about a common direction, a tenth of noise: rows, groups.

    The spread falls with the dimension, as embeddings' does: cosines are about 0.92 within a
    group and 0.75 between groups, 0.61 to 0.87 for most.
    """
    rng = np.random.default_rng(0)
    falling = 4 / np.sqrt(np.arange(1, dim + 1))
    size = 1 / np.arange(1, n_groups + 1) ** 0.7
    common = rng.normal(size=dim)
    centres = common + rng.normal(size=(n_groups, dim)) * falling
    width = rng.uniform(0.5, 1.2, n_groups)
    group = rng.choice(n_groups, n, p=size / size.sum())
    is_noise = rng.random(n) < 0.1
    rows = np.empty((n, dim), np.float32)
    for start in range(0, n, 20_000):
        part = slice(start, start + 20_000)
        spread = rng.normal(size=(len(group[part]), dim)) * falling
        grouped = centres[group[part]] + spread * width[group[part], np.newaxis]
        lonely = common + spread * 1.5
        rows[part] = to_unit_length(np.where(is_noise[part, np.newaxis], lonely, grouped))
    group[is_noise] = n_groups + np.arange(is_noise.sum())  # each is alone
    return rows, group


def speed(n: int, dim: int, half: bool, methods: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npy"
        rows, groups = generated(n, dim)
        np.save(file, rows.astype(np.float16) if half else rows)
        del rows
        print(f"{n:,} x {dim} {'float16' if half else 'float32'}\n")
        print("| method | options | s | processor s | peak GiB | clusters | noise | NMI | ARI |")
        print("|---|---|---|---|---|---|---|---|---|")
        for method in methods:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.apply(timed, (method, file, groups)), flush=True)


def timed(method: str, file: Path, groups: NDArray[np.int64]) -> str:
    """A row of the table. What is compiled at first use is compiled before, on other rows."""
    rows = np.load(file)
    options = SPEED[method]
    if method in ("fast-hdbscan", "evoc"):
        clustering.cluster(generated(1_000, rows.shape[1])[0], method=method)
    start, start_worked = time.perf_counter(), time.process_time()
    if method == "advise":
        from bilderatlas.results.advice import advise

        advised = advise(rows)
        found = f"k {advised.k.k}, eps {advised.eps.eps:.3f} | | |"
    else:
        labels = clustering.cluster(rows, method=method, **options).labels  # type: ignore[arg-type]
    seconds, worked = time.perf_counter() - start, time.process_time() - start_worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if method != "advise":
        from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

        is_grouped = groups < 200
        agreed = [
            score(groups[is_grouped], labels[is_grouped])
            for score in (normalized_mutual_info_score, adjusted_rand_score)
        ]
        found = f"{labels.max() + 1} | {(labels < 0).mean():.2f} | " + " | ".join(
            f"{score:.3f}" for score in agreed
        )
    said = ", ".join(f"{name} {value}" for name, value in options.items())
    return f"| {method} | {said} | {seconds:.1f} | {worked:.1f} | {peak:.2f} | {found} |"


# -- quality


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures whose classes are known."""

    name: str
    rows: Embeddings  # (N, D)
    classes: NDArray[np.int64]  # (N,)

    @property
    def n_classes(self) -> int:
        return len(np.unique(self.classes))

    def part(self, rng: np.random.Generator) -> Labelled:
        """Some of the classes, three or more."""
        n_kept = int(rng.integers(3, self.n_classes))
        chosen = np.isin(self.classes, rng.permutation(self.n_classes)[:n_kept])
        return Labelled(f"{self.name}/{n_kept}", self.rows[chosen], self.classes[chosen])


def labelled(encoder: Encoder, assets: Path) -> list[Labelled]:
    sets = []
    for name, pattern in (("clothing", "*/*.jpg"), ("faces", "*/*.pgm")):
        files = sorted((assets / "data" / name).glob(pattern))
        classes = [file.parent.name for file in files]
        sets.append(_labelled(name, encoder, map(open_upright, files), classes))
    crops = list(boxes(assets / "data" / "coco"))
    pictures = (open_upright(file).crop(box) for file, box, _ in crops)
    sets.append(_labelled("COCO crops", encoder, pictures, [name for _, _, name in crops]))
    return sets


def _labelled(
    name: str, encoder: Encoder, pictures: Iterable[Image.Image], classes: list[str]
) -> Labelled:
    _, numbers = np.unique(classes, return_inverse=True)
    prepared = [encoder.prepare(picture) for picture in pictures]
    batches = [
        encoder.embed_images(np.stack(prepared[start : start + BATCH])).vectors
        for start in range(0, len(prepared), BATCH)
    ]
    return Labelled(name, np.concatenate(batches), numbers)


def open_upright(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def boxes(folder: Path) -> Iterator[tuple[Path, tuple[int, int, int, int], str]]:
    """Boxes of 2 to 90 % of their photograph, of the categories that have ten of them."""
    listed = json.loads((folder / "coco.json").read_text("utf-8"))
    found = []
    for image in listed["images"]:
        for thing in image["objects"] or []:
            x, y, width, height = thing["bbox"]
            share = width * height / (image["width"] * image["height"])
            if not thing["iscrowd"] and 0.02 <= share <= 0.9:
                box = round(x), round(y), round(x + width), round(y + height)
                category = listed["categories"][str(thing["category_id"])]
                found.append((folder / image["file"], box, category))
    n_of = Counter(category for _, _, category in found)
    yield from (each for each in found if n_of[each[2]] >= 10)


def quality(sets: list[Labelled], n_parts: int) -> None:
    for each in sets:
        print(f"{each.name}: {len(each.rows)} pictures, {each.n_classes} classes\n")
        print("| method | by | clusters | noise | purity | NMI | ARI |")
        print("|---|---|---|---|---|---|---|")
        for method, by, found in methods(each):
            print(f"| {method} | {by} | {_cells(agreement(each.classes, found()))} |", flush=True)
        print()
    rng = np.random.default_rng(7)
    parts = [each.part(rng) for each in sets for _ in range(n_parts)]
    for judge in (judge_k, judge_eps):
        _print_judged(judge, sets, parts)


def _cells(found: Agreement) -> str:
    noise = found.n_noise / found.n_rows
    shares = (noise, found.purity, found.nmi, found.ari)
    return f"{found.n_clusters} | " + " | ".join(f"{share:.3f}" for share in shares)


Clusterer = Callable[[], ClusterLabels]


def methods(each: Labelled) -> Iterator[tuple[str, str, Clusterer]]:
    """Each method by us, and by its library alone, on the embeddings as they are.

    fast_hdbscan by itself does not take that many dimensions.
    """
    import evoc
    from sklearn import cluster as sk

    def ours(method: str, **options: float) -> Clusterer:
        return lambda: clustering.cluster(each.rows, method=method, **options).labels  # type: ignore[arg-type]

    k = each.n_classes
    theirs = {
        "kmeans": sk.KMeans(k, n_init=4, random_state=0),
        "minibatch-kmeans": sk.MiniBatchKMeans(k, n_init=4, random_state=0),
        "hdbscan": sk.HDBSCAN(min_cluster_size=5, min_samples=2, copy=True),
        "evoc": evoc.EVoC(random_state=0),
        "dbscan": sk.DBSCAN(eps=0.2, min_samples=2, metric="cosine"),
        "agglomerative": sk.AgglomerativeClustering(
            None, distance_threshold=0.5, metric="cosine", linkage="average"
        ),
    }
    for method in SPEED:
        if method == "advise":
            continue
        yield method, "bilderatlas", ours(method, **({"k": k} if "kmeans" in method else {}))
        if method in theirs:
            yield method, "its library", lambda m=theirs[method]: m.fit_predict(each.rows)


@dataclass(frozen=True, slots=True)
class Judged:
    """What 'auto' came to, and the best of all values by hindsight, for NMI and for ARI."""

    name: str
    chosen: float
    nmi: float
    ari: float
    best_nmi: tuple[float, float]  # the value, its NMI
    best_ari: tuple[float, float]


def judge_k(each: Labelled) -> Judged:
    most = max(2, len(each.rows) // 2)
    tried = [k for k in k_advice.CANDIDATES if k <= most]
    return _judge(each, "kmeans", "k", tried)


def judge_eps(each: Labelled) -> Judged:
    """Tried: as many eps as there are steps in the distances to the nearest neighbors."""
    scores = each.rows @ each.rows.T
    np.fill_diagonal(scores, -1)
    quantiles = np.quantile(1 - scores.max(axis=1), np.linspace(0.02, 1, 50))
    return _judge(each, "dbscan", "eps", np.unique(quantiles.round(4)).tolist())


def _judge(each: Labelled, method: str, name: str, tried: list[float]) -> Judged:
    def measured(value: float | str) -> tuple[clustering.ClusterResult, Agreement]:
        made = clustering.cluster(each.rows, method=method, **{name: value})  # type: ignore[arg-type]
        return made, agreement(each.classes, made.labels)

    made, found = measured("auto")
    others = [(value, measured(value)[1]) for value in tried]
    by_nmi, by_ari = max(others, key=lambda o: o[1].nmi), max(others, key=lambda o: o[1].ari)
    return Judged(
        each.name,
        float(made.parameters[name]),
        found.nmi,
        found.ari,
        (by_nmi[0], by_nmi[1].nmi),
        (by_ari[0], by_ari[1].ari),
    )


def _print_judged(
    judge: Callable[[Labelled], Judged], sets: list[Labelled], parts: list[Labelled]
) -> None:
    judged = [judge(each) for each in [*sets, *parts]]
    print(f"{judge.__name__.removeprefix('judge_')} = auto beside hindsight\n")
    print("| set | auto | NMI | best NMI (at) | ARI | best ARI (at) |")
    print("|---|---|---|---|---|---|")
    for one in judged:
        nmi, ari = (f"{best:.3f} ({at:.4g})" for at, best in (one.best_nmi, one.best_ari))
        print(f"| {one.name} | {one.chosen:.4g} | {one.nmi:.3f} | {nmi} | {one.ari:.3f} | {ari} |")
    for name, shares in (
        ("NMI", [one.nmi / one.best_nmi[1] for one in judged]),
        ("ARI", [one.ari / one.best_ari[1] for one in judged]),
    ):
        within = sum(share >= 0.9 for share in shares)
        print(
            f"\n{name}: within 10 % in {within} of {len(shares)}; "
            f"of the best, {np.mean(shares):.3f} in the mean and {min(shares):.3f} at worst"
        )
    print()


if __name__ == "__main__":
    main()
