"""Printing: data on stdout, narration on stderr, errors as title, reason, remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from localpi.reports import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.errors import LocalpiError

json_option = click.option("--json", "as_json", is_flag=True, help='Print one JSON object with "schema": 1.')


def say(text: str) -> None:
    """Narrate on stderr."""
    click.echo(text, err=True)


def data(text: str) -> None:
    """Print a line of data on stdout."""
    click.echo(text)


def print_json(report: object) -> None:
    """Print a report as one JSON object."""
    click.echo(json.dumps(to_json(report), indent=2, ensure_ascii=False))


def print_table(rows: Sequence[Sequence[str]], *, gap: int = 2) -> None:
    """Print rows of equal length in aligned columns, the last one unpadded."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo((" " * gap).join(cells).rstrip())


def show_error(error: LocalpiError) -> None:
    """Print title, reason and remedy on stderr."""
    say(f"{error.title}: {error.message}")
    if error.hint:
        say(f"  → {error.hint}")


def human_size(size: float) -> str:
    """Write bytes for people: 12 B, 3.4 MB (decimal, as file managers do)."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
