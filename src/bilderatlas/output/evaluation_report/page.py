"""An Evaluation -> one HTML page that opens from disk: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.resources import files

import numpy as np

from bilderatlas import figures
from bilderatlas.analysis import natural_order
from bilderatlas.analysis.evaluation import Agreement, Grid
from bilderatlas.output.evaluation_report import (
    NOISE,
    Captions,
    ClassSimilarity,
    Evaluation,
    JudgedRun,
)
from bilderatlas.output.evaluation_report.charts import (
    DASH,
    Line,
    escape,
    heat_map,
    histograms,
    legend,
    lines,
    number,
    table,
)

N_ROWS = 120  # pictures in the table side by side
N_CLUSTERS = 30  # of each run in its table
THUMBNAIL = 88  # pixels, shown at half of it
MEASURES = {
    "clusters": "clusters that were found",
    "noise": "pictures left in no cluster",
    "purity": "how much of a cluster is of one class; high is easy with many small clusters",
    "accuracy": "share of all pictures that are in the cluster of their class",
    "NMI": "how much the clusters say of the classes, 0 nothing, 1 everything; the V-measure too",
    "ARI": "as the pairs agree, 0 what chance does, 1 where clusters are classes",
    "homogeneity": "1 where no cluster mixes classes",
    "completeness": "1 where no class is torn apart",
    "pair precision": "of two pictures put together, how often rightly",
    "pair recall": "of two that belong together, how often put together",
    "pair F1": "both at once",
}


def of(evaluation: Evaluation) -> str:
    """The whole page."""
    sections = [
        _runs(evaluation.runs, evaluation.collection),
        _side_by_side(evaluation),
        _similarity(evaluation.similarity),
        _grid(evaluation.dbscan),
        _captions(evaluation.captions, evaluation),
    ]
    style = files("bilderatlas.output.evaluation_report").joinpath("page.css").read_text("utf-8")
    name = escape(evaluation.collection)
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        "<meta http-equiv=Content-Security-Policy "
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<title>Evaluation of {name}</title><style>{style}</style>"
        f"<main><h1>Evaluation of {name}</h1>{_lead(evaluation)}{''.join(sections)}"
        f"<footer>Bilderatlas {version('bilderatlas')}</footer></main></html>\n"
    )


def _section(title: str, meaning: str, *body: str) -> str:
    return f'<section><h2>{title}</h2><p class="meaning">{meaning}</p>{"".join(body)}</section>'


def _lead(evaluation: Evaluation) -> str:
    labels = evaluation.labels
    what = "images" if evaluation.kind == "image" else f"regions ({escape(evaluation.kind)})"
    differ = f" ({labels.n_images:,} different pictures)" * (labels.n_images < labels.n_labelled)
    facts = [
        f"<strong>{labels.n_labelled:,}</strong> {what}{differ} in "
        f"<strong>{len(labels.classes):,}</strong> classes, according to {escape(labels.source)}; "
        f"embedded by <strong>{escape(evaluation.encoder)}</strong>.",
        *[f"{labels.n_unlabelled:,} have no label and are left out."] * (labels.n_unlabelled > 0),
        *map(escape, labels.warnings),
    ]
    sizes = " · ".join(f"{escape(name)} {n:,}" for name, n in list(labels.classes.items())[:60])
    return f'<p class="lead">{" ".join(facts)}</p><p class="sizes">{sizes}</p>'


# -- clusterings


def _runs(runs: Sequence[JudgedRun], collection: str) -> str:
    if not runs:
        command = f"<code>bilderatlas cluster {escape(collection)}</code>"
        return _section("Clusterings", f"None was made yet: {command}")
    rows = []
    for run in runs:
        parameters = ", ".join(f"{name} {value}" for name, value in run.about.parameters.items())
        head = f"{escape(run.about.run)}<small>{escape(parameters)}</small>"
        rows.append([head, *_figures(run.agreement)])
        if run.clustered_only and run.agreement.n_noise:
            rows.append(["<em>without its noise</em>", *_figures(run.clustered_only)])
    terms = "".join(f"<dt>{name}</dt><dd>{what}</dd>" for name, what in MEASURES.items())
    return _section(
        "Clusterings",
        "How well the clusters agree with the classes. No single figure says it all: read ARI for "
        "the clusters as a whole, purity for whether a cluster can be trusted, and the noise for "
        "how much was left undone. Noise never counts in favour of a clustering.",
        table(["run", *MEASURES], rows, name="runs"),
        f"<details><summary>What the columns say</summary><dl>{terms}</dl></details>",
        *[_clusters(run) for run in runs],
    )


def _figures(made: Agreement) -> list[str]:
    shares = (
        made.purity, made.accuracy, made.nmi, made.ari, made.homogeneity, made.completeness,
        made.pair_precision, made.pair_recall, made.pair_f1,
    )  # fmt: skip
    noise = f"{made.n_noise:,}<small>{made.n_noise / made.n_rows:.0%}</small>"
    return [f"{made.n_clusters:,}", noise, *map(number, shares)]


def _clusters(run: JudgedRun) -> str:
    rows = [
        [
            escape(cluster.name),
            f"{cluster.size:,}",
            escape(cluster.label) if cluster.label is not None else DASH,
            f"{cluster.n_right / cluster.size:.0%}" if cluster.label is not None else DASH,
        ]
        for cluster in run.clusters[:N_CLUSTERS]
    ]
    rest = len(run.clusters) - len(rows)
    more = f"<p>and {rest:,} smaller ones</p>" if rest > 0 else ""
    listed = table(["cluster", "labelled", "stands for", "of that class"], rows, name="clusters")
    name = escape(run.about.run)
    return f"<details><summary>The clusters of {name}</summary>{listed}{more}</details>"


# -- side by side


def _side_by_side(evaluation: Evaluation) -> str:
    side = evaluation.side_by_side
    if not side.predicted:
        return ""
    chosen = _chosen(side.real)
    image_ids = [side.region_ids[i].partition("-")[0] for i in chosen]
    pictures = [_picture(jpeg) for jpeg in evaluation.thumbnails(image_ids)]
    paths, rows, band, last = side.paths, [], 0, ""
    for i, picture in zip(chosen, pictures, strict=True):
        band, last = band + (side.real[i] != last), side.real[i]
        cells = "".join(_group(run[i], side.real[i]) for run in side.predicted.values())
        name = escape(paths[i].rsplit("/", 1)[-1])
        rows.append(
            f'<tr class="band{band % 2}"><td>{picture}</td><td class=file>{name}</td>'
            f"<th scope=row>{escape(side.real[i])}</th>{cells}</tr>"
        )
    heads = "".join(f"<th scope=col>{escape(run)}</th>" for run in side.predicted)
    shown = f"{len(chosen):,} of {len(side.real):,} pictures, from every class the first ones. "
    return _section(
        "Side by side",
        "The classes beside the clusters of each run. A cluster is called after the class that it "
        "matches best, one cluster a class (Hungarian assignment); a cluster too many is an "
        "extra. What "
        f"differs is marked. {shown if len(chosen) < len(side.real) else ''}"
        "The whole table: <code>--side-by-side FILE.csv</code>",
        '<div class="wide tall"><table class="side"><tr><td></td><th scope=col>picture</th>'
        f"<th scope=col>real</th>{heads}</tr>{''.join(rows)}</table></div>",
    )


def _chosen(real: Sequence[str]) -> list[int]:
    """Rows by class, as many of each where there are too many."""
    classes = {name: i for i, name in enumerate(sorted(set(real), key=natural_order.key))}
    numbers = np.array([classes[name] for name in real])
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], np.arange(len(classes)))
    each = max(1, N_ROWS // len(classes))
    stops = np.append(starts[1:], len(order))
    rows = [
        order[start : min(stop, start + each)] for start, stop in zip(starts, stops, strict=True)
    ]
    some: list[int] = np.concatenate(rows)[:N_ROWS].tolist()
    return some


def _group(predicted: str | None, real: str) -> str:
    if predicted is None:
        return f"<td class=noise>{DASH}</td>"
    if predicted == real:
        return f"<td>{escape(predicted)}</td>"
    kind = "noise" if predicted == NOISE else "wrong"
    return f"<td class={kind}>{escape(predicted)}</td>"


def _picture(jpeg: bytes) -> str:
    small = b64encode(figures.smaller(jpeg, THUMBNAIL)).decode()
    return f'<img alt="" src="data:image/jpeg;base64,{small}">'


# -- likeness


def _similarity(similarity: ClassSimilarity) -> str:
    shown = len(similarity.classes)
    part = f"The {shown} largest of {similarity.n_classes:,} classes. "
    found = similarity.separation
    body = [heat_map(similarity.matrix, similarity.classes)]
    if found:
        body.append(
            '<figure class="one">'
            + histograms(
                found.edges, (found.same, found.different), x_name="cosine", mark=found.threshold
            )
            + legend(["two of the same class", "two of different classes"])
            + "</figure>"
            f"<p>The best threshold is a cosine of <strong>{found.threshold:.3f}</strong>: "
            f"{found.same_above:.0%} of the pairs of one class are at least as alike, and "
            f"{found.different_above:.0%} of the others. A pair of one class is more alike than "
            f"another pair {found.auc:.0%} of the time (50% would be guessing). Means: "
            f"{found.mean_same:.3f} and {found.mean_different:.3f}.</p>"
        )
    return _section(
        "Likeness within and between classes",
        "The mean cosine of two different pictures, one of each class. A strong diagonal on pale "
        "ground says that the encoder tells the classes apart; a strong block of several classes, "
        f"that it sees them as one kind. {part if shown < similarity.n_classes else ''}",
        *body,
    )


# -- DBSCAN


def _grid(grid: Grid) -> str:
    best = grid.best
    made = best.agreement
    drawings = []
    kinds: dict[str, tuple[Callable[[Agreement], float], float]] = {
        "ARI": (lambda a: max(a.ari, 0), math.ceil(max(made.ari, 0.1) * 10 - 1e-9) / 10),
        "purity": (lambda a: a.purity, 1.0),
        "clusters": (lambda a: a.n_clusters, max(s.agreement.n_clusters for s in grid.settings)),
        "share of noise": (lambda a: a.n_noise / a.n_rows, 1.0),
    }
    numbers = sorted({s.min_samples for s in grid.settings})
    for name, (measure, top) in kinds.items():
        drawn = [
            Line(
                f"min_samples {n}",
                [s.eps for s in grid.settings if s.min_samples == n],
                [measure(s.agreement) for s in grid.settings if s.min_samples == n],
            )
            for n in numbers
        ]
        mark = (best.eps, measure(made))
        chart = lines(drawn, x_name="eps", y_name=name, top=max(top, 1e-9), mark=mark)
        drawings.append(f"<figure><figcaption>{name}</figcaption>{chart}</figure>")
    return _section(
        "DBSCAN over its settings",
        "Pictures closer than eps (a cosine distance) are neighbors; min_samples of them make a "
        "cluster. Small eps: few, pure clusters and much noise. Large eps: everything in one. "
        "Purity alone is best where nothing is clustered, so the ring is at the best ARI.",
        f'<div class="charts">{"".join(drawings)}</div>',
        legend([f"min_samples {n}" for n in numbers]),
        f"<p>Best of {len(grid.settings)} settings over {grid.n_rows:,} rows: eps "
        f"<strong>{best.eps:g}</strong>, min_samples <strong>{best.min_samples}</strong> with "
        f"{made.n_clusters:,} clusters, {made.n_noise / made.n_rows:.0%} noise, purity "
        f"{made.purity:.3f}, NMI {made.nmi:.3f}, ARI {made.ari:.3f}.</p>",
    )


# -- captions


def _captions(captions: Captions | None, evaluation: Evaluation) -> str:
    title = "Captions and pictures"
    if captions is None:
        return _section(
            title, "No captions were given. A column of them: <code>--captions COLUMN</code>"
        )
    found = captions.retrieval
    heads = ["searched", *(f"recall at {k}" for k in found.recall_at), "mAP", "median rank"]
    figures_ = [*map(number, found.recall_at.values()), number(found.mean_average_precision)]
    asked = f"{found.n_queries:,}" + f" of {captions.n_captions:,}" * (
        captions.n_captions > found.n_queries
    )
    row = [f"{asked} captions", *figures_, f"{found.median_rank:g}"]
    return _section(
        title,
        f"Every caption is a query over {found.n_images:,} pictures. Recall at 5 is the share of "
        "captions whose picture is among the first five; mAP also says how high up it is.",
        table(heads, [row], name="runs"),
        _gap(captions, evaluation),
    )


def _gap(captions: Captions, evaluation: Evaluation) -> str:
    gap = captions.gap
    if gap is None:
        return "<p>The captions are of one picture: there is no gap to measure.</p>"
    rows = [
        ["a caption and its own picture", number(gap.text_to_image_own)],
        ["a caption and another picture", number(gap.text_to_image_other)],
        ["two captions of one picture", number(gap.same_image_texts)],
        ["captions of two pictures", number(gap.text_to_text)],
        ["two pictures", number(gap.image_to_image)],
        ["<strong>modality gap</strong>", f"<strong>{number(gap.gap)}</strong>"],
    ]
    pictures = [_picture(jpeg) for jpeg in evaluation.thumbnails(captions.shown_images)]
    texts = [f'<span class="text">{escape(text)}</span>' for text in captions.shown_texts]
    names = [*captions.shown_texts, *(f"picture {i + 1}" for i in range(len(pictures)))]
    return (
        '<p class="meaning">Most encoders keep words and pictures apart: a caption and its picture '
        "are less alike than two captions that have nothing in common. The gap is the distance of "
        "the two kinds' means (Liang et al. 2022), 0 to 2. It does no harm while words search "
        "pictures; a threshold, or a clustering of both kinds together, must know of it.</p>"
        + table(["mean cosine of", ""], rows, name="gap")
        + heat_map(gap.matrix, names, heads=[*texts, *pictures])
        + "<details><summary>The captions</summary><ol>"
        + "".join(f"<li>{escape(text)}</li>" for text in captions.shown_texts)
        + "</ol></details>"
    )
