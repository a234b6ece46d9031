"""The API's description as one page that needs no script and nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from bilderatlas import __version__

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 3rem auto; padding: 0 1rem;
  background: light-dark(#f5f0e7, #171513); color: light-dark(#26221c, #ece5d8); }
h1 { font: 2rem/1.2 Palatino, "Palatino Linotype", "URW Palladio L", Georgia, serif; }
section { border-top: 1px solid light-dark(#ddd4c4, #38332d); padding: 1.2rem 0; }
h2 { font: 600 1rem ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; }
h2 b { color: light-dark(#8a3b1e, #e2a676); display: inline-block; min-width: 3.2rem; }
table { border-collapse: collapse; font-size: .9rem; }
td { padding: .1rem 1.5rem .1rem 0; vertical-align: top; }
a { color: inherit; } p { margin: .4rem 0; }
"""


def page(openapi: dict[str, Any]) -> str:
    """Every route with its parameters, as HTML."""
    sections = "".join(
        _section(method, path, operation)
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>Bilderatlas: the REST API</title><style>{STYLE}</style>"
        f"<h1>The REST API of Bilderatlas {escape(__version__)}</h1>"
        "<p>Every answer is JSON, with the keys of the command line's <code>--json</code>; errors "
        "are problem documents (RFC 9457). For tools: <a href=/api/openapi.json>openapi.json</a>. "
        f"<a href=/>Back to the pictures</a></p>{sections}</html>"
    )


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(map(_row, operation.get("parameters", [])))
    body = operation.get("requestBody", {}).get("content", {})
    rows += "".join(f"<tr><td>body<td>{escape(kind)}" for kind in body)
    said = escape(operation.get("description") or operation.get("summary", ""))
    return (
        f"<section><h2><b>{escape(method.upper())}</b> {escape(path)}</h2>"
        f"<p>{said}</p><table>{rows}</table></section>"
    )


def _row(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    kinds = [schema, *schema.get("anyOf", [])]
    kind = ", ".join(one["type"] for one in kinds if one.get("type", "null") != "null")
    default = f", {schema['default']} if left out" if "default" in schema else ""
    said = parameter.get("description", "")
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code>"
        f"<td>{escape(kind + default)}<td>{escape(said)}"
    )
