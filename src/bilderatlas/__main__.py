"""`python -m bilderatlas`."""

from bilderatlas.cli import main

main()
