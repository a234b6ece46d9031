"""The command line: one command per verb.

Results go to stdout, narration to stderr; with --json, stdout is one JSON document.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from io import TextIOWrapper
from typing import Annotated

import typer

from bilderatlas import __version__
from bilderatlas.cli import (
    classify,
    cluster,
    decide,
    duplicates,
    evaluate,
    export,
    index,
    info,
    label,
    search,
    serve,
)
from bilderatlas.cli.printing import one_line, print_json
from bilderatlas.errors import BilderatlasError

REFUSED = 1

app = typer.Typer(
    name="bilderatlas",
    help="Put a pile of images in order by what the pictures mean.",
    epilog="A collection is a folder, NAME.atlas. Begin with: bilderatlas index holiday ~/Pictures",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

for command in (
    index.index,
    index.reindex,
    search.search,
    search.similar,
    cluster.cluster,
    cluster.project,
    decide.name,
    decide.decide,
    decide.decisions,
    label.label,
    classify.classify,
    duplicates.duplicates,
    evaluate.evaluate,
    export.export,
    info.problems,
    info.info,
    info.doctor,
    info.encoders,
    serve.serve,
    serve.keys,
):
    app.command()(command)


def main() -> None:
    """Run the command line; every refusal is one message and exit status 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may be no Unicode
    # Pillow's are about EXIF that nobody reads; a damaged picture becomes a problem
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
    try:
        app(prog_name="bilderatlas")
    except BilderatlasError as error:
        _refuse(type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001  the last boundary before a person
        traceback.print_exc()
        _refuse(type(error).__name__, f"A fault in Bilderatlas; please report it: {error!r}")


def _refuse(kind: str, message: str) -> None:
    if "--json" in sys.argv:
        print_json({"error": {"kind": kind, "message": message}})
    else:
        print(f"bilderatlas: {one_line(message)}", file=sys.stderr)
    sys.exit(REFUSED)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"bilderatlas {__version__}")
        raise typer.Exit
