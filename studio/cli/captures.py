"""`studio captures`, `studio ground-truth`, `studio quality`: what endpoints were asked, and how right they were."""

import csv
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli.output import AsJson, Domain, out, show_json, show_rows
from studio.cli.session import rest
from studio.client import Rest
from studio.errors import Invalid, TooMany

MOST = 10_000  # labels in one call
PATIENCE_S = 120.0
Name = Annotated[str, typer.Argument(help="Name of the endpoint.")]


def captures(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=2000, help="At most so many, the newest.")] = 20,
    ids: Annotated[str, typer.Option(help="Only these rows or requests, separated by commas.")] = "",
    variant: Annotated[str, typer.Option(help="Answered by this variant.")] = "",
    version: Annotated[int | None, typer.Option(help="Answered by this version.")] = None,
    status: Annotated[int | None, typer.Option(help="With this HTTP status.")] = None,
    truth: Annotated[bool, typer.Option("--truth", help="With a label only.")] = False,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """The newest captured rows of an endpoint."""
    asked = {"ids": ids or None, "variant": variant or None, "version": version, "status": status}
    with rest() as api:
        found = api.get(f"domains/{domain}/endpoints/{name}/captures", limit=limit, truth=truth or None, **asked)[
            "rows"
        ]
    columns = ["id", "at_ms", "variant", "version", "status", "latency_ms", "inputs", "output", "truth"]
    show_rows(
        found, columns, as_json, "None yet. They appear some seconds after the request, if the endpoint captures."
    )


def ground_truth(
    name: Name,
    file: Annotated[Path, typer.Argument(help="CSV with `label`, and `id` or `inference_id` and `row`.")],
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Says what captured rows turned out to be. The last word on a row counts; an empty label takes it back."""
    rows = list(_rows(file))
    with rest() as api:
        for start in range(0, len(rows), MOST):
            _send(api, f"domains/{domain}/endpoints/{name}/ground-truth", rows[start : start + MOST])
    if as_json:
        show_json({"accepted": len(rows)})
        return
    out.print(f"{len(rows)} labels were taken. See how right {name} was: studio quality {name}")


def _send(api: Rest, path: str, rows: list[dict[str, Any]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            api.post(path, {"rows": rows})
            return
        except TooMany:
            # They are taken in every few seconds, and not without bound in between.
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    if not file.is_file():
        raise Invalid(f"{file} is not a file.", "Give the path of a CSV file.")
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            yield from _read(csv.DictReader(text), file)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"{file} cannot be read: {error}.", "Save it as CSV in UTF-8.") from error


def _read(reader: "csv.DictReader[str]", file: Path) -> Iterator[dict[str, Any]]:
    names = set(reader.fieldnames or ())
    if "label" not in names or not names & {"id", "inference_id"}:
        raise Invalid(
            f"{file} has no columns that say which row is meant.",
            "Its first line names the columns: label, and id, or inference_id and row.",
        )
    for row in reader:
        inference_id, line = row.get("inference_id"), row.get("row") or "0"
        if not inference_id:
            inference_id, _, line = (row.get("id") or "").rpartition(".")
        if not inference_id or not line.isdecimal():
            raise Invalid(f"Line {reader.line_num} of {file} names no row.", "Ids are those of `studio captures`.")
        yield {"inference_id": inference_id, "row": int(line), "label": _label(row["label"])}


def _label(text: str | None) -> Any:
    """A number, true or false where the text is one as JSON writes it; empty: none."""
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_label = isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_label else text


def quality(
    name: Name,
    from_ms: Annotated[int | None, typer.Option(help="Rows from then on, in ms since 1970.")] = None,
    to_ms: Annotated[int | None, typer.Option(help="Rows before then.")] = None,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """How right each variant of an endpoint was where the label is known."""
    with rest() as api:
        found = api.get(f"domains/{domain}/endpoints/{name}/quality", from_ms=from_ms, to_ms=to_ms)
    if as_json:
        show_json(found)
        return
    columns = ["variant", "version", "kind", "n", "accuracy", "mae", "rmse", "bias"]
    show_rows(found["variants"], columns, False, f"No label has met a row yet: studio ground-truth {name} FILE.csv")
    if found["waiting"]:
        out.print(f"{found['waiting']} labels wait for rows that are not here.")
