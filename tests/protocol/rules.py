"""The rules of MLflow's server, enumerated from itself, and which scenario calls each of them."""

import functools
import os
import re
import warnings
from urllib.parse import unquote, urlsplit


def signed() -> dict[str, str]:
    """The headers of a request that the client would have signed."""
    return {"authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}


@functools.cache
def every() -> dict[str, re.Pattern[str]]:
    """ "METHOD /path/<of>/a/rule" → what its paths look like; what is in /ajax-api too is named once, by /api."""
    with warnings.catch_warnings(action="ignore"):  # its own, at import
        from mlflow.server import handlers
    found = {}
    endpoints = [(path, methods) for path, _, methods in handlers.get_endpoints()]
    plain = {path for path, _ in endpoints}
    for path, methods in endpoints:
        if path.replace("/ajax-api/", "/api/") not in plain - {path}:
            for method in methods:
                found[f"{method} {path}"] = re.compile("".join(map(_shape, re.split(r"(<[^>]+>)", path))))
    return found


def _shape(part: str) -> str:
    if part.startswith("<"):
        return ".+" if part.startswith("<path:") else "[^/]+"
    return re.escape(part)


def match(method: str, url: str) -> str:
    """The rule that a request went to; without one the request itself."""
    path = unquote(urlsplit(url).path)
    paths = (path, path.replace("/ajax-api/", "/api/"))
    fits = [
        rule
        for rule, shape in every().items()
        if rule.startswith(f"{method} ") and any(shape.fullmatch(path) for path in paths)
    ]
    # The most literal one counts: traces/search is no trace's id.
    return max(fits, key=lambda rule: (-rule.count("<"), len(rule)), default=f"{method} {paths[1]}")


# Rule → the scenario (a function of the test_mlflow_conformance_ files) that calls it; every scenario is held to it.
CALLED = {
    "POST /api/2.0/mlflow/experiments/create": "experiments",
    "POST /api/2.0/mlflow/experiments/delete": "experiments",
    "POST /api/2.0/mlflow/experiments/delete-experiment-tag": "experiments",
    "GET /api/2.0/mlflow/experiments/get": "experiments",
    "GET /api/2.0/mlflow/experiments/get-by-name": "experiments",
    "POST /api/2.0/mlflow/experiments/restore": "experiments",
    "POST /api/2.0/mlflow/experiments/search": "experiments",
    "POST /api/2.0/mlflow/experiments/set-experiment-tag": "experiments",
    "POST /api/2.0/mlflow/experiments/update": "experiments",
    "POST /api/2.0/mlflow/runs/create": "experiments",
    "GET /api/2.0/mlflow/experiments/search": "names_of_experiments",
    "GET /api/2.0/mlflow/metrics/get-history": "runs",
    "POST /api/2.0/mlflow/runs/delete": "runs",
    "POST /api/2.0/mlflow/runs/delete-tag": "runs",
    "GET /api/2.0/mlflow/runs/get": "runs",
    "POST /api/2.0/mlflow/runs/log-batch": "runs",
    "POST /api/2.0/mlflow/runs/log-metric": "runs",
    "POST /api/2.0/mlflow/runs/log-parameter": "runs",
    "POST /api/2.0/mlflow/runs/restore": "runs",
    "POST /api/2.0/mlflow/runs/search": "runs",
    "POST /api/2.0/mlflow/runs/set-tag": "runs",
    "POST /api/2.0/mlflow/runs/update": "runs",
    "GET /api/2.0/mlflow/metrics/get-history-bulk-interval": "metrics",
    "POST /api/2.0/mlflow/logged-models": "inputs_and_outputs",
    "POST /api/2.0/mlflow/runs/log-inputs": "inputs_and_outputs",
    "POST /api/2.0/mlflow/runs/log-model": "inputs_and_outputs",
    "POST /api/2.0/mlflow/runs/outputs": "inputs_and_outputs",
    "GET /api/2.0/mlflow/logged-models/<model_id>": "logged_models",
    "DELETE /api/2.0/mlflow/logged-models/<model_id>": "logged_models",
    "PATCH /api/2.0/mlflow/logged-models/<model_id>": "logged_models",
    "GET /api/2.0/mlflow/logged-models/<model_id>/artifacts/directories": "logged_models",
    "POST /api/2.0/mlflow/logged-models/<model_id>/params": "logged_models",
    "PATCH /api/2.0/mlflow/logged-models/<model_id>/tags": "logged_models",
    "DELETE /api/2.0/mlflow/logged-models/<model_id>/tags/<tag_key>": "logged_models",
    "POST /api/2.0/mlflow/logged-models/search": "logged_models",
    "POST /api/2.0/mlflow/registered-models/create": "registered_models",
    "DELETE /api/2.0/mlflow/registered-models/delete": "registered_models",
    "DELETE /api/2.0/mlflow/registered-models/delete-tag": "registered_models",
    "GET /api/2.0/mlflow/registered-models/get": "registered_models",
    "POST /api/2.0/mlflow/registered-models/get-latest-versions": "registered_models",
    "POST /api/2.0/mlflow/registered-models/rename": "registered_models",
    "GET /api/2.0/mlflow/registered-models/search": "registered_models",
    "POST /api/2.0/mlflow/registered-models/set-tag": "registered_models",
    "PATCH /api/2.0/mlflow/registered-models/update": "registered_models",
    "POST /api/2.0/mlflow/model-versions/create": "versions",
    "DELETE /api/2.0/mlflow/model-versions/delete-tag": "versions",
    "GET /api/2.0/mlflow/model-versions/get": "versions",
    "GET /api/2.0/mlflow/model-versions/get-download-uri": "versions",
    "GET /api/2.0/mlflow/model-versions/search": "versions",
    "POST /api/2.0/mlflow/model-versions/set-tag": "versions",
    "PATCH /api/2.0/mlflow/model-versions/update": "versions",
    "GET /api/2.0/mlflow/registered-models/alias": "versions",
    "POST /api/2.0/mlflow/registered-models/alias": "versions",
    "DELETE /api/2.0/mlflow/registered-models/alias": "versions",
    "DELETE /api/2.0/mlflow/model-versions/delete": "stages",
    "POST /api/2.0/mlflow/model-versions/transition-stage": "stages",
    "GET /api/2.0/mlflow/registered-models/get-latest-versions": "stages",
    "PATCH /api/2.0/mlflow/traces/<request_id>/tags": "traces",
    "DELETE /api/2.0/mlflow/traces/<request_id>/tags": "traces",
    "POST /api/2.0/mlflow/traces/delete-traces": "traces",
    "POST /api/2.0/mlflow/traces/link-to-run": "traces",
    "POST /api/3.0/mlflow/traces": "traces",
    "GET /api/3.0/mlflow/traces/<trace_id>": "traces",
    "PATCH /api/3.0/mlflow/traces/<trace_id>/tags": "traces",
    "DELETE /api/3.0/mlflow/traces/<trace_id>/tags": "traces",
    "GET /api/3.0/mlflow/traces/batchGet": "traces",
    "POST /api/3.0/mlflow/traces/batchGetInfos": "traces",
    "POST /api/3.0/mlflow/traces/delete-traces": "traces",
    "GET /api/3.0/mlflow/traces/get": "traces",
    "POST /api/3.0/mlflow/traces/search": "traces",
    "POST /api/2.0/mlflow/traces": "old_traces",
    "GET /api/2.0/mlflow/traces": "old_traces",
    "PATCH /api/2.0/mlflow/traces/<request_id>": "old_traces",
    "GET /api/2.0/mlflow/traces/<request_id>/info": "old_traces",
    "GET /api/3.0/mlflow/server-info": "about",
    "GET /api/2.0/mlflow-artifacts/artifacts": "artifacts",
    "DELETE /api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>": "artifacts",
    "GET /api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>": "artifacts",
    "PUT /api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>": "artifacts",
    "GET /api/2.0/mlflow/artifacts/list": "artifacts",
}

# Rule → the test that calls it, where MLflow's own server does not have what Studio has, or has it by a setting.
ELSEWHERE = {
    "POST /api/2.0/mlflow/webhooks": "test_mlflow_webhooks.py",
    "GET /api/2.0/mlflow/webhooks": "test_mlflow_webhooks.py",
    "GET /api/2.0/mlflow/webhooks/<webhook_id>": "test_mlflow_webhooks.py",
    "PATCH /api/2.0/mlflow/webhooks/<webhook_id>": "test_mlflow_webhooks.py",
    "DELETE /api/2.0/mlflow/webhooks/<webhook_id>": "test_mlflow_webhooks.py",
    "POST /api/2.0/mlflow/webhooks/<webhook_id>/test": "test_mlflow_webhooks.py",
    "POST /api/2.0mlflow/experiments/search-datasets": "test_mlflow_conformance_about.py",
    "GET /api/3.0/mlflow/workspaces": "test_mlflow_conformance_about.py",
    "POST /api/3.0/mlflow/workspaces": "test_mlflow_conformance_about.py",
    "GET /api/3.0/mlflow/workspaces/<workspace_name>": "test_mlflow_conformance_about.py",
    "PATCH /api/3.0/mlflow/workspaces/<workspace_name>": "test_mlflow_conformance_about.py",
    "DELETE /api/3.0/mlflow/workspaces/<workspace_name>": "test_mlflow_conformance_about.py",
    "POST /api/2.0/mlflow/artifacts/presigned-upload-url": "test_mlflow_files.py",
    "POST /api/2.0/mlflow/artifacts/presigned-download-url": "test_mlflow_files.py",
    "GET /api/2.0/mlflow-artifacts/presigned/<path:artifact_path>": "test_mlflow_files.py",
    "POST /api/2.0/mlflow-artifacts/mpu/create/<path:artifact_path>": "test_mlflow_parts.py",
    "POST /api/2.0/mlflow-artifacts/mpu/complete/<path:artifact_path>": "test_mlflow_parts.py",
    "POST /api/2.0/mlflow-artifacts/mpu/abort/<path:artifact_path>": "test_mlflow_parts.py",
}

# Parts of MLflow that Studio leaves out on purpose, by the beginning of what follows the method: each answers 501.
LEFT_OUT = (
    "/ajax-api/3.0/mlflow/demo/",
    "/ajax-api/3.0/mlflow/gateway/",
    "/ajax-api/3.0/mlflow/genai/",
    "/ajax-api/3.0/mlflow/issues/",
    "/ajax-api/3.0/mlflow/jobs/",
    "/ajax-api/3.0/mlflow/scorer/",
    "/api/2.0/mlflow/get-online-trace-details",
    "/api/2.0/mlflow/traces/link-prompts",
    "/api/2.0/mlflow/unified-traces",
    "/api/3.0/mlflow/datasets/",
    "/api/3.0/mlflow/gateway/",
    "/api/3.0/mlflow/issues",
    "/api/3.0/mlflow/label-schemas/",
    "/api/3.0/mlflow/prompt-optimization/",
    "/api/3.0/mlflow/review-queues/",
    "/api/3.0/mlflow/scorers/",
    "/api/3.0/mlflow/traces/<trace_id>/assessments",
    "/api/3.0/mlflow/traces/calculate-filter-correlation",
    "/api/3.0/mlflow/traces/metrics",
    "/graphql",
)


def is_left_out(rule: str) -> bool:
    """Whether Studio answers NOT_IMPLEMENTED to it."""
    return rule.split(" ", 1)[1].startswith(LEFT_OUT)
