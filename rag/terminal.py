"""The door of every command line: what is said goes to standard error, an error becomes one message and an exit code."""

import sys

import typer
from rich.console import Console

from rag.errors import JiphyeonError

console = Console(stderr=True)


def main(app: typer.Typer) -> None:
    """Run the app; exit with 2 after saying what a JiphyeonError says."""
    try:
        app()
    except JiphyeonError as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
