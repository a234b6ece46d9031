"""Write docs/cli.md from the commands' own --help, or check that it is as they say.

python tools/make_cli_docs.py [--check]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
HEAD = """# The command line

Made from `--help` by `tools/make_cli_docs.py`; `make check` keeps the two the same. Results go to
stdout, narration to stderr. With `--json`, stdout is one JSON document, and a refusal is
`{"error": {"kind": ..., "message": ...}}`. Exit status: 0 done; 1 refused, with a message that
says what to do; 2 wrong usage; 130 stopped with Ctrl-C.
"""


def help_of(*command: str) -> str:
    """What a command says of itself, 90 columns wide."""
    environment = os.environ | {"COLUMNS": "90", "TERMINAL_WIDTH": "90", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "bilderatlas", *command, "--help"],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def commands(overview: str) -> list[str]:
    """The names under "Commands:" of the overview."""
    listed = overview.partition("Commands:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines() if line[2:3].strip()]


def page() -> str:
    overview = help_of()
    parts = [HEAD, f"```\n{overview}\n```\n"]
    parts += [f"## {name}\n\n```\n{help_of(name)}\n```\n" for name in commands(overview)]
    return "\n".join(parts)


def main() -> None:
    made = page()
    if "--check" not in sys.argv:
        PAGE.write_text(made, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != made:
        sys.exit("docs/cli.md is not what --help says. Run: python tools/make_cli_docs.py")


if __name__ == "__main__":
    main()
