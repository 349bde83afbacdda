"""Figures, from plain values; pages show them in the lab's theme."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

# Colours that can be told apart by most eyes (Okabe and Ito), on light and dark.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c8c8c", "#f0e442")
REFERENCE, CURRENT, LIMIT = "#8c8c8c", "#0072b2", "#d55e00"
Points = Sequence[Sequence[float | None]]


def _framed(figure: go.Figure, height: int, title: str = "") -> go.Figure:
    figure.update_layout(
        height=height,
        title={"text": title, "font": {"size": 13}, "x": 0, "y": 0.98} if title else None,
        margin={"l": 8, "r": 8, "t": 30 if title else 8, "b": 8},
        legend={"orientation": "h", "y": -0.18, "x": 0},
        font={"size": 11},
        hoverlabel={"font": {"size": 11}},
    )
    return figure


def colour(at: int) -> str:
    """The colour of the run, line or group at this place; they come round again after eight."""
    return COLOURS[at % len(COLOURS)]


def bars(values: Mapping[str, float | None], title: str) -> go.Figure:
    """One bar per run, each in its run's colour."""
    figure = go.Figure(
        go.Bar(
            y=list(values),
            x=list(values.values()),
            orientation="h",
            marker_color=[colour(at) for at in range(len(values))],
            texttemplate="%{x:.4g}",
            textposition="auto",
            hovertemplate="%{y}: %{x:.6g}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", title=None)
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
    return _framed(figure, 60 + 26 * len(values), title)


def curves(lines: Mapping[str, Points], title: str) -> go.Figure:
    """A metric over its steps, one line per run."""
    figure = go.Figure()
    for at, (name, points) in enumerate(lines.items()):
        x, y = [point[0] for point in points], [point[2] for point in points]
        mode = "lines" if len(points) > 60 else "lines+markers"
        style = {"color": colour(at), "width": 2}
        figure.add_scatter(x=x, y=y, name=name, mode=mode, line=style, marker={"size": 5})
    figure.update_xaxes(title="step")
    figure.update_layout(hovermode="x unified")
    return _framed(figure, 280, title)


def parallel(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], by: str) -> go.Figure:
    """Parallel coordinates: parameters and metrics of many runs at once, coloured by the metric `by`."""
    dimensions = [_dimension(column, [row.get(column) for row in rows]) for column in columns]
    shades = [float(row.get(by) or 0.0) for row in rows]
    line = {"color": shades, "colorscale": "Viridis", "showscale": len(set(shades)) > 1, "colorbar": {"title": by}}
    figure = _framed(go.Figure(go.Parcoords(line=line, dimensions=dimensions, labelfont={"size": 11})), 360)
    # Axis labels of this kind of chart stand above it.
    return figure.update_layout(margin={"l": 60, "r": 40, "t": 48, "b": 24})


def _dimension(label: str, values: Sequence[Any]) -> dict[str, Any]:
    numbers = [_number(value) for value in values]
    if all(number is not None for number in numbers):
        return {"label": label, "values": numbers}
    names = sorted({str(value) for value in values})
    places = {name: at for at, name in enumerate(names)}
    return {
        "label": label,
        "values": [places[str(value)] for value in values],
        "tickvals": list(range(len(names))),
        "ticktext": names,
    }


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def histogram(column: Mapping[str, Any]) -> go.Figure:
    """Shares of the reference's bins, then and now."""
    labels = bin_labels(column)
    figure = go.Figure()
    for name, counts, shade in (
        ("learned from", column["reference"], REFERENCE),
        ("asked about", column["current"], CURRENT),
    ):
        total = sum(counts) or 1
        shares = [100 * count / total for count in counts]
        figure.add_bar(x=labels, y=shares, name=name, marker_color=shade, hovertemplate="%{x}: %{y:.1f} %")
    figure.update_layout(barmode="group", bargap=0.15)
    figure.update_yaxes(title="% of rows")
    figure.update_xaxes(type="category")
    return _framed(figure, 240)


def bin_labels(column: Mapping[str, Any]) -> list[str]:
    """A name for each bin: its category, or its range. Edges may be the inner ones or have the outer ones too."""
    if column.get("categories"):
        return [str(name) for name in column["categories"]]
    edges, count = [edge for edge in column.get("edges") or [] if edge is not None], len(column["reference"])
    if len(edges) == count + 1:
        edges = edges[1:-1]
    if len(edges) != count - 1:
        return [str(at + 1) for at in range(count)]
    if not edges:
        return ["all"]
    between = [f"{low:.3g} – {high:.3g}" for low, high in pairwise(edges)]
    return [f"≤ {edges[0]:.3g}", *between, f"> {edges[-1]:.3g}"]


def history(times: Sequence[Any], values: Sequence[float | None], threshold: float) -> go.Figure:
    """PSI of one column over the checks, with the threshold above which it counts as drift."""
    figure = go.Figure(
        go.Scatter(x=list(times), y=list(values), mode="lines+markers", line={"color": CURRENT}, name="PSI")
    )
    figure.add_hline(y=threshold, line={"color": LIMIT, "dash": "dash", "width": 1})
    figure.add_annotation(
        xref="paper", x=0, y=threshold, text=f"threshold {threshold:g}", showarrow=False, yanchor="bottom",
        xanchor="left", font={"size": 10, "color": LIMIT},
    )  # fmt: skip
    figure.update_yaxes(title="PSI", rangemode="tozero")
    return _framed(figure, 240)


def confusion(matrix: Mapping[str, int], positive: str) -> go.Figure:
    """The four cells; errors have the warm colour."""
    names = [f"not {positive}", positive]
    grid = [[matrix["tn"], matrix["fp"]], [matrix["fn"], matrix["tp"]]]
    words = [["right: no", "false alarm"], ["missed", "right: yes"]]
    text = [[f"<b>{grid[r][c]:,}</b><br>{words[r][c]}" for c in range(2)] for r in range(2)]
    figure = go.Figure(
        go.Heatmap(
            z=[[0.25, 1.0], [1.0, 0.25]], x=names, y=names, text=text, texttemplate="%{text}", showscale=False,
            colorscale=[[0, "#d7ebe4"], [0.25, "#bfe3d5"], [1, "#f6c9a9"]], hoverinfo="skip", xgap=4, ygap=4,
            textfont={"size": 14, "color": "#212121"},
        )
    )  # fmt: skip
    # Labels such as 0 and 1 are names here, not places on an axis.
    figure.update_xaxes(title="said", side="top", showgrid=False, type="category")
    figure.update_yaxes(title="was", autorange="reversed", showgrid=False, type="category")
    return _framed(figure, 300)


def roc(curve: Sequence[Sequence[float]], at: tuple[float, float], auc: float | None) -> go.Figure:
    """Hits against false alarms over all thresholds ([threshold, tp, fp, fn, tn] each); `at` is where we stand."""
    x = [fp / ((fp + tn) or 1) for _, _, fp, _, tn in curve]
    y = [tp / ((tp + fn) or 1) for _, tp, _, fn, _ in curve]
    figure = _over_thresholds(x, y, [row[0] for row in curve], at)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": REFERENCE, "dash": "dot"}, hoverinfo="skip")
    figure.update_xaxes(title="false alarms (share of negatives)")
    figure.update_yaxes(title="hits (share of positives)")
    return _framed(figure, 300, f"ROC, area {auc:.3f}" if auc is not None else "ROC")


def precision_recall(curve: Sequence[Sequence[float]], at: tuple[float, float]) -> go.Figure:
    """Precision against recall over all thresholds."""
    kept = [row for row in curve if row[1] + row[2]]
    x = [tp / ((tp + fn) or 1) for _, tp, _, fn, _ in kept]
    y = [tp / (tp + fp) for _, tp, fp, _, _ in kept]
    figure = _over_thresholds(x, y, [row[0] for row in kept], at)
    figure.update_xaxes(title="recall")
    figure.update_yaxes(title="precision")
    return _framed(figure, 300, "Precision and recall")


def _over_thresholds(
    x: Sequence[float], y: Sequence[float], thresholds: Sequence[float], at: tuple[float, float]
) -> go.Figure:
    order = sorted(range(len(x)), key=lambda place: (x[place], y[place]))
    figure = go.Figure(
        go.Scatter(
            x=[x[place] for place in order],
            y=[y[place] for place in order],
            customdata=[thresholds[place] for place in order],
            mode="lines",
            line={"color": CURRENT, "width": 2},
            hovertemplate="threshold %{customdata:.3f}<br>%{x:.3f}, %{y:.3f}<extra></extra>",
        )
    )
    figure.add_scatter(x=[at[0]], y=[at[1]], mode="markers", marker={"color": LIMIT, "size": 10}, hoverinfo="skip")
    figure.update_layout(showlegend=False)
    figure.update_xaxes(range=[-0.01, 1.01])
    figure.update_yaxes(range=[-0.01, 1.02])
    return figure
