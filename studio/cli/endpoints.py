"""`studio deploy`, `studio endpoint`: served models."""

from typing import Annotated, Any

import typer

from studio.cli.output import AsJson, Domain, out, show_fields, show_json, show_rows
from studio.cli.session import rest
from studio.errors import Invalid, StudioError

endpoint = typer.Typer(help="Endpoints: served models.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The endpoint.")]
VARIANT = ["name", "version", "share", "state", "wanted", "requests", "errors", "p99_ms", "reason"]


def deploy(
    model: Annotated[str, typer.Argument(help="models:/NAME@alias or models:/NAME/3")],
    name: Annotated[str | None, typer.Option(help="Name of the endpoint; default: the model's.")] = None,
    serverless: Annotated[bool, typer.Option(help="To zero when idle; the first request wakes it.")] = False,
    instance_type: Annotated[str | None, typer.Option("--instance", help="std.small, std.medium, …")] = None,
    replicas: Annotated[str, typer.Option(help="As many, or LEAST-MOST by load, such as 1-4.")] = "1",
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Serves a model version and returns when it has answered a real prediction."""
    name = name or model.removeprefix("models:/").partition("@")[0].partition("/")[0]
    body = {"name": name, "model": model, "mode": "serverless" if serverless else "always", **_limits(replicas)}
    if instance_type:
        body["instance_type"] = instance_type
    with rest() as api:
        api.post(f"domains/{domain}/endpoints", body)
        made = api.get(f"domains/{domain}/endpoints/{name}", wait="InService", timeout_s=60)
    if made["state"] not in ("InService", "Idle"):
        raise StudioError(f"{name} is {made['state']}: {made['reason']}", "See `studio endpoint show` for its events.")
    if as_json:
        show_json(made)
        return
    out.print(f"[bold]{name}[/] is {made['state']}: {made['url']}\n")
    typer.echo(made["snippets"]["curl"])


def _limits(replicas: str) -> dict[str, Any]:
    least, _, most = replicas.partition("-")
    if not least.isdigit() or not (most or least).isdigit():
        raise Invalid(f"{replicas!r} is no number of replicas.", "Write 2, or 1-4.")
    return {"min_replicas": int(least), "max_replicas": int(most or least)}


@endpoint.command("list")
def list_endpoints(domain: Domain = "demo", as_json: AsJson = False) -> None:
    """The endpoints of a domain."""
    with rest() as api:
        columns = ["name", "state", "model", "version", "mode", "url", "reason"]
        rows = api.get(f"domains/{domain}/endpoints")
    show_rows(rows, columns, as_json, "None yet: studio deploy models:/NAME@alias")


@endpoint.command("show")
def show_endpoint(name: Name, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """State, variants, events of one endpoint."""
    with rest() as api:
        show_fields(api.get(f"domains/{domain}/endpoints/{name}"), as_json)


@endpoint.command("promote")
def promote(
    name: Name,
    version: Annotated[int, typer.Argument(help="Of the endpoint's model.")],
    canary: Annotated[float | None, typer.Option(help="Per cent of the traffic that it gets first.")] = None,
    step: Annotated[float | None, typer.Option(help="Per cent more at each step.")] = None,
    every: Annotated[float, typer.Option(help="Seconds that each share is watched.")] = 60.0,
    bake: Annotated[float, typer.Option(help="Seconds that all of it is watched before the old one ends.")] = 0.0,
    max_errors: Annotated[float | None, typer.Option(help="Taken back above so many per cent of errors.")] = None,
    max_p99: Annotated[float | None, typer.Option(help="Taken back above this p99 in ms.")] = None,
    on_drift: Annotated[bool, typer.Option(help="Taken back when an alert opens.")] = False,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Puts the traffic on another version: at once, with a canary, or in steps; `undo` takes it back."""
    if canary is not None and step is not None:
        raise Invalid("A canary and steps are two ways.", "Give --canary or --step.")
    kind = "canary" if canary is not None else "linear" if step is not None else "all_at_once"
    limits = {"max_error_percent": max_errors, "max_p99_ms": max_p99, "on_drift": on_drift}
    strategy = {"kind": kind, "percent": canary or step or 10.0, "step_s": every, "bake_s": bake, **limits}
    with rest() as api:
        shown = api.post(f"domains/{domain}/endpoints/{name}/promote", {"version": version, "strategy": strategy})
    _told(shown, as_json)


@endpoint.command("undo")
def undo(name: Name, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """Takes a shift under way back; else goes back to the version before."""
    with rest() as api:
        shown = api.post(f"domains/{domain}/endpoints/{name}/undo")
    _told(shown, as_json)


@endpoint.command("weights")
def weights(
    name: Name,
    shares: Annotated[list[str] | None, typer.Argument(help="VARIANT=WEIGHT …; none: shows them.")] = None,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Divides the traffic among the variants, such as `v1=90 v2=10`."""
    path = f"domains/{domain}/endpoints/{name}"
    with rest() as api:
        shown = (
            api.put(f"{path}/weights", {"weights": dict(_weight(item) for item in shares)}) if shares else api.get(path)
        )
    show_rows(shown["variants"], VARIANT, as_json, "None.")


def _weight(item: str) -> tuple[str, float]:
    variant, _, weight = item.partition("=")
    try:
        return variant, float(weight)
    except ValueError:
        raise Invalid(f"{item!r} is no weight.", "Write VARIANT=WEIGHT, such as v2=10.") from None


@endpoint.command("add")
def add(
    name: Name,
    version: Annotated[int, typer.Argument(help="Of the endpoint's model.")],
    weight: Annotated[float, typer.Option(help="Relative to the others'; of a shadow: per cent copied.")],
    shadow: Annotated[bool, typer.Option(help="It gets copies of requests and answers nobody.")] = False,
    replicas: Annotated[str, typer.Option(help="As many, or LEAST-MOST by load, such as 1-4.")] = "1",
    instance_type: Annotated[str, typer.Option("--instance", help="Default: that of what serves.")] = "",
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Another version beside those that serve."""
    body = {"version": version, "weight": weight, "shadow": shadow, "instance_type": instance_type, **_limits(replicas)}
    with rest() as api:
        _told(api.post(f"domains/{domain}/endpoints/{name}/variants", body), as_json)


@endpoint.command("remove")
def remove(
    name: Name,
    variant: Annotated[str, typer.Argument(help="Its name, such as v2.")],
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Ends a variant once it has finished what it has begun."""
    with rest() as api:
        api.delete(f"domains/{domain}/endpoints/{name}/variants/{variant}")
        _told(api.get(f"domains/{domain}/endpoints/{name}"), as_json)


@endpoint.command("set")
def set_settings(
    name: Name,
    settings: Annotated[list[str], typer.Argument(help="NAME=VALUE …: rate_limit=50 cors=https://app.example.org …")],
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Changes settings while it serves; lists are separated by commas. `studio endpoint show` has their names."""
    with rest() as api:
        known = api.get(f"domains/{domain}/endpoints/{name}")["settings"] | {"mode": ""}
        body = dict(_setting(item, known) for item in settings)
        shown = api.patch(f"domains/{domain}/endpoints/{name}", body)
    show_fields(shown["settings"] | {"mode": shown["mode"]}, as_json)


def _setting(item: str, known: dict[str, Any]) -> tuple[str, Any]:
    name, sign, text = item.partition("=")
    if not sign or name not in known:
        raise Invalid(f"{item!r} is no setting.", f"Write NAME=VALUE; names: {', '.join(sorted(known))}.")
    match known[name]:
        case bool():
            if text not in ("true", "false"):
                raise Invalid(f"{name} cannot be {text!r}.", "Write true or false.")
            return name, text == "true"
        case list():
            return name, [part for part in text.split(",") if part]
        case str():
            return name, text
    try:
        return name, int(text) if isinstance(known[name], int) else float(text)
    except ValueError:
        raise Invalid(f"{name} cannot be {text!r}.", "Write a number.") from None


@endpoint.command("logs")
def logs(name: Name, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """The ends of what its replicas printed."""
    with rest() as api:
        found = api.get(f"domains/{domain}/endpoints/{name}/log")["replicas"]
    if as_json:
        show_json(found)
        return
    for item in found:
        out.print(f"[bold]{item['variant']}[/] {item['replica']} {item['state']}")
        typer.echo(item["text"])


@endpoint.command("delete")
def delete_endpoint(name: Name, domain: Domain = "demo") -> None:
    """Ends an endpoint; its callers get 404 from then on, its model versions stay."""
    with rest() as api:
        api.delete(f"domains/{domain}/endpoints/{name}")
    out.print(f"{name} is being deleted.")


def _told(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(shown)
    else:
        out.print(f"[bold]{shown['name']}[/] is {shown['state']}. {shown['reason']}".strip())
