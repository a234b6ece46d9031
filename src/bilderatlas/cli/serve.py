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
        typer.Option(help="A host name that it answers to; may be repeated."),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(help="A reverse proxy's address: it is trusted to say who asks."),
    ] = None,
    rate: Annotated[float, typer.Option(help="Requests per second from one key or address.")] = 100,
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
        say(f"Warning: anyone who reaches {host}:{port} may do everything here, without a key.")
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
        str, typer.Option(help="viewer: may look and search; editor: may change things too.")
    ] = "viewer",
    remove: Annotated[
        str | None, typer.Option(metavar="NAME", help="Remove the key of NAME.")
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
        say(
            f"This is the key of {add} ({role}). It is shown only this once: {file} keeps its hash."
        )
    else:
        for each in known:
            print(f"{each.role:6}  {each.name}")
