"""Evaluation: the confusion matrix of a run at any threshold, its curves, and the rows behind every cell."""

import pandas as pd
import streamlit as st

from studio.dashboards import charts, data, frame
from studio.errors import NotFound

CELLS = {"fn": "Missed (false negatives)", "fp": "False alarms (false positives)", "tp": "Hits", "tn": "Right: no"}
CODE = "with mlflow.start_run(run_id=...):\n    sdk.evaluate(model, X_test, y_test)"

frame.head("Evaluation", "What a model gets right and wrong on rows it has not seen.")
found = data.runs()
if not found:
    frame.empty("No run yet.", "Train a model, then evaluate it on rows kept aside.", CODE)
labels = {run["run_id"]: f"{run['name'] or 'run'} · {run['run_id'][:6]}" for run in found}
ids = list(labels)
asked = st.query_params.get("run", "")
scored = next((run["run_id"] for run in found if "auc" in run["metrics"]), ids[0])
run_id = st.selectbox("Run", ids, index=ids.index(asked if asked in ids else scored), format_func=labels.__getitem__)
st.query_params["run"] = run_id
try:
    logged = data.evaluation(run_id, None)
except NotFound:
    frame.empty("This run was not evaluated.", "Log what it says about a test set; every row is kept.", CODE)
positive = str(logged["positive_label"])
threshold = st.slider("Threshold: from which score on it counts as yes", 0.0, 1.0, float(logged["threshold"]), 0.01)
shown = data.evaluation(run_id, threshold)
matrix = shown["matrix"]
for place, (key, word) in zip(
    st.columns(5),
    (("auc", "AUC"), ("accuracy", "Accuracy"), ("precision", "Precision"), ("recall", "Recall"), ("f1", "F1")),
    strict=True,
):
    place.metric(word, frame.number(shown[key]))
hits = matrix["tp"] / ((matrix["tp"] + matrix["fn"]) or 1)
alarms = matrix["fp"] / ((matrix["fp"] + matrix["tn"]) or 1)
precision = matrix["tp"] / ((matrix["tp"] + matrix["fp"]) or 1)
left, middle, right = st.columns(3)
left.plotly_chart(charts.confusion(matrix, positive), key="confusion", config={"displayModeBar": False})
middle.plotly_chart(charts.roc(shown["curve"], (alarms, hits), shown["auc"]), key="roc")
right.plotly_chart(charts.precision_recall(shown["curve"], (hits, precision)), key="precision-recall")

st.subheader("Rows", anchor=False)
cell = st.segmented_control(
    "Cell",
    list(CELLS),
    default="fn",
    format_func=lambda key: f"{CELLS[key]} · {matrix[key]}",
    label_visibility="collapsed",
)
if cell:
    rows = data.evaluation_rows(run_id, cell, threshold)
    table = pd.DataFrame(rows["rows"], columns=rows["columns"], index=rows["row_ids"])
    st.dataframe(table, height=360)
    if len(table) < matrix[cell]:
        st.caption(f"The first {len(table):,} of {matrix[cell]:,} rows.")
