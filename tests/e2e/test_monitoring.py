"""Captured traffic, drift and alerts with everything real: quiet winters raise nothing, a planted shift is named."""

import csv
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from studio.client import Rest
from studio.errors import Conflict, NotFound
from tests.e2e.serving_models import COLUMNS, DATA, log_models
from tests.live import Live, running, until

SHIFTED = "wind"
PLACE = "domains/demo/endpoints/weather"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("monitoring") / "home") as started:
        log_models(started.address, token := started.key("demo", started.status["user"]))
        started.token = token  # type: ignore[attr-defined]
        yield started


@pytest.fixture(scope="module")
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as rest:
        yield rest


def winter() -> list[list[float]]:
    with DATA.open() as file:
        days = [row for row in csv.DictReader(file) if row["date"][5:7] in ("11", "12", "01", "02")]
    # In no order, so that no part of them is a season of its own, wherever a window ends.
    random.Random(1).shuffle(days)
    return [[float(day[name]) for name in COLUMNS] for day in days]


def send(live: Live, rows: list[list[float]]) -> set[str]:
    """In requests of ten rows; the ids of the captured rows."""
    sent: set[str] = set()
    headers = {"authorization": f"Bearer {live.token}"}  # type: ignore[attr-defined]
    with httpx.Client(base_url=live.address, headers=headers, timeout=60) as client:
        for start in range(0, len(rows), 10):
            part = rows[start : start + 10]
            body = {"dataframe_split": {"columns": COLUMNS, "data": part}}
            answer = client.post("/endpoints/weather/invocations", json=body)
            assert answer.status_code == 200, answer.text
            sent |= {f"{answer.headers['x-studio-inference-id']}.{at}" for at in range(len(part))}
    return sent


def check(api: Rest) -> Any:
    return api.post("domains/demo/monitors/weather/check")


def checked(api: Rest, sent: set[str]) -> Any:
    """The monitor, once these rows (at most 500, the newest) have been taken in: on a busy machine the gateway may
    write a request down some time after it was answered."""

    def are_there() -> bool:
        check(api)
        return sent <= {row["id"] for row in api.get(f"{PLACE}/captures", limit=500)["rows"]}

    until(are_there, "the captured rows", 90)
    return api.get("domains/demo/monitors/weather")


def test_capture_check_alert_rows_resolved(live: Live, api: Rest) -> None:
    api.post("domains/demo/endpoints", {"name": "weather", "model": "models:/rain/1"})
    assert api.get("domains/demo/endpoints/weather", wait="InService", timeout_s=60)["state"] == "InService"
    rows = winter()
    assert check(api)["state"] == "NoData"

    sent = send(live, rows[:120])
    shown = checked(api, sent)
    assert (shown["state"], shown["pending"], shown["checks"]) == ("NoData", 120, [])
    captured = api.get("domains/demo/endpoints/weather/captures", limit=500)
    assert {row["id"] for row in captured["rows"]} == sent
    assert set(captured["rows"][0]["inputs"]) == set(COLUMNS)
    assert captured["rows"][0]["output"] in (0, 1)

    # What they turned out to be: the job takes it in by itself, and sooner if somebody asks.
    labels = live.home.parent / "labels.csv"
    labels.write_text("id,label\n" + "".join(f"{id},1\n" for id in sent))
    assert live.json("ground-truth", "weather", str(labels)) == {"accepted": 120}
    until(lambda: api.get(f"{PLACE}/quality")["variants"], "figures from labels", 60)
    [right] = live.json("quality", "weather")["variants"]
    captured = api.get(f"{PLACE}/captures", limit=500, truth=True)["rows"]
    assert {row["truth"] for row in captured} == {1}
    assert (right["n"], right["accuracy"]) == (120, sum(row["output"] for row in captured) / 120)
    assert len(live.json("captures", "weather", "--truth", "--limit", "7")) == 7

    shown = checked(api, send(live, rows[120:480]))
    assert shown["state"] == "Quiet", shown["checks"][0]
    assert sum(found["rows"] for found in shown["checks"]) == 480 - shown["pending"]
    assert shown["baseline"]["rows"] == len(rows)
    assert api.get("domains/demo/alerts") == []

    left = shown["pending"]
    shifted = [[*row[:3], row[3] * 3.6] for row in rows[:300]]  # wind in km/h instead of m/s
    sent_shifted = send(live, shifted)
    shown = checked(api, sent_shifted)
    assert (shown["state"], shown["columns"]) == ("Drift", [SHIFTED])
    [alert] = api.get("domains/demo/alerts", state="Open")
    assert alert["columns"] == [SHIFTED]
    assert SHIFTED in alert["message"]
    assert shown["alert_id"] == alert["id"]
    detail = api.get(f"domains/demo/alerts/{alert['id']}")
    behind = api.get(f"domains/demo/alerts/{alert['id']}/rows", limit=10_000)
    assert len(behind["rows"]) == detail["check"]["rows"] == len(set(behind["row_ids"]))
    assert len(set(behind["row_ids"]) - sent_shifted) <= left
    assert behind["columns"] == [*COLUMNS, "output"]
    assert behind["truth"] == [None] * len(behind["rows"])
    assert f'sdk.rows("{alert["id"]}")' in behind["code"]

    send(live, rows[:480])
    until(lambda: check(api)["state"] == "Quiet", "a quiet window", 60)
    assert api.get("domains/demo/alerts", state="Open") == []
    [resolved] = api.get("domains/demo/alerts")
    assert (resolved["id"], resolved["state"]) == (alert["id"], "Resolved")

    # A column that is no longer kept: gone from new rows wherever they are, and hidden in what was kept before.
    api.patch(PLACE, {"redact": [SHIFTED]})
    hidden = send(live, [[*row[:3], 7654.25] for row in rows[:10]])
    shown = checked(api, hidden)
    assert (shown["error"], shown["redacted"]) == ("", [SHIFTED])
    assert SHIFTED not in {column["name"] for found in shown["checks"] for column in found["columns"]}
    newest = api.get(f"{PLACE}/captures", limit=500)["rows"]
    assert {row["inputs"][SHIFTED] for row in newest} == {"(redacted)"}
    assert {row["id"] for row in newest[:10]} == hidden
    assert all(isinstance(row["inputs"][name], float) for row in newest for name in COLUMNS[:3])
    kept = live.home / "capture" / "demo" / "weather"
    assert not [path for path in kept.rglob("*") if path.is_file() and b"7654.25" in path.read_bytes()]

    api.delete("domains/demo/endpoints/weather")
    until(lambda: api.get("domains/demo/endpoints") == [], "the end of the endpoint")
    assert api.get("domains/demo/alerts") == []
    assert not (live.home / "capture" / "demo" / "weather").exists()


def test_bad_requests_say_what_to_do(api: Rest) -> None:
    with pytest.raises(NotFound):
        api.get("domains/demo/monitors/nobody")
    with pytest.raises(NotFound):
        api.get("domains/demo/alerts/alert-nobody/rows")
    body = {"name": "deaf", "model": "models:/rain/1", "capture": False}
    api.post("domains/demo/endpoints", body)
    with pytest.raises(Conflict, match="capture"):
        api.post("domains/demo/monitors/deaf/check")
    api.delete("domains/demo/endpoints/deaf")
