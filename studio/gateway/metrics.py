"""Prometheus text (exposition format 0.0.4) about the endpoints of one domain."""

from studio.gateway.inference import Inference
from studio.gateway.stats import Latencies, quantile

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
Rows = list[tuple[str, float]]


def render(inference: Inference, domain: str) -> bytes:
    """Counters and gauges, labelled by endpoint and variant."""
    mine = [
        (f'endpoint="{name}"', endpoint)
        for (owner, name), endpoint in sorted(inference.endpoints.items())
        if owner == domain
    ]
    every = [(f'{label},variant="{one.name}"', one) for label, endpoint in mine for one in endpoint.variants]
    lines: list[str] = []

    def family(name: str, kind: str, text: str, rows: Rows) -> None:
        lines.extend((f"# HELP {name} {text}", f"# TYPE {name} {kind}"))
        lines.extend(f"{name}{{{labels}}} {value:.15g}" for labels, value in rows)

    statuses = [(f'{n},status="{s}"', float(c)) for n, e in mine for s, c in sorted(e.stats.statuses.items())]
    family("studio_endpoint_requests_total", "counter", "Answered predictions by status.", statuses)
    family("studio_endpoint_inflight", "gauge", "Predictions under way.", [(n, e.stats.inflight) for n, e in mine])
    limited: Rows = [(n, e.stats.limited) for n, e in mine]
    family("studio_endpoint_limited_total", "counter", "Predictions refused by the rate limit.", limited)
    family(
        "studio_endpoint_seconds_total", "counter", "Time of all predictions.", [(n, e.stats.seconds) for n, e in mine]
    )
    slow = quantiles([(n, e.latencies()) for n, e in mine])
    family("studio_endpoint_seconds", "gauge", "Latency quantiles of the last minute.", slow)
    family("studio_variant_requests_total", "counter", "Predictions by variant.", [(n, v.requests) for n, v in every])
    family("studio_variant_errors_total", "counter", "Those that failed, 5xx.", [(n, v.errors) for n, v in every])
    family(
        "studio_variant_dropped_total",
        "counter",
        "Copies a shadow was too slow or not there for.",
        [(n, v.dropped) for n, v in every],
    )
    family("studio_variant_inflight", "gauge", "Under way and waiting.", [(n, v.load.level) for n, v in every])
    slow = quantiles([(n, [v.latencies]) for n, v in every])
    family("studio_variant_seconds", "gauge", "Latency quantiles of the last minute.", slow)
    family("studio_capture_total", "counter", "Captured predictions.", [(n, e.stats.captured) for n, e in mine])
    dropped: Rows = [(n, e.stats.dropped) for n, e in mine]
    family("studio_capture_dropped_total", "counter", "Predictions not captured for want of room.", dropped)
    unsampled: Rows = [(n, e.stats.unsampled) for n, e in mine]
    family("studio_capture_unsampled_total", "counter", "Predictions left out of the sample.", unsampled)
    return ("\n".join(lines) + "\n").encode()


def quantiles(measured: list[tuple[str, list[Latencies]]]) -> Rows:
    """Median and the slowest hundredth of each, where there are any."""
    return [
        (f'{labels},quantile="{part}"', value)
        for labels, latencies in measured
        for part in (0.5, 0.99)
        if (value := quantile(latencies, part)) is not None
    ]
