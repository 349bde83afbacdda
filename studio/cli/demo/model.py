"""From the data to a registered model: the notebook's own cells, read back through the API."""

from typing import Any

from studio.cli.demo.story import Evidence, Story, check

MODEL = "rain-tomorrow"


def _cells(story: Story, step: str) -> str:
    """Runs the example notebook's cells of `step` in its kernel; what they printed."""
    check(story.cells.get(step), f"The example notebook has no cell for the step {step!r}.")
    return "".join(story.kernel.run(code) for code in story.cells[step])


def data(story: Story) -> Evidence:
    """The weather is a data set with a content hash and a profile of its columns."""
    _cells(story, "data")

    def ready() -> Any:
        found = {item["name"]: item for item in story.api("GET", "datasets")}.get("seattle-weather")
        check(not found or found["state"] != "Failed", f"The profile failed: {found}")
        return found if found and found["state"] == "Ready" else None

    found = story.until("The profile of seattle-weather", ready)
    profile = story.api("GET", "datasets/seattle-weather")["profile"]
    columns = {column["name"]: column["dtype"] for column in profile["columns"]}
    check(found["rows"] == 1461, f"1,461 days were expected: {found['rows']}")
    return {"dataset": found["name"], "hash": found["hash"], "rows": found["rows"], "columns": columns}


def train(story: Story) -> Evidence:
    """Three models train with the ordinary `mlflow` client; a run is seen while it is still running."""
    before = {run["run_id"] for run in _runs(story)}
    _cells(story, "train")
    made = [run for run in _runs(story) if run["run_id"] not in before]
    check(len(made) >= 3, f"Three runs were expected: {len(made)}")
    story.known["runs"] = made
    return {"runs": {run["run_id"]: run["name"] for run in made}}


def _runs(story: Story) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = story.api("POST", "runs/search", {"max_results": 200})["runs"]
    return runs


def runs(story: Story) -> Evidence:
    """The Experiments view's query orders them by a metric; a metric has a curve of more than one point."""
    body = {"order_by": ["metrics.auc DESC"], "filter": "metrics.auc > 0.5", "max_results": 10}
    ordered = story.api("POST", "runs/search", body)["runs"]
    check(len(ordered) >= 3, f"Three runs with an AUC were expected: {len(ordered)}")
    best = ordered[0]
    curves = {key: value["step"] for key, value in best["metrics"].items() if value["step"]}
    check(curves, f"No metric of {best['name']} has a curve.")
    key = next(iter(curves))
    points = story.api("GET", f"runs/{best['run_id']}/metrics/{key}")["points"]
    check(len(points) > 1, f"{key} has {len(points)} points.")
    story.known["best"] = best
    auc = {run["name"]: round(run["metrics"]["auc"]["last"], 3) for run in ordered}
    return {"best": best["run_id"], "auc": auc, "curve": {key: len(points)}}


def evaluate(story: Story) -> Evidence:
    """The best run's confusion matrix; a click on its false negatives gives exactly these rows."""
    _cells(story, "evaluate")
    run = story.known["best"]["run_id"]
    shown = story.api("GET", f"runs/{run}/evaluation")
    missed = story.api("GET", f"runs/{run}/evaluation/rows?cell=fn&threshold={shown['threshold']}&limit=1000")
    matrix = shown["matrix"]
    check(sum(matrix.values()) == shown["n"], f"The matrix does not add up: {shown}")
    check(len(missed["rows"]) == matrix["fn"], f"{matrix['fn']} false negatives, {len(missed['rows'])} rows")
    return {"run": run, "matrix": matrix, "auc": shown["auc"], "false_negative_rows": missed["row_ids"][:5]}


def register(story: Story) -> Evidence:
    """The best model is version 1 of `rain-tomorrow`, alias champion."""
    _cells(story, "register")
    model = story.api("GET", f"models/{MODEL}")
    version = str(model["aliases"].get("champion", ""))
    check(version, f"The alias champion is not set: {model['aliases']}")
    story.known["version"] = version
    return {"model": MODEL, "version": version, "source_run": model["versions"][0]["run_id"]}
