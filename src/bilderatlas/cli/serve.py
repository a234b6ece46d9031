"""Commands that stay: serve; and the keys of those who are served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bilderatlas.cli.arguments import CollectionArg, JsonOption, open_folder
from bilderatlas.cli.printing import print_json, say
from bilderatlas.errors import KeysError


def serve(
    collection: CollectionArg,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
    keys: Annotated[
        Path | None,
        typer.Option(help="A file of API keys, made by 'keys'. [or: $BILDERATLAS_API_KEYS]"),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Serve other machines without asking for a key.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Nobody may change anything.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which it may be asked; may be repeated."),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(help="The address of a reverse proxy: what it says of who asks is believed."),
    ] = None,
    rate: Annotated[float, typer.Option(help="Requests a second of one key or address.")] = 100,
    allow_fetch: Annotated[
        bool, typer.Option("--allow-fetch", help="Pictures may be searched for by their URL.")
    ] = False,
) -> None:
    """Serve the web pages and the REST API."""
    from bilderatlas.server import serve as server
    from bilderatlas.server.auth import policy

    access = policy.decide(
        host,
        keys=keys,
        no_auth=no_auth,
        is_read_only=read_only,
        names=allow_host or (),
        proxy=proxy,
        requests_per_s=rate,
        fetches=allow_fetch,
    )
    if access.keys is None and access.is_reachable:
        say(f"Warning: whoever reaches {host}:{port} may do everything here; nobody needs a key.")
    atlas = open_folder(collection)
    server.serve(
        atlas,
        host=host,
        port=port,
        access=access,
        proxy=proxy,
        on_start=lambda address: say(
            f"Pages: {address}/   REST: {address}/api/docs   Stop: Ctrl-C"
        ),
    )


def keys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the keys are kept.")],
    add: Annotated[str | None, typer.Option(metavar="NAME", help="Make a key for NAME.")] = None,
    role: Annotated[
        str, typer.Option(help="viewer: looks and searches; editor: changes too.")
    ] = "viewer",
    remove: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take the key of NAME away.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the API keys in a file, make one, or take one away."""
    from bilderatlas.server.auth import api_keys

    secret = None
    if add and remove:
        raise KeysError(f"Either --add {add} or --remove {remove}: one at a time.")
    if add:
        key, secret = api_keys.make(add, role)
        api_keys.add(file, key)
    if remove:
        api_keys.remove(file, remove)
    known = api_keys.from_file(file)
    if as_json:
        print_json(
            {"keys": [{"name": each.name, "role": each.role} for each in known], "key": secret}
        )
    elif secret:
        print(secret)
        say(f"This is the key of {add} ({role}). It is shown this once: {file} keeps its hash.")
    else:
        for each in known:
            print(f"{each.role:6}  {each.name}")
