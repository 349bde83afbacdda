"""Prometheus text (exposition format 0.0.4) about the endpoints of one domain."""

from studio.gateway.inference import Inference

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


def render(inference: Inference, domain: str) -> bytes:
    """Counters and gauges, labelled by endpoint."""
    mine = [(name, endpoint) for (owner, name), endpoint in sorted(inference.endpoints.items()) if owner == domain]
    lines: list[str] = []

    def family(name: str, kind: str, text: str, rows: list[tuple[str, float]]) -> None:
        lines.extend((f"# HELP {name} {text}", f"# TYPE {name} {kind}"))
        lines.extend(f"{name}{{{labels}}} {value:g}" for labels, value in rows)

    family(
        "studio_endpoint_requests_total",
        "counter",
        "Answered predictions by status.",
        [(f'endpoint="{n}",status="{s}"', c) for n, e in mine for s, c in sorted(e.stats.statuses.items())],
    )
    family(
        "studio_endpoint_inflight",
        "gauge",
        "Predictions under way.",
        [(f'endpoint="{n}"', e.stats.inflight) for n, e in mine],
    )
    family(
        "studio_endpoint_seconds_total",
        "counter",
        "Time of all predictions.",
        [(f'endpoint="{n}"', e.stats.seconds) for n, e in mine],
    )
    family(
        "studio_endpoint_seconds",
        "gauge",
        "Latency quantiles of the last minute.",
        [
            (f'endpoint="{n}",quantile="{q}"', v)
            for n, e in mine
            for q in (0.5, 0.99)
            if (v := e.stats.latencies.quantile(q)) is not None
        ],
    )
    family(
        "studio_capture_total",
        "counter",
        "Captured predictions.",
        [(f'endpoint="{n}"', e.stats.captured) for n, e in mine],
    )
    family(
        "studio_capture_dropped_total",
        "counter",
        "Predictions not captured.",
        [(f'endpoint="{n}"', e.stats.dropped) for n, e in mine],
    )
    return ("\n".join(lines) + "\n").encode()
