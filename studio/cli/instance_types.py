"""`studio instance-type`."""

from typing import Annotated, Any

import typer

from studio.cli.output import AsJson, show_fields, show_rows
from studio.cli.session import rest
from studio.errors import NotFound

instance_type = typer.Typer(help="Instance types: what may be chosen, and its price.", no_args_is_help=True)


@instance_type.command("list")
def list_instance_types(as_json: AsJson = False) -> None:
    """Sizes and prices per hour, cheapest first."""
    with rest() as api:
        rows = api.get("instance-types")
    show_rows(rows, ["name", "cpu", "memory_mb", "gpu", "price_per_hour"], as_json, "None.")


@instance_type.command("set")
def set_instance_type(
    name: str,
    price: Annotated[float | None, typer.Option(help="Per hour, in the installation's currency.")] = None,
    cpu: Annotated[float | None, typer.Option(help="Cores.")] = None,
    memory: Annotated[int | None, typer.Option(help="MiB.")] = None,
    gpu: Annotated[int | None, typer.Option(help="How many.")] = None,
    as_json: AsJson = False,
) -> None:
    """Makes an instance type or changes what is given of one; what runs keeps what it was started with."""
    wanted = {"cpu": cpu, "memory_mb": memory, "gpu": gpu, "price_per_hour": price}
    with rest() as api:
        found: list[dict[str, Any]] = api.get("instance-types")
        known = next((item for item in found if item["name"] == name), {})
        body = {key: known.get(key) if value is None else value for key, value in wanted.items()}
        if missing := [key for key in ("cpu", "memory_mb", "price_per_hour") if body[key] is None]:
            raise NotFound(f"There is no instance type {name!r}.", f"To make it, give {', '.join(missing)} too.")
        show_fields(api.put(f"instance-types/{name}", {**body, "gpu": body["gpu"] or 0}), as_json)
