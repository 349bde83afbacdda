"""What all pages look like, and what they say when there is nothing to show or Studio refuses."""

import streamlit as st

from studio.errors import StudioError

_CSS = """<style>
[data-testid="stMainBlockContainer"] { padding: 3.4rem 1.5rem 3rem; max-width: 1400px; }
[data-testid="stMetricValue"] { font-size: 1.35rem; font-variant-numeric: tabular-nums; }
[data-testid="stMetricLabel"] { opacity: .75; }
[data-testid="stDataFrame"] { font-variant-numeric: tabular-nums; }
h2, h3 { padding: .6rem 0 .2rem; }
</style>"""


def style() -> None:
    """Denser than Streamlit's own."""
    st.html(_CSS)


def head(title: str, what: str) -> None:
    """The page's name and one line that says what is seen."""
    st.subheader(title, anchor=False)
    st.caption(what)


def empty(what: str, next_step: str, code: str) -> None:
    """Nothing to show yet: what this is for, what to do, and the line of code that does it; ends the page."""
    st.info(f"**{what}**\n\n{next_step}")
    st.code(code, language="python")
    st.stop()


def failed(error: StudioError) -> None:
    """What happened and what to do next."""
    st.error(f"**{error.message}**\n\n{error.hint}")
    if st.button("Try again", type="primary"):
        st.cache_data.clear()
        st.rerun()


def number(value: float | None, digits: int = 4) -> str:
    """At most `digits` significant digits, thousands apart; a dash for none."""
    if value is None:
        return "–"
    if value and abs(value) < 10 ** -(digits - 1):
        return f"{value:.2e}"
    text = f"{value:,.{max(0, digits - 1 - max(0, len(str(int(abs(value)))) - 1))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
