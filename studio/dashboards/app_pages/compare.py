"""Compare runs: what differs in their parameters, how their metrics ended, and how they got there."""

from typing import Any

import pandas as pd
import streamlit as st

from studio.dashboards import charts, data, frame

MOST = 8  # lines in one chart that can still be told apart

frame.head("Compare runs", "What differs between runs, and what came of it.")
found = data.runs()
if not found:
    frame.empty("No run yet.", "Train something with the MLflow client: its runs appear here.", "mlflow.start_run()")
labels = {run["run_id"]: f"{run['name'] or 'run'} · {run['run_id'][:6]}" for run in found}
asked = [run_id for run_id in st.query_params.get("runs", "").split(",") if run_id in labels]
default = asked or [run["run_id"] for run in found if run["metrics"]][:5]
picked = st.multiselect(
    "Runs", list(labels), default=default[:MOST], format_func=labels.__getitem__, max_selections=MOST
)
if not picked:
    st.info("Choose two or more runs above.")
    st.stop()
st.query_params["runs"] = ",".join(picked)
chosen: list[dict[str, Any]] = [run for run_id in picked for run in found if run["run_id"] == run_id]


def _last(run: dict[str, Any], key: str) -> float | None:
    value: float | None = run["metrics"].get(key, {}).get("last")
    return value


metric_keys = sorted({key for run in chosen for key in run["metrics"]}, key=lambda key: (key != "auc", key))
own = [key for key in metric_keys if not key.startswith(("training_", "system/"))] or metric_keys

st.subheader("Metrics", anchor=False)
shown = st.multiselect("Metrics", metric_keys, default=own[:4], label_visibility="collapsed")
columns = st.columns(2)
for at, key in enumerate(shown):
    values = {labels[run["run_id"]]: _last(run, key) for run in chosen}
    columns[at % 2].plotly_chart(charts.bars(values, key), key=f"bar-{key}", config={"displayModeBar": False})

st.subheader("Parameters that differ", anchor=False)
params = pd.DataFrame({labels[run["run_id"]]: run["params"] for run in chosen})
varying = params[params.nunique(axis=1, dropna=False) > 1] if len(chosen) > 1 else params
if varying.empty:
    st.caption("None: these runs have the same parameters.")
else:
    st.dataframe(varying.fillna("–"), height=min(420, 38 + 35 * len(varying)))

curved = [key for key in metric_keys if any((run["metrics"].get(key) or {}).get("step") for run in chosen)]
st.subheader("Curves", anchor=False)
if not curved:
    st.caption("These runs logged one value per metric. `mlflow.log_metric(key, value, step=n)` makes a curve.")
columns = st.columns(2)
for at, key in enumerate(curved[:6]):
    lines = {labels[run["run_id"]]: data.curve(run["run_id"], key) for run in chosen if key in run["metrics"]}
    columns[at % 2].plotly_chart(charts.curves(lines, key), key=f"curve-{key}")

if len(chosen) > 1 and shown:
    st.subheader("Parallel coordinates", anchor=False)
    rows = [{**run["params"], **{key: _last(run, key) for key in shown}} for run in chosen]
    axes = [*list(varying.index)[:6], *shown[:4]] if not varying.empty else shown[:6]
    st.plotly_chart(charts.parallel(rows, axes, shown[0]), key="parallel")

with st.expander("</> The same in code"):
    ids = ", ".join(repr(run_id) for run_id in picked)
    st.code(f"import mlflow\n\nruns = mlflow.search_runs(search_all_experiments=True)\nruns[runs.run_id.isin([{ids}])]")
