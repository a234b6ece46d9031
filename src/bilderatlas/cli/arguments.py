"""Arguments that several commands share, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bilderatlas.errors import NotOverHttp

if TYPE_CHECKING:
    from bilderatlas.client.protocol import Atlas
    from bilderatlas.collection import Collection

QUERY_HELP = 'Words, or an expression: "2:dog + ./beach.jpg - snow".'
CollectionArg = Annotated[
    str, typer.Argument(metavar="COLLECTION", help="NAME, NAME.atlas, or a server's address.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
KOption = Annotated[int, typer.Option("-k", help="How many images.")]
WhereOption = Annotated[
    str | None,
    typer.Option(help="A SQL condition, e.g. \"width > 1000 AND path LIKE '%beach%'\"."),
]
KindOption = Annotated[
    str | None, typer.Option(help="The kind of region, or all. [image; of words found: text]")
]
SpaceOption = Annotated[
    str | None,
    typer.Option(help="The space to ask, as info lists them, or its column. [the active one]"),
]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same result.")]


def open_collection(collection: str) -> Atlas:
    """For what can be asked of a folder and of a server."""
    from bilderatlas._open import open

    return open(collection)


def open_folder(collection: str) -> Collection:
    """For what is done where the collection lies. Raises NotOverHttp for an address."""
    from bilderatlas._open import open_folder

    return open_folder(folder_of(collection))


def folder_of(collection: str) -> Path:
    """The folder of a collection that lies here. Raises NotOverHttp for an address."""
    from bilderatlas._open import folder_of
    from bilderatlas.client import is_address

    if is_address(collection):
        raise NotOverHttp(
            f"This works only on the machine that holds the collection, not over HTTP at "
            f"{collection}. Run it there, or use the server's pages."
        )
    return folder_of(collection)
