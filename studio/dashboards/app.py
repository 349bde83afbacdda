"""The app: three pages and what they share. Run by Streamlit once per interaction."""

from pathlib import Path

import streamlit as st

from studio.dashboards import frame
from studio.errors import StudioError

FOLDER = Path(__file__).parent / "app_pages"

st.set_page_config(page_title="Studio", layout="wide", initial_sidebar_state="collapsed")
compare = st.Page(FOLDER / "compare.py", title="Compare runs", url_path="compare")
page = st.navigation(
    [
        # The default page has no path of its own, and every page here is opened by its path.
        st.Page(lambda: st.switch_page(compare), title="Studio", url_path="home", default=True, visibility="hidden"),
        compare,
        st.Page(FOLDER / "drift.py", title="Drift report", url_path="drift"),
        st.Page(FOLDER / "evaluation.py", title="Evaluation", url_path="evaluation"),
    ],
    position="top",
)
frame.style()
try:
    page.run()
except StudioError as error:
    frame.failed(error)
