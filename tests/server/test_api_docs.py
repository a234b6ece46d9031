"""The examples of docs/rest.md are requests that this server answers."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import typer
from fastapi.testclient import TestClient
from typer.core import TyperGroup

from bilderatlas import cli

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"
COMMANDS = [line for line in PAGE.read_text().splitlines() if line.startswith("curl ")]


def test_there_are_examples() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_answered(client: TestClient, command: str) -> None:
    *options, address = shlex.split(command)[1:]
    body = json.loads(options[1]) if options else None
    path = address.removeprefix("http://127.0.0.1:8080")
    answer = client.post(path, json=body) if body else client.get(path)
    assert answer.status_code == 200, answer.text


def test_every_route_is_in_the_table(client: TestClient) -> None:
    table = PAGE.read_text()
    for path, operations in client.get("/api/openapi.json").json()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path.removeprefix('/api/v1')}`" in table


def test_every_verb_of_the_command_line_has_its_route_in_the_table(client: TestClient) -> None:
    """Where a verb has no route, the table says so."""
    told = PAGE.read_text().partition("## Where each verb")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in told.splitlines() if line.startswith("| `")]
    verbs = [verb.strip("` ") for cell, _ in rows for verb in cell.split(",")]
    group = typer.main.get_command(cli.app)
    assert isinstance(group, TyperGroup)
    assert sorted(verbs) == sorted(group.commands)
    routes = client.get("/api/openapi.json").json()["paths"]
    for method, path in re.findall(r"`([A-Z]+) (/[^`]*)`", told):
        assert method.lower() in routes[f"/api/v1{path}"]
