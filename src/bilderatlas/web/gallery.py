"""The gallery: a random sample."""

from __future__ import annotations

from dash import html

from bilderatlas.web import texts
from bilderatlas.web.page import Address, Desk, Page
from bilderatlas.web.panel import panel

N_SAMPLE = 60
MAX_SEED = 2**31 - 1


def page(desk: Desk, address: Address) -> Page:
    """Show some images, drawn at random by `?seed=`."""
    seed = address.integer("seed", 0, low=0, high=MAX_SEED)
    sample = desk.collection.sample(N_SAMPLE, seed=seed)
    said = html.Strong(texts.sample_of(len(sample), desk.collection.info().n_images))
    another = html.A(
        texts.ANOTHER_SAMPLE, href=address.but(seed=(seed + 1) % MAX_SEED), className="button"
    )
    return Page(
        texts.GALLERY,
        [
            html.H1(texts.GALLERY),
            html.Div([html.P([said, f" {texts.SAMPLE_LEAD}"]), another], className="lead"),
            panel(sample),
        ],
    )
