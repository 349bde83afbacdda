from collections.abc import Callable
from typing import Any

from tests.unit.dashboards.conftest import MONITOR, RUNS, Studio

Page = Callable[..., Any]


def words(shown: Any) -> str:
    """All that a page says in words."""
    kinds = (shown.subheader, shown.caption, shown.info, shown.warning, shown.error, shown.markdown)
    return " ".join(str(element.value) for kind in kinds for element in kind)


def test_compare_shows_metrics_curves_and_differing_parameters(page: Page) -> None:
    shown = page("compare", runs=",".join(run["run_id"] for run in RUNS))
    assert not shown.exception
    assert set(shown.dataframe[0].value.index) == {"depth", "model"}
    assert len(shown.get("plotly_chart")) == 4  # auc, loss, the curve of loss, parallel coordinates


def test_compare_of_no_run_teaches(page: Page, studio: Studio) -> None:
    studio.answers["runs/search"] = {"runs": [], "next_page_token": None, "total": 0}
    shown = page("compare")
    assert not shown.exception
    assert "No run yet" in words(shown)
    assert shown.code[0].value == "mlflow.start_run()"


def test_drift_names_the_moved_column_first(page: Page) -> None:
    shown = page("drift", endpoint="rain-tomorrow")
    assert not shown.exception
    assert list(shown.dataframe[0].value["column"]) == ["wind", "temp_max"]
    assert "Moved: **wind**" in words(shown)
    assert [metric.value for metric in shown.metric] == ["▲ Drift", "300", "1 of 2"]


def test_drift_without_baseline_says_how_to_get_one(page: Page, studio: Studio) -> None:
    studio.answers["monitors/rain-tomorrow"] = MONITOR | {"state": "NoBaseline", "checks": []}
    shown = page("drift")
    assert not shown.exception
    assert shown.code[0].value == "sdk.log_baseline(X_train)"


def test_evaluation_shows_the_rows_behind_a_cell(page: Page, studio: Studio) -> None:
    shown = page("evaluation", run=RUNS[0]["run_id"])
    assert not shown.exception
    assert list(shown.dataframe[0].value.index) == ["2015-01-03", "2015-02-07"]
    shown.slider[0].set_value(0.3).run()
    assert not shown.exception
    last = [query for _, path, query in studio.asked if path.endswith("evaluation/rows")][-1]
    assert last["cell"] == ["fn"] and last["threshold"] == ["0.3"]


def test_evaluation_of_a_run_without_one_teaches(page: Page, studio: Studio) -> None:
    del studio.answers["evaluation"]
    shown = page("evaluation")
    assert not shown.exception
    assert "This run was not evaluated" in words(shown)


def test_a_refusal_says_what_to_do(studio: Studio) -> None:
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from studio.dashboards.__main__ import APP

    refusal = {"error": {"code": "DENIED", "message": "You are no member of demo.", "hint": "Ask an admin."}}
    studio.answers["runs/search"] = (403, refusal)
    st.cache_data.clear()
    shown = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not shown.exception
    assert shown.error[0].value == "**You are no member of demo.**\n\nAsk an admin."
    assert shown.button[0].label == "Try again"
