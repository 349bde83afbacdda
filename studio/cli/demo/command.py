"""The command `studio demo`."""

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli import session
from studio.cli.demo import place, story
from studio.cli.demo.steps import STEPS
from studio.cli.output import AsJson, err, out, show_json
from studio.clock import monotonic
from studio.errors import StudioError


def demo(
    check: Annotated[bool, typer.Option("--check", help="Run the whole story headless in a home of its own.")] = False,
    keep: Annotated[Path | None, typer.Option(help="With --check: use this home and leave it there.")] = None,
    omit: Annotated[list[str], typer.Option(hidden=True)] = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Opens the example in the browser; with --check, walks the story headless and prints what each step proved."""
    if not check:
        _open()
        return
    if keep is not None:
        steps = _run(keep, frozenset(omit), quiet=as_json)
    else:
        with tempfile.TemporaryDirectory(prefix="studio-demo-") as home:
            steps = _run(Path(home), frozenset(omit), quiet=as_json)
    if as_json:
        show_json({"ok": all(step["ok"] for step in steps), "steps": steps})
    if not all(step["ok"] for step in steps):
        raise typer.Exit(1)


def _run(home: Path, omit: frozenset[str], quiet: bool) -> list[dict[str, Any]]:
    # Built environments are content-addressed and read-only, so the story borrows those of the usual home.
    usual = session.settings()
    settings = usual.model_copy(update={"home": home, "environments": usual.paths.environments, "browser": False})
    state = story.Story(settings, omit)
    steps: list[dict[str, Any]] = []
    try:
        for name, step in STEPS.items():
            steps.append(_step(name, step, state))
            if not quiet:
                _tell(steps[-1])
            if not steps[-1]["ok"]:
                break
    finally:
        state.close()
        if not (steps and steps[-1]["id"] == "down" and steps[-1]["ok"]):
            place.end(settings)
    return steps


def _step(name: str, step: story.Step, state: story.Story) -> dict[str, Any]:
    begun = monotonic()
    try:
        evidence, ok = step(state), True
    except StudioError as error:
        evidence, ok = {"error": str(error), "code": error.code}, False
    except Exception as error:  # the report is what people and tests read; a bug in a step belongs in it, not above it
        evidence, ok = {"error": f"{type(error).__name__}: {error}"}, False
    return {"id": name, "ok": ok, "seconds": round(monotonic() - begun, 3), "evidence": evidence}


def _tell(step: dict[str, Any]) -> None:
    mark = "[green]✓[/]" if step["ok"] else "[red]✗[/]"
    facts = ", ".join(f"{key} {value}" for key, value in step["evidence"].items())
    shown = facts if not step["ok"] or len(facts) < 150 else facts[:149] + "…"
    line = f"{mark} {step['id']:<12}[dim]{step['seconds']:>7.2f} s[/]  "
    out.print(line, end="", highlight=False)
    out.print(shown, markup=False, highlight=False)


def _open() -> None:
    """Signs in and opens Home, where *Run the example* is."""
    with session.rest() as api:
        link = api.post("signin-links", {})["url"]
    err.print("Sign-in link, once, within ten minutes; then press *Run the example*:")
    typer.echo(link)
    webbrowser.open(link)
