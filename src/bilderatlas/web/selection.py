"""Pictures that can be selected, and the bar with what can be done to them.

`static/selection.js` has the rest: it says how the keys work and what the attributes mean.
"""

from __future__ import annotations

from dash import html

from bilderatlas.web import i18n
from bilderatlas.web.address import Children, aria, data


def box(item_id: str, name: str) -> html.Button:
    """The box on a picture that selects it; `name` is that of the picture."""
    return html.Button(
        type="button",
        role="checkbox",
        className="pick",
        tabIndex=-1,  # the script lets Tab reach one of them
        **data(pick=item_id),
        **aria(checked="false", label=i18n.select_one(name)),
    )


def offer() -> html.P:
    """The line above a list of pictures that can be selected."""
    return html.P(
        [
            html.Button(i18n.SELECT_ALL, type="button", className="small", **data(select="all")),
            html.Span(i18n.SELECT_HINT),
        ],
        className="selecting-offer",
    )


def bar(actions: Children) -> html.Section:
    """What can be done to the selected pictures: buttons, and forms with a place for their ids."""
    counted = html.Output(**data(one=i18n.ONE_SELECTED, many=i18n.MANY_SELECTED))
    none = html.Button(i18n.SELECT_NONE, type="button", className="small", **data(select="none"))
    return html.Section(
        [html.Div([counted, none], className="selection-count"), *actions],
        className="selection",
        hidden=True,
        **data(bar=""),
        **aria(label=i18n.SELECTION),
    )


def chosen(name: str = "what[]") -> html.Span:
    """The place in a form where the ids of the selected pictures come."""
    return html.Span(hidden=True, **data(chosen=name))
