"""The page on which a browser is given a key: a document by itself, for who may see nothing yet."""

from __future__ import annotations

from html import escape

from bilderatlas import __version__
from bilderatlas.web import i18n, request_context

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def document(*, then: str = "/", is_refused: bool = False) -> str:
    """The whole page; `then` is the address to go to when the key is known."""
    name = request_context.current().name
    inner = _signed_in(name, then) if name else _form(then, is_refused)
    return _around(f"{i18n.SIGN_IN} · {i18n.PROGRAM}", inner)


# Browsers keep a SameSite=Strict cookie to themselves when a link of another site, or of a mail, is
# followed; not when a document of ours asks them to come again.
AGAIN = "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=0><title></title>"


def _form(then: str, is_refused: bool) -> str:
    refusal = f"<p class=refusal role=alert>{escape(i18n.WRONG_KEY)}</p>" if is_refused else ""
    return (
        f"<h1>{escape(i18n.SIGN_IN)}</h1><p class=lead>{escape(i18n.SIGN_IN_HINT)}</p>"
        "<form class=sign-in method=post action=/sign-in>"
        f'<input type=hidden name=next value="{escape(then)}">'
        f"<label for=key>{escape(i18n.KEY)}</label>"
        "<input id=key name=key type=password autocomplete=current-password maxlength=500 "
        f"required autofocus spellcheck=false>{refusal}"
        f"<button class=button>{escape(i18n.SIGN_IN)}</button></form>"
    )


def _signed_in(name: str, then: str) -> str:
    said = i18n.signed_in_as(name, may_edit=request_context.current().may_edit)
    return (
        f"<h1>{escape(i18n.SIGNED_IN)}</h1><p class=lead>{escape(said)}</p>"
        "<form class=sign-in method=post action=/sign-out>"
        f"<button class=button>{escape(i18n.SIGN_OUT)}</button></form>"
        f'<p><a href="{escape(then)}">{escape(i18n.TO_PICTURES)}</a></p>'
    )


def _around(title: str, inner: str) -> str:
    version = escape(__version__)
    return (
        f"<!doctype html><html lang={request_context.current().language}><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title>"
        f"<script src='/assets/scheme.js?v={version}'></script>"
        "<link rel=icon href=/assets/favicon.svg type=image/svg+xml>"
        f"<link rel=stylesheet href='/assets/atlas.css?v={version}'>"
        f"<link rel=stylesheet href='/assets/sign_in.css?v={version}'>"
        f"</head><body><main class=alone>{inner}</main></body></html>"
    )
