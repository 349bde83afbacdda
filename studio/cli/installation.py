"""`studio up`, `down`, `status`, `doctor`, `logs`: the installation as a whole."""

import threading
import time
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from studio.cli.environments import wait_for_environment
from studio.cli.output import AsJson, err, out, show_json, show_rows
from studio.cli.session import rest, settings, use_home
from studio.client import connect
from studio.errors import NotFound, StudioError, Unavailable
from studio.settings import Settings
from studio.supervisor import up as supervising


def up(
    home: Annotated[Path | None, typer.Option(help="Folder that holds everything; default ~/.studio.")] = None,
    port: Annotated[int | None, typer.Option(help="First port to try; 0 takes any free one.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser at the end.")] = True,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it runs; end it with `studio down`.")] = False,
    host: Annotated[str | None, typer.Option(help="Only loopback without TLS.")] = None,
) -> None:
    """Starts Studio and prints a sign-in link; in the foreground until Ctrl-C."""
    if home is not None:
        use_home(home)  # without it the option before the command counts
    chosen = settings(port=port, host=host)
    greeting: list[threading.Thread] = []

    def ready(running: supervising.Up) -> None:
        _say_where(chosen, running)
        # The supervisor must go on meanwhile, so the first build is watched from a thread of its own.
        thread = threading.Thread(
            target=_greet, args=(chosen, running.address, browser and chosen.browser), daemon=True
        )
        thread.start()
        greeting.append(thread)

    supervising.up(chosen, detach, ready)
    for thread in greeting:
        thread.join(0 if not detach else None)


def _say_where(chosen: Settings, running: supervising.Up) -> None:
    if running.already:
        err.print(f"Studio already runs on {running.home} (process {running.pid}).", highlight=False)
    elif chosen.port and not running.address.endswith(f":{chosen.port}"):
        err.print(f"Port {chosen.port} is taken by another program; Studio took the next free one.", highlight=False)


def _greet(chosen: Settings, address: str, browser: bool) -> None:
    try:
        with connect(chosen) as api:
            api.post(f"environments/{chosen.first_environment}/build")
            wait_for_environment(api, f"environments/{chosen.first_environment}")
    except StudioError as error:
        err.print(f"[yellow]{error.message}[/] {error.hint}", highlight=False)
    try:
        with connect(chosen) as api:
            link = api.post("signin-links", {})["url"]
    except StudioError as error:
        err.print(f"No sign-in link: {error}", highlight=False)
        return
    out.print(f"\nStudio runs at [bold]{address}[/]  (home: {chosen.paths.home})", highlight=False)
    out.print("Sign in with this link, once, within ten minutes; `studio signin` prints another:\n")
    typer.echo(f"  {link}\n")
    if browser:
        webbrowser.open(link)


def down(as_json: AsJson = False) -> None:
    """Ends every process of this home."""
    ended = supervising.down(settings())
    if as_json:
        show_json({"ended": ended})
    else:
        out.print("Studio is down." if ended else "Nothing was running.")


def status(as_json: AsJson = False) -> None:
    """What runs, as which process, how isolated; where its domains are."""
    found = supervising.status(settings())
    if not found.running:
        if as_json:
            show_json({"running": False, "home": found.home})
        else:
            out.print(f"Nothing runs on {found.home}. Start it with `studio up`.")
        raise typer.Exit(1)
    answer = {"running": True, **_from_server(found)}
    if as_json:
        show_json(answer)
        return
    out.print(f"[bold]{answer['address']}[/]  home {answer['home']}  version {answer['version']}", highlight=False)
    rows = [{"what": name, **answer[name]} for name in ("supervisor", "gateway", "server")]
    for box in answer["sandboxes"]:
        rows.append({"what": f"sandbox {box['id']}", **box})
        rows += [{"what": f"  {item['name']}", **item} for item in box["services"] + box["children"]]
    show_rows(rows, ["what", "pid", "state", "isolation", "started_ms"], False, "")
    for domain in answer["domains"]:
        out.print(f"{domain['name']}: {domain['address']}", highlight=False)


def _from_server(found: supervising.Status) -> dict[str, Any]:
    """The server's status and domains; the supervisor's alone while the server is away."""
    own: dict[str, Any] = msgspec.to_builtins(found)
    own |= own.pop("state")
    own |= {"domains": [], "user": ""}
    try:
        with rest(timeout=5.0) as api:
            session = api.get("session")
            return {**own, **api.get("status"), "domains": session["domains"], "user": session["user"]}
    except Unavailable:
        return own


def doctor(as_json: AsJson = False) -> None:
    """What this host can isolate and what is missing, found by trying; what to do about it."""
    found = supervising.doctor(settings())
    if as_json:
        show_json(msgspec.to_builtins(found))
        return
    for finding in found.findings:
        out.print("[green]✓[/] " if finding.ok else "[yellow]![/] ", finding.name, ": ", finding.detail, sep="")
        if finding.cure:
            out.print(f"    {finding.cure}", highlight=False)


def logs(
    name: Annotated[str | None, typer.Argument(help="gateway, server, supervisor or one of the list.")] = None,
    lines: Annotated[int, typer.Option("-n", help="So many from the end.")] = 100,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it grows, until Ctrl-C.")] = False,
) -> None:
    """Prints a log; without a name, lists them."""
    folder = settings().paths.logs
    found = {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.rglob("*.log"))}
    if name is None:
        for known in found:
            typer.echo(known)
        return
    if name not in found:
        raise NotFound(f"There is no log {name!r} in {folder}.", "`studio logs` lists them.")
    with found[name].open(errors="replace") as file:
        typer.echo("".join(file.readlines()[-lines:]), nl=False)
        while follow:
            typer.echo(file.read(), nl=False)
            time.sleep(0.3)
