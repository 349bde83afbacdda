"""The table of runs through REST: windows, order, groups, keys, changes of many, views, CSV."""

import csv
import io
import math
import statistics
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from studio.tracking import experiments, metrics, params, run_table, runs, tags
from studio.tracking.records import Metric, Pair
from tests.unit import rest_app
from tests.unit.rest_app import App

RUNS = 250
MODELS = ("forest", "boosting", "svm")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with rest_app.running(tmp_path / "home") as started:
        await started.store.write(fill)
        yield started


def fill(db: Connection) -> None:
    """250 runs in demo's team/rain; each third has no model, each tenth a NaN; one run in the other domain."""
    rain = experiments.create(db, "demo", "team/rain")
    for n in range(RUNS):
        run = runs.create(db, "demo", rain, owner="ada", start_ms=1000 + n, name=f"run-{n}").info.run_id
        value = math.nan if n % 10 == 0 else n / 7
        params.log_all(db, "demo", run, [Pair("depth", str(n % 12)), Pair("constant", "1")])
        if n % 3:
            params.log_one(db, "demo", run, Pair("model", MODELS[n % 3]))
        metrics.log(db, "demo", run, [Metric("auc", value, 1, 1), Metric("auc", -n, 0, 0), Metric("same", 1e9, 1, 1)])
        runs.change(db, "demo", run, status="FINISHED", end_ms=2000 + 2 * n)
    other = experiments.create(db, "other", "theirs")
    theirs = runs.create(db, "other", other, owner="eve", start_ms=1, name="theirs").info.run_id
    params.log_one(db, "other", theirs, Pair("secret", "1"))


async def post(http: httpx.AsyncClient, path: str, **body: Any) -> Any:
    answer = await http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def order_of(http: httpx.AsyncClient, *columns: str, **body: Any) -> list[str]:
    """The names of the runs in the order by `columns`; a leading minus: descending."""
    order = [{"column": text.removeprefix("-"), "descending": text.startswith("-")} for text in columns]
    numbers = (await post(http, "runs/order", order=order, **body))["numbers"]
    return [run["name"] for run in await post(http, "runs/rows", numbers=numbers, columns=[])]


async def test_the_first_window_comes_with_both_counts(app: App) -> None:
    async with app.as_user("vic") as http:
        found = await post(http, "runs/window", filter="params.model = 'svm'", first=5, columns=["metrics.auc"])
        assert (found["total"], found["all"], len(found["runs"])) == (83, RUNS, 5)
        run = found["runs"][0]
        assert (run["name"], run["params"], run["tags"]) == ("run-248", {}, {})
        assert run["metrics"] == {"auc": {"last": 248 / 7, "min": -248, "max": 248 / 7, "step": 1}}
        whole = await post(http, "runs/window", first=1)
        assert (whole["total"], whole["all"]) == (RUNS, RUNS)
        assert set(whole["runs"][0]["params"]) == {"depth", "constant"}


async def test_the_order_is_sent_again_only_when_it_changed(app: App) -> None:
    async with app.as_user("eve") as http:
        first = await post(http, "runs/order")
        assert len(first["numbers"]) == len(set(first["numbers"])) == RUNS
        known = first["hash"]
        assert await post(http, "runs/order", known=known) == {"hash": known, "numbers": None}
        run = (await post(http, "runs/rows", numbers=first["numbers"][:1]))[0]
        await post(http, "runs/change", run_ids=[run["run_id"]], deleted=True)
        assert (await post(http, "runs/order", known=known))["numbers"] == first["numbers"][1:]
        assert await post(http, "runs/order", experiment_ids=[]) == await post(
            http, "runs/order", filter="run_id = 'x'"
        )


async def test_columns_sort_as_people_mean_it(app: App) -> None:
    async with app.as_user("vic") as http:
        by_depth = await order_of(http, "params.depth", "-attributes.start_time")
        assert by_depth[:2] == ["run-240", "run-228"]
        assert by_depth[-1] == "run-11"
        assert (await order_of(http, "metrics.auc#min"))[0] == "run-249"
        assert (await order_of(http, "-metrics.auc"))[0] == "run-249"
        assert (await order_of(http, "-metrics.auc"))[-1] == "run-0"
        assert (await order_of(http, "-attributes.duration"))[0] == "run-249"
        assert (await order_of(http, "params.model", "-metrics.auc"))[0] == "run-247"


@pytest.mark.parametrize("column", ["metrics", "metrics.", "params.x#max", "attributes.secret", "auc", "tags.a#b"])
async def test_what_is_no_column_is_refused(app: App, column: str) -> None:
    async with app.as_user("vic") as http:
        answer = await http.post("runs/order", json={"order": [{"column": column}]})
        assert answer.status_code == 400
        assert answer.json()["error"]["hint"]


async def test_rows_of_other_domains_are_left_out(app: App) -> None:
    async with app.as_user("vic") as http:
        mine = (await post(http, "runs/order"))["numbers"]
        theirs = max(mine) + 1
        assert [run["number"] for run in await post(http, "runs/rows", numbers=[theirs, mine[3], 10**9])] == [mine[3]]


async def test_keys_and_values_say_what_is_common(app: App) -> None:
    async with app.as_user("vic") as http:
        keys = await post(http, "runs/keys", filter="params.model = 'svm'")
        assert [key["name"] for key in keys["params"]] == ["constant", "depth", "model"]
        assert {key["name"]: key["share"] for key in keys["metrics"]} == {"auc": 1, "same": 1}
        values = await post(http, "runs/values", column="params.model")
        assert values == [{"value": "boosting", "runs": 83}, {"value": "svm", "runs": 83}]
        assert await post(http, "runs/values", column="params.model", begins="sv") == [{"value": "svm", "runs": 83}]
        assert await post(http, "runs/values", column="params.model", begins="%") == []


async def test_a_key_of_one_run_is_found_and_other_domains_are_not(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def log(db: Connection) -> None:
        rain = experiments.by_name(db, "demo", "team/rain").experiment_id
        two = [runs.create(db, "demo", rain, owner="ada", start_ms=n, name="old").info for n in range(2)]
        # One of them is not among those that are looked at.
        run = next(info.run_id for info in two if info.id % (RUNS // 20))
        params.log_one(db, "demo", run, Pair("rare", "1"))
        tags.set_all(db, "demo", run, [Pair("rare tag", "x")])

    monkeypatch.setattr(run_table, "SAMPLE", 20)
    await app.store.write(log)
    async with app.as_user("vic") as http:
        keys = await post(http, "runs/keys")
        assert [(key["name"], key["share"] > 0) for key in keys["params"]] == [
            ("constant", True),
            ("depth", True),
            ("model", True),
            ("rare", False),
        ]
        assert "rare tag" in {key["name"] for key in keys["tags"]}


async def test_only_what_differs(app: App) -> None:
    async with app.as_user("vic") as http:
        columns = ["params.constant", "params.depth", "params.model", "params.none", "metrics.same", "metrics.auc"]
        found = await post(http, "runs/varying", columns=columns)
        assert found == ["params.depth", "params.model", "metrics.auc"]
        same = await post(http, "runs/varying", columns=columns, filter="attributes.run_name = 'run-7'")
        assert same == []


async def test_groups_have_mean_deviation_and_bounds(app: App) -> None:
    async with app.as_user("vic") as http:
        found = await post(http, "runs/groups", by="params.model", columns=["metrics.auc", "metrics.same"])
        sizes = [(group["value"], group["runs"]) for group in found["groups"]]
        assert sizes == [(None, 84), ("boosting", 83), ("svm", 83)]
        assert found["total"] == 3
        group = next(group for group in found["groups"] if group["value"] == "svm")
        values = [n / 7 for n in range(RUNS) if n % 3 == 2 and n % 10]
        auc, same = group["figures"]
        assert auc["runs"] == len(values)
        assert auc["mean"] == pytest.approx(statistics.mean(values))
        assert auc["deviation"] == pytest.approx(statistics.stdev(values))
        assert (auc["low"], auc["high"]) == (min(values), max(values))
        assert (same["mean"], same["deviation"]) == (1e9, 0)


async def test_every_route_takes_a_filter_of_several_comparisons(app: App) -> None:
    several = (
        "params.model = 'svm' AND params.constant = '1' AND metrics.auc > 1 AND metrics.same != 0 AND tags.x IS NULL"
    )
    async with app.as_user("vic") as http:
        total = (await post(http, "runs/window", filter=several, order=[{"column": "params.depth"}]))["total"]
        assert 0 < total < 83
        assert (
            len((await post(http, "runs/order", filter=several, order=[{"column": "metrics.auc"}]))["numbers"]) == total
        )
        [group] = (await post(http, "runs/groups", filter=several, by="params.model", columns=["metrics.auc"]))[
            "groups"
        ]
        assert (group["runs"], group["figures"][0]["runs"]) == (total, total)
        assert await post(http, "runs/values", filter=several, column="params.model", begins="s") == [
            {"value": "svm", "runs": total}
        ]
        found = await post(http, "runs/varying", filter=several, columns=["params.model", "metrics.auc"])
        assert found == ["metrics.auc"]
        assert (await post(http, "runs/keys", filter=several))["params"]


async def test_groups_by_attribute_and_of_nothing(app: App) -> None:
    async with app.as_user("vic") as http:
        found = await post(http, "runs/groups", by="attributes.status", columns=["attributes.duration"])
        assert [(group["value"], group["runs"]) for group in found["groups"]] == [("FINISHED", RUNS)]
        assert await post(http, "runs/groups", by="tags.x", filter="run_id = 'x'") == {"groups": [], "total": 0}
        answer = await http.post("runs/groups", json={"by": "metrics.auc"})
        assert answer.status_code == 400


async def test_many_runs_change_together_or_not_at_all(app: App) -> None:
    async with app.as_user("eve") as http:
        rows = await post(http, "runs/rows", numbers=(await post(http, "runs/order"))["numbers"][:3])
        ids = [run["run_id"] for run in rows]
        assert await post(http, "runs/change", run_ids=ids, tags={"studio.archived": "true"}) == {"changed": 3}
        assert (await post(http, "runs/window"))["total"] == RUNS - 3
        assert (await post(http, "runs/window", archived=True))["total"] == RUNS
        assert (await post(http, "runs/change", run_ids=ids, tags={"studio.archived": None})) == {"changed": 3}
        assert (await post(http, "runs/window"))["total"] == RUNS
        wrong = await http.post("runs/change", json={"run_ids": [*ids, "0" * 32], "deleted": True})
        assert wrong.status_code == 404
        assert (await post(http, "runs/window"))["total"] == RUNS
        await post(http, "runs/change", run_ids=ids, deleted=True)
        gone = await post(http, "runs/window", view="DELETED_ONLY")
        assert {run["run_id"] for run in gone["runs"]} == set(ids)
        tagged = await http.post("runs/change", json={"run_ids": ids, "tags": {"a": "b"}})
        assert tagged.status_code == 400
        await post(http, "runs/change", run_ids=ids, deleted=False, tags={"mlflow.note.content": "mended"})
        assert (await post(http, "runs/rows", run_ids=ids[:1], columns=[]))[0]["tags"] == {
            "mlflow.note.content": "mended"
        }
        named = await http.post("runs/change", json={"run_ids": ids, "tags": {tags.NAME_TAG: "x"}})
        assert named.status_code == 400


async def test_a_deleted_run_takes_no_more_metrics(app: App) -> None:
    def log(db: Connection) -> None:
        metrics.log(db, "demo", run["run_id"], [Metric("auc", 1, 9, 9)])

    async with app.as_user("eve") as http:
        run = (await post(http, "runs/window", first=1))["runs"][0]
        await app.store.write(log)
        await post(http, "runs/change", run_ids=[run["run_id"]], deleted=True)
        with pytest.raises(Exception, match="must be in the 'active' state"):
            await app.store.write(log)


async def test_views_are_the_domains_and_one_is_the_default(app: App) -> None:
    state = {"filter": "metrics.auc > 0.5", "columns": ["metrics.auc"], "sort": []}
    async with app.as_user("eve") as http:
        for name in ("by auc", "mine"):
            saved = await http.put("run-views", json={"name": name, "state": state, "is_default": True})
            assert saved.status_code == 200
            assert (saved.json()["owner"], saved.json()["state"]) == ("eve", state)
    async with app.as_user("vic") as http:
        views = (await http.get("run-views")).json()
        assert [(view["name"], view["is_default"]) for view in views] == [("by auc", False), ("mine", True)]
        assert (await http.put("run-views", json={"name": "x", "state": {}})).status_code == 403
        assert (await http.delete("run-views", params={"name": "mine"})).status_code == 403
    async with app.as_user("eve") as http:
        gone = await http.delete("run-views", params={"name": "mine"})
        assert gone.json()["state"] == state
        assert (await http.delete("run-views", params={"name": "mine"})).status_code == 404
        long = await http.put("run-views", json={"name": "long", "state": {"filter": "x" * 70_000}})
        assert long.status_code == 400
        assert (await http.put("run-views", json={"name": "  ", "state": {}})).status_code == 400


async def test_experiments_are_made_renamed_deleted_and_restored(app: App) -> None:
    async with app.as_user("eve") as http:
        made = await http.post("experiments", json={"name": "team/snow"})
        assert (made.status_code, made.json()["runs"]) == (201, 0)
        assert (await http.post("experiments", json={"name": "team/snow"})).status_code == 409
        path = f"experiments/{made.json()['experiment_id']}"
        assert (await http.patch(path, json={"name": "team/hail"})).json()["name"] == "team/hail"
        [rain] = [item for item in (await http.get("experiments")).json() if item["name"] == "team/rain"]
        assert rain["runs"] == RUNS
        rain_path = f"experiments/{rain['experiment_id']}"
        await http.patch(rain_path, json={"deleted": True})
        assert (await post(http, "runs/window"))["total"] == 0
        assert (await http.patch(rain_path, json={"deleted": False})).json()["runs"] == RUNS
    async with app.as_user("vic") as http:
        assert (await http.patch(rain_path, json={"deleted": True})).status_code == 403
        assert (await http.post("experiments", json={"name": "x"})).status_code == 403


async def test_csv_has_every_run_and_no_formula(app: App) -> None:
    def evil(db: Connection) -> None:
        rain = experiments.by_name(db, "demo", "team/rain").experiment_id
        run = runs.create(db, "demo", rain, owner="ada", start_ms=9000, name="=HYPERLINK(1)").info.run_id
        params.log_all(db, "demo", run, [Pair("depth", "-3"), Pair("model", '@SUM("a,b")\n')])

    await app.store.write(evil)
    async with app.as_user("vic") as http:
        answer = await http.get("runs/export", params={"order": ["attributes.start_time"]})
        assert answer.headers["content-type"].startswith("text/csv")
        assert "attachment" in answer.headers["content-disposition"]
        lines = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert [line["run_name"] for line in lines] == [*(f"run-{n}" for n in range(RUNS)), "'=HYPERLINK(1)"]
        assert (lines[-1]["params.depth"], lines[-1]["params.model"]) == ("-3", '\'@SUM("a,b")\n')
        assert lines[7]["metrics.auc"] == "1.0"
        assert (lines[0]["metrics.auc"], lines[0]["start_time"]) == ("NaN", "1970-01-01T00:00:01+00:00")
        few = await http.get(
            "runs/export",
            params={
                "filter": "params.model = 'svm'",
                "columns": ["metrics.auc#min", "attributes.user"],
                "order": ["metrics.auc DESC"],
            },
        )
        rows = list(csv.DictReader(io.StringIO(few.text)))
        assert (len(rows), rows[0]["metrics.auc#min"]) == (83, "-248.0")
        assert (await http.get("runs/export", params={"filter": "metrics."})).status_code == 400


async def test_an_error_in_a_filter_says_at_which_character(app: App) -> None:
    async with app.as_user("vic") as http:
        for path in ("runs/search", "runs/order"):
            answer = await http.post(path, json={"filter": "params.model = 'svm' AND metrics.auc > high"})
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["position"]) == (400, "INVALID", 39)


async def test_a_wrong_filter_names_its_place(app: App) -> None:
    async with app.as_user("vic") as http:
        answer = await http.post("runs/window", json={"filter": "metrics.auc > 'x'"})
        assert answer.status_code == 400
        assert answer.json()["error"]["position"] == 14
