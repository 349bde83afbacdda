"""What the pages read, through Studio's REST with the token of this sandbox; kept for a few seconds."""

import os
from typing import Any
from urllib.parse import quote

import streamlit as st

from studio.client.rest import Rest
from studio.errors import Unavailable

KEEP_S = 5


@st.cache_resource
def _rest(url: str, token: str) -> Rest:
    return Rest(url, token, timeout=30.0)


def _get(path: str, **params: Any) -> Any:
    url, token = os.environ.get("STUDIO_API", ""), os.environ.get("STUDIO_TOKEN", "")
    domain = os.environ.get("STUDIO_DOMAIN", "")
    if not (url and token and domain):
        raise Unavailable("The dashboards are not connected to a Studio.", "Open them from a lab of Studio.")
    return _rest(url, token).get(f"domains/{quote(domain, safe='')}/{path}", **params)


def _post(path: str, body: Any) -> Any:
    url, token = os.environ.get("STUDIO_API", ""), os.environ.get("STUDIO_TOKEN", "")
    domain = os.environ.get("STUDIO_DOMAIN", "")
    if not (url and token and domain):
        raise Unavailable("The dashboards are not connected to a Studio.", "Open them from a lab of Studio.")
    return _rest(url, token).post(f"domains/{quote(domain, safe='')}/{path}", body)


@st.cache_data(ttl=KEEP_S, show_spinner=False)
def runs(limit: int = 200) -> list[dict[str, Any]]:
    """The newest runs of the domain, with their last metrics and parameters."""
    body = {"max_results": limit, "order_by": ["attributes.start_time DESC"]}
    found: list[dict[str, Any]] = _post("runs/search", body)["runs"]
    return found


@st.cache_data(ttl=KEEP_S, show_spinner=False)
def curve(run_id: str, key: str) -> list[list[float | None]]:
    """[[step, time, value], …] of one metric, at most 1,000 points."""
    found: list[list[float | None]] = _get(f"runs/{_part(run_id)}/metrics/{_part(key)}", max_points=1000)["points"]
    return found


@st.cache_data(ttl=KEEP_S, show_spinner=False)
def evaluation(run_id: str, threshold: float | None) -> dict[str, Any]:
    """Confusion matrix, metrics and the curve over all thresholds; `NotFound` for a run that was not evaluated."""
    found: dict[str, Any] = _get(f"runs/{_part(run_id)}/evaluation", threshold=threshold)
    return found


@st.cache_data(ttl=KEEP_S, show_spinner=False)
def evaluation_rows(run_id: str, cell: str, threshold: float, limit: int = 500) -> dict[str, Any]:
    """The rows behind one cell of the matrix (tp, fp, fn, tn)."""
    path = f"runs/{_part(run_id)}/evaluation/rows"
    found: dict[str, Any] = _get(path, cell=cell, threshold=threshold, limit=limit)
    return found


@st.cache_data(ttl=KEEP_S, show_spinner=False)
def monitors() -> list[dict[str, Any]]:
    """One per endpoint."""
    found: list[dict[str, Any]] = _get("monitors")
    return found


@st.cache_data(ttl=KEEP_S, show_spinner=False)
def monitor(endpoint: str) -> dict[str, Any]:
    """Threshold, baseline and checks, newest first."""
    found: dict[str, Any] = _get(f"monitors/{_part(endpoint)}")
    return found


def _part(text: str) -> str:
    return quote(text, safe="")
