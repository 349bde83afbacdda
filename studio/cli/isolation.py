"""How an isolation report is shown."""

from typing import Any

from studio.cli.output import err, out


def show_report(report: dict[str, Any]) -> None:
    """The level, then a line per wall; what to do where one is missing; where settings do not hold yet."""
    out.print(f"Isolation level [bold]{report['level']}[/]: {report['levels'][report['level']]}.", highlight=False)
    out.print(f"Required: {report['required']}. Network mode: {report['network_mode']}.", highlight=False)
    if report["refusal"]:
        err.print(f"[bold red]It does not run here.[/] {report['refusal']}", highlight=False)
    for item in report["mechanisms"]:
        mark, why = ("[green]✓[/] ", "") if item["enforced"] else ("[yellow]![/] ", f" ({item['why']})")
        out.print(mark, item["name"], ": ", item["detail"], why, sep="", highlight=False)
        if item["cure"]:
            out.print(f"    {item['cure']}", highlight=False)
    for box in report["sandboxes"]:
        late = f"; from its next start: {', '.join(box['at_next_start'])}" if box["at_next_start"] else ""
        out.print(f"sandbox {box['id']}: network {box['network']}{late}", highlight=False)
