"""`studio policy`: who may do what in a domain, why not, and what would allow it."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli.output import AsJson, Domain, out, show_fields, show_json, show_rows
from studio.cli.session import rest
from studio.errors import Invalid

policy = typer.Typer(help="Policies: who may do what in a domain.", no_args_is_help=True)
_SAID = ("effect", "who", "action", "resource", "when", "why")


@policy.command("show")
def show_policy(
    domain: Domain = "demo",
    as_toml: Annotated[bool, typer.Option("--toml", help="As a file that `studio policy set` takes.")] = False,
    as_json: AsJson = False,
) -> None:
    """The rules of a domain; roles give the rest (--json shows them too)."""
    with rest() as api:
        found = api.get(f"domains/{domain}/policy")
    if as_toml:
        typer.echo(to_toml(found["rules"]), nl=False)
    elif as_json:
        show_json(found)
    else:
        empty = "No rule: what somebody may do is what their role gives. Add one: studio policy add --help"
        show_rows(found["rules"], ["text", "created_by", "created_ms"], False, empty)


@policy.command("set")
def set_policy(
    file: Annotated[str, typer.Argument(help="TOML with [[rule]] tables, or JSON; - is standard input.")],
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Replaces all rules of a domain by those of a file; none of them if one is wrong."""
    text = sys.stdin.read() if file == "-" else Path(file).read_text()
    with rest() as api:
        made = api.put(f"domains/{domain}/policy", {"rules": from_text(text)})
    show_rows(made, ["text"], as_json, f"{domain} has no rules any more.")


@policy.command("add")
def add_rule(
    action: Annotated[str, typer.Option(help="What: serving.write, jobs.*, …")],
    who: Annotated[list[str], typer.Option(help="Whom: role:editor, user:NAME, or '*'; may be repeated.")],
    deny: Annotated[bool, typer.Option("--deny/--allow", help="Whether it forbids or allows.")],
    resource: Annotated[str, typer.Option(help="On what: endpoint/prod-*; * is anything.")] = "*",
    when: Annotated[str, typer.Option(help="Only if, as TOML: gpu = {more_than = 0}, spend = {from = 100}")] = "",
    why: Annotated[str, typer.Option(help="The reason, shown to whom it denies.")] = "",
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Adds a rule. A rule that denies wins over everything that allows."""
    rule = {"effect": "deny" if deny else "allow", "who": who, "action": action, "resource": resource, "why": why}
    with rest() as api:
        made = api.post(f"domains/{domain}/policy/rules", rule | {"when": _conditions(when)})
    if as_json:
        show_json(made)
    else:
        out.print(made["text"], highlight=False, markup=False)


@policy.command("remove")
def remove_rule(rule: Annotated[str, typer.Argument(metavar="RULE")], domain: Domain = "demo") -> None:
    """Takes a rule out."""
    with rest() as api:
        api.delete(f"domains/{domain}/policy/rules/{rule}")
    out.print(f"{rule} is taken out.")


@policy.command("explain")
def explain(
    user: Annotated[str, typer.Option(help="Who.")],
    action: Annotated[str, typer.Option(help="What: serving.write, jobs.write, …")],
    resource: Annotated[str, typer.Option(help="On what: endpoint/churn; nothing = a list of all.")] = "",
    attr: Annotated[list[str] | None, typer.Option(help="NAME=VALUE that conditions ask: instance_type=gpu.a")] = None,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Whether somebody may do something, which rule says so, and what would allow it. Exit code 1: they may not."""
    with rest() as api:
        asked = {"user": user, "action": action, "resource": resource or None, "attr": attr or None}
        found = api.get(f"domains/{domain}/policy/explain", **asked)
    if as_json:
        show_json(found)
    else:
        about = {item["rule"]["id"]: item["because"] or "applies" for item in found["considered"]}
        fields = {"allowed": "yes" if found["allowed"] else "no", "why": found["message"], "hint": found["hint"]}
        show_fields(fields | {f"rule {name}": text for name, text in about.items()}, False)
    if not found["allowed"]:
        raise typer.Exit(1)


def from_text(text: str) -> list[dict[str, Any]]:
    """The rules of a TOML file, or of JSON as `--json` shows them; `Invalid` says where it cannot be read."""
    try:
        is_json = text.lstrip()[:1] in ("{", "[") and not text.lstrip().startswith("[[")
        found = json.loads(text) if is_json else tomllib.loads(text)
    except ValueError as error:
        raise Invalid(f"The file cannot be read: {error}.", "Write [[rule]] tables in TOML, or JSON.") from error
    if isinstance(found, dict):
        rules = found.get("rule", found.get("rules", [] if not found else None))
    else:
        rules = found
    if not isinstance(rules, list) or not all(isinstance(item, dict) for item in rules):
        raise Invalid("The file has no rules.", "Write [[rule]] tables; `studio policy show --toml` makes such a file.")
    # What Studio adds when it shows a rule is no part of what it says.
    shown = {"id", "text", "created_by", "created_ms"}
    return [{key: value for key, value in item.items() if key not in shown} for item in rules]


def to_toml(rules: list[dict[str, Any]]) -> str:
    """The rules as [[rule]] tables, each below its sentence."""
    parts = []
    for rule in rules:
        lines = [f"# {_one_line(rule['text'])}", "[[rule]]"]
        lines += [f"{key} = {_toml(rule[key])}" for key in _SAID if rule[key] not in ("", {})]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # Texts, numbers and booleans are the same in JSON and TOML, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _conditions(text: str) -> dict[str, Any]:
    """`gpu = {more_than = 0}, spend = {from = 100}`, or the same in JSON."""
    if not text.strip():
        return {}
    try:
        found: dict[str, Any] = tomllib.loads(f"when = {{{text}}}")["when"]
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"--when cannot be read: {error}.", "Write it as in --when 'gpu = {more_than = 0}'.") from error
    return found
