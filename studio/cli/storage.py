"""`studio volume`, `studio snapshot`, `studio space`: what a domain stores."""

import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from studio.cli.output import AsJson, Domain, err, out, show_fields, show_rows
from studio.cli.session import rest
from studio.client import Rest
from studio.errors import StudioError

volume = typer.Typer(help="Volumes: what a domain stores, and its quota.", no_args_is_help=True)
snapshot = typer.Typer(help="Snapshots of the shared folder and of your home.", no_args_is_help=True)
space = typer.Typer(help="Spaces: places to work inside a domain.", no_args_is_help=True)

Home = Annotated[bool, typer.Option("--home", help="Of your own home instead of the shared folder.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return when it is asked for.")]


@volume.command("show")
def show_volume(domain: Domain = "demo", as_json: AsJson = False) -> None:
    """Use by part and person, the quota, and how that is enforced on this host."""
    with rest() as api:
        show_fields(api.get(f"domains/{domain}/volume"), as_json)


@volume.command("measure")
def measure_volume(domain: Domain = "demo", as_json: AsJson = False) -> None:
    """Measures now and shows the use."""
    with rest() as api:
        found = api.post(f"domains/{domain}/volume/measure")
        while found["measured_ms"] is None:
            time.sleep(0.2)
            found = api.get(f"domains/{domain}/volume")
        show_fields(found, as_json)


@volume.command("quota")
def set_quota(
    mb: Annotated[int, typer.Option("--mb", help="In MiB; 0 for none.")],
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Sets the quota of a domain's volume."""
    with rest() as api:
        show_fields(api.put(f"domains/{domain}/volume/quota", {"quota_mb": mb}), as_json)


@snapshot.command("create")
def create_snapshot(
    title: Annotated[str, typer.Argument(help="What it is of, for people.")] = "",
    home: Home = False,
    no_wait: NoWait = False,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Makes a snapshot and waits until it is whole."""
    with rest() as api:
        made = api.post(f"domains/{domain}/snapshots", {"target": "home" if home else "shared", "title": title})
        if not no_wait:
            made = _wait(api, f"domains/{domain}/snapshots", made, "Ready")
        show_fields(made, as_json)


@snapshot.command("list")
def list_snapshots(domain: Domain = "demo", as_json: AsJson = False) -> None:
    """The snapshots, newest first."""
    with rest() as api:
        columns = ["id", "target", "user", "title", "state", "files", "bytes", "made_by", "created_ms"]
        empty = "None yet: studio snapshot create"
        show_rows(api.get(f"domains/{domain}/snapshots"), columns, as_json, empty)


@snapshot.command("restore")
def restore_snapshot(
    identity: Annotated[str, typer.Argument(metavar="ID")],
    folder: Annotated[str | None, typer.Option(help="Name of the new folder; default restored-ID.")] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Instead of what is there now, which is kept as a snapshot first.")
    ] = False,
    no_wait: NoWait = False,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Restores a snapshot as a new folder, or in place."""
    with rest() as api:
        body = {"folder": folder, "in_place": in_place}
        made = api.post(f"domains/{domain}/snapshots/{identity}/restore", body)
        if not no_wait:
            made = _wait(api, f"domains/{domain}/restores", made, "Done")
        show_fields(made, as_json)


@snapshot.command("delete")
def delete_snapshot(identity: Annotated[str, typer.Argument(metavar="ID")], domain: Domain = "demo") -> None:
    """Deletes a snapshot."""
    with rest() as api:
        api.delete(f"domains/{domain}/snapshots/{identity}")
    out.print(f"{identity} is being deleted.")


def _wait(api: Rest, path: str, made: dict[str, Any], wanted: str) -> dict[str, Any]:
    """Shows the progress until it is `wanted`; raises why it is not."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task(made["id"], total=None)
        while True:
            found: dict[str, Any] = next(item for item in api.get(path) if item["id"] == made["id"])
            if found["state"] == wanted:
                return found
            if found["state"] == "Failed":
                raise StudioError(f"{made['id']} came to nothing: {found['error']}")
            progress.update(bar, completed=found["done"], total=found["total"] or None)
            time.sleep(0.2)


@space.command("create")
def create_space(
    name: str,
    shared: Annotated[bool, typer.Option("--shared", help="For all members; else only for you.")] = False,
    title: str = "",
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Makes a space with a folder of its own."""
    with rest() as api:
        body = {"name": name, "kind": "shared" if shared else "private", "title": title}
        show_fields(api.post(f"domains/{domain}/spaces", body), as_json)


@space.command("list")
def list_spaces(
    trash: Annotated[bool, typer.Option("--trash", help="What is in the trash instead.")] = False,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """The shared spaces and your own."""
    with rest() as api:
        columns = ["id", "name", "kind", "title", "path", "made_by", "created_ms"]
        empty = "Nothing there." if trash else "None yet: studio space create NAME"
        show_rows(api.get(f"domains/{domain}/spaces", trash=trash), columns, as_json, empty)


@space.command("open")
def open_space(name: str, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """The address at which a space opens in the browser."""
    with rest() as api:
        show_fields(api.post(f"domains/{domain}/spaces/{name}/open"), as_json)


@space.command("rename")
def rename_space(name: str, new: str, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """Gives a space another name; its folder follows."""
    with rest() as api:
        show_fields(api.patch(f"domains/{domain}/spaces/{name}", {"name": new}), as_json)


@space.command("delete")
def delete_space(name: str, domain: Domain = "demo") -> None:
    """Puts a space into the trash, with its folder."""
    with rest() as api:
        found = api.delete(f"domains/{domain}/spaces/{name}")
    out.print(f"{name} is in the trash. To have it back: studio space restore {found['id']}")


@space.command("restore")
def restore_space(identity: Annotated[str, typer.Argument(metavar="ID")], domain: Domain = "demo") -> None:
    """Brings a space back from the trash."""
    with rest() as api:
        found = api.post(f"domains/{domain}/spaces/{identity}/restore")
    out.print(f"{found['name']} is back.")


@space.command("empty")
def empty_trash(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="Only this one; else all.")] = None,
    domain: Domain = "demo",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Removes what is in the trash, for good."""
    with rest() as api:
        found = api.get(f"domains/{domain}/spaces", trash=True)
        gone = [item for item in found if identity in (None, item["id"])]
        if gone and not yes:
            names = ", ".join(item["name"] for item in gone)
            typer.confirm(f"Remove the files of {names} for good?", abort=True)
        for item in gone:
            api.post(f"domains/{domain}/spaces/{item['id']}/empty")
    out.print(f"{len(gone)} removed." if gone else "The trash is empty.")
