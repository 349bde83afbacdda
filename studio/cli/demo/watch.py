"""Quiet data raises nothing; a planted shift raises one alert that names its column and leads to its rows."""

from typing import Any

from studio.cli.demo.serve import send
from studio.cli.demo.story import Evidence, Story, check


def _alerts(story: Story) -> list[dict[str, Any]]:
    alerts: list[dict[str, Any]] = story.api("GET", "alerts?state=Open")
    return [alert for alert in alerts if alert["endpoint"] == story.endpoint]


def drift_quiet(story: Story) -> Evidence:
    """A check on unshifted traffic raises no alert."""
    shown = story.api("POST", f"monitors/{story.endpoint}/check")
    check(shown["checks"], f"No check was made: {shown['state']}")
    check(
        shown["state"] == "Quiet" and not _alerts(story), f"Unshifted data raised {shown['state']} {shown['columns']}"
    )
    psi = {column["name"]: round(column["psi"], 3) for column in shown["checks"][0]["columns"]}
    return {"state": shown["state"], "rows": shown["checks"][0]["rows"], "psi": psi}


def drift(story: Story) -> Evidence:
    """The same season with one column in another unit: the check names that column."""
    send(story, "quiet" if "shift" in story.omit else "shifted", 300)
    planted = story.kernel.value("SHIFTED_COLUMN")
    shown = story.api("POST", f"monitors/{story.endpoint}/check")
    check(shown["state"] == "Drift", f"The shift in {planted} was not seen: {shown['state']}")
    latest = shown["checks"][0]
    found = [column["name"] for column in latest["columns"] if column["drifted"]]
    check(planted in found, f"{planted} was shifted, but named were {found}.")
    story.known["check"] = latest["id"]
    return {"planted": planted, "named": found, "rows": latest["rows"]}


def alert(story: Story) -> Evidence:
    """Exactly one alert is open and says it in words."""
    alerts = _alerts(story)
    check(len(alerts) == 1, f"One open alert was expected: {alerts}")
    story.known["alert"] = alerts[0]
    return {"alert": alerts[0]["id"], "columns": alerts[0]["columns"], "message": alerts[0]["message"]}


def rows(story: Story) -> Evidence:
    """The alert's rows are exactly the captured rows of its window, in the API and by its notebook cell."""
    found = story.known["alert"]
    shown = story.api("GET", f"alerts/{found['id']}/rows?limit=10000")
    story.kernel.run(shown["code"])
    in_notebook = story.kernel.value("len(rows)")
    detail = story.api("GET", f"alerts/{found['id']}")
    counted = detail["check"]["rows"]
    check(len(shown["rows"]) == counted == in_notebook, f"{counted}, {len(shown['rows'])}, {in_notebook} rows")
    return {"alert": found["id"], "rows": counted, "row_ids": shown["row_ids"][:5], "code": shown["code"]}
