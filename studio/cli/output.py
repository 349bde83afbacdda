"""How answers are shown: JSON for programs, tables for people."""

import json
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Domain = Annotated[str, typer.Option("--domain", "-d", envvar="STUDIO_DOMAIN", help="Name of the domain.")]


def show_json(value: Any) -> None:
    """Plain JSON to standard output, for `jq` and scripts."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_rows(rows: Iterable[dict[str, Any]], columns: Sequence[str], as_json: bool, empty: str) -> None:
    """`rows` as JSON or as a table of `columns`; `empty` says what to do when there is none."""
    rows = list(rows)
    if as_json:
        show_json(rows)
        return
    if not rows:
        out.print(empty)
        return
    table = Table(*(column.removesuffix("_ms").replace("_", " ") for column in columns), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    out.print(table)


def show_fields(value: dict[str, Any], as_json: bool) -> None:
    """One thing, a line per field."""
    if as_json:
        show_json(value)
        return
    table = Table.grid(padding=(0, 2))
    for key, field in value.items():
        table.add_row(f"[dim]{key.removesuffix('_ms').replace('_', ' ')}[/]", _cell(key, field))
    out.print(table)


def _cell(column: str, value: Any) -> str:
    if value is None or value in ("", []):
        return "–"
    if column.endswith("_ms") and isinstance(value, int):
        return _ago(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    # It may be text from inside a sandbox: shown as it is, never read as markup.
    return escape(str(value))


def _ago(at_ms: int) -> str:
    seconds = int(time.time() - at_ms / 1000)
    count, unit = abs(seconds), "s"
    for size, longer in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size:
            count, unit = abs(seconds) // size, longer
            break
    return f"in {count} {unit}" if seconds < 0 else f"{count} {unit} ago"
