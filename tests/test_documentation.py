"""The examples of the README and of docs/: commands are understood, the README's ones run."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from bilderatlas import cli
from tests.assets import assets

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_EXAMPLES = {"cli.md", "log.md"}  # made from --help; what was typed on some day
NEVER_ENDS = "serve"


def commands(page: Path) -> list[list[str]]:
    """The arguments of every `bilderatlas ...` in the indented blocks of a page."""
    lines = re.findall(r"^ {4}bilderatlas (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def programs(page: Path) -> list[str]:
    """The Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "arguments"),
    [
        pytest.param(page.name, arguments, id=f"{page.name}: {shlex.join(arguments)}")
        for page in PAGES
        if page.name not in NOT_EXAMPLES
        for arguments in commands(page)
    ],
)
def test_every_command_in_the_docs_is_one_that_the_cli_understands(
    page: str, arguments: list[str]
) -> None:
    group = typer.main.get_command(cli.app)
    assert isinstance(group, TyperGroup)
    assert arguments[0] in group.commands, f"{page} names no command"
    group.commands[arguments[0]].make_context(arguments[0], arguments[1:])


@pytest.fixture
def holiday(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to type the README's commands in: ~/Pictures, and the files that they name."""
    photographs = sorted((assets() / "data" / "coco" / "images").glob("*.jpg"))[:12]
    pictures = tmp_path / "Pictures"
    pictures.mkdir()
    for number, photograph in enumerate(photographs, start=35):
        (pictures / f"img_{number:04}.jpg").write_bytes(photograph.read_bytes())
    for name in ("dog.jpg", "bicycle.jpg", "cat.jpg"):
        (tmp_path / name).write_bytes(photographs[0].read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.model
def test_the_commands_and_the_program_of_the_readme_run(
    holiday: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = [line for line in commands(ROOT / "README.md") if "holiday" in line]
    assert len(typed) > 5
    for arguments in typed:
        if arguments[0] == NEVER_ENDS:
            continue
        expanded = [str(Path(word).expanduser()) if word[0] == "~" else word for word in arguments]
        monkeypatch.setattr(sys, "argv", ["bilderatlas", *expanded])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code, capsys.readouterr().err
    for program in programs(ROOT / "README.md") + programs(ROOT / "docs" / "search.md"):
        exec(program, {})
    assert str(holiday / "Pictures") in capsys.readouterr().out
