"""Drift report: for each column, what the model learned from beside what it is asked about, and how that went on."""

from typing import Any

import pandas as pd
import streamlit as st

from studio.dashboards import charts, data, frame

frame.head("Drift report", "What an endpoint is asked about, beside what its model learned from.")
found = {item["endpoint"]: item for item in data.monitors()}
if not found:
    frame.empty(
        "No endpoint is watched yet.",
        "Deploy a model with capture on; its monitor begins with the first requests.",
        'sdk.deploy("models:/rain-tomorrow@champion")',
    )
names = list(found)
asked = st.query_params.get("endpoint", "")
name = st.selectbox("Endpoint", names, index=names.index(asked) if asked in names else 0)
st.query_params["endpoint"] = name
shown = data.monitor(name)
checks: list[dict[str, Any]] = shown["checks"]
if shown["state"] == "NoBaseline":
    frame.empty(
        "There is nothing to compare with.",
        "The model's run has no baseline. Log the training rows with it and register the model again.",
        "sdk.log_baseline(X_train)",
    )
if not checks:
    frame.empty(
        "No check was made yet.",
        "A check needs 200 captured rows; it is made by itself, or at once by the line below.",
        f'sdk.check("{name}")',
    )
times = {check["id"]: pd.to_datetime(check["at_ms"], unit="ms") for check in checks}
check_id = st.selectbox(
    "Check", list(times), format_func=lambda key: f"{times[key]:%d %b %Y %H:%M:%S} UTC", disabled=len(times) < 2
)
check = next(item for item in checks if item["id"] == check_id)
columns: list[dict[str, Any]] = sorted(check["columns"], key=lambda column: -(column["psi"] or 0))
drifted = [column["name"] for column in columns if column["drifted"]]

left, middle, right = st.columns(3)
left.metric("State", "▲ Drift" if drifted else "● Quiet")
middle.metric("Rows in the window", f"{check['rows']:,}")
right.metric("Columns that moved", f"{len(drifted)} of {len(columns)}")
if drifted:
    st.warning(f"Moved: **{', '.join(drifted)}**. The alert in Monitors leads to exactly these rows.")

table = pd.DataFrame(
    {
        "column": [column["name"] for column in columns],
        "": ["▲ moved" if column["drifted"] else "● quiet" for column in columns],
        "PSI": [column["psi"] for column in columns],
        "missing then, %": [100 * column["missing_reference"] for column in columns],
        "missing now, %": [100 * column["missing_current"] for column in columns],
    }
)
st.dataframe(
    table,
    hide_index=True,
    height=min(420, 38 + 35 * len(table)),
    column_config={name: st.column_config.NumberColumn(format="%.3f") for name in table.columns[2:]},
)
st.caption(
    f"PSI: population stability index; drift above {shown['threshold']:g}. Bins: quantiles of the training data."
)

past = list(reversed(checks))
for column in columns[:12]:
    mark = "▲" if column["drifted"] else "●"
    with st.expander(f"{mark} {column['name']} · PSI {frame.number(column['psi'])}", expanded=bool(column["drifted"])):
        left, right = st.columns([3, 2])
        left.plotly_chart(charts.histogram(column), key=f"histogram-{column['name']}")
        series = [
            next((item["psi"] for item in one["columns"] if item["name"] == column["name"]), None) for one in past
        ]
        when = [times[one["id"]] for one in past]
        right.plotly_chart(charts.history(when, series, shown["threshold"]), key=f"history-{column['name']}")
