"""All that the official client finds at a tracking server, in one comparable value without places."""

import hashlib
import math
import sys
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType


def contents(client: MlflowClient, files: Path) -> dict[str, Any]:
    """Experiments and registered models by name, runs and logged models by id; `files` takes what is downloaded."""
    experiments = client.search_experiments(view_type=ViewType.ALL)
    names = {item.experiment_id: item.name for item in experiments}
    runs = client.search_runs(list(names), run_view_type=ViewType.ALL, max_results=5000)
    models = client.search_logged_models(experiment_ids=list(names), max_results=500)
    return {
        "experiments": {item.name: (item.lifecycle_stage, item.tags) for item in experiments},
        "runs": {run.info.run_id: _run(client, run, names, files) for run in runs},
        "logged": {model.model_id: _logged(model, names) for model in models},
        "registered": {item.name: _registered(client, item) for item in client.search_registered_models()},
    }


def _run(client: MlflowClient, run: Run, names: dict[str, str], files: Path) -> dict[str, Any]:
    info = run.info
    return {
        "experiment": names[info.experiment_id],
        "info": (info.run_name, info.user_id, info.status, info.start_time, info.end_time, info.lifecycle_stage),
        "params": run.data.params,
        "tags": run.data.tags,
        "latest": {key: _number(value) for key, value in run.data.metrics.items()},
        "histories": {
            key: sorted({(m.step, m.timestamp, _number(m.value)) for m in client.get_metric_history(info.run_id, key)})
            for key in run.data.metrics
        },
        "datasets": sorted(
            (d.dataset.name, d.dataset.digest, d.dataset.source, d.dataset.schema, d.dataset.profile, str(d.tags))
            for d in run.inputs.dataset_inputs
        ),
        "outputs": sorted((output.model_id, output.step) for output in run.outputs.model_outputs),
        "files": {} if info.lifecycle_stage == "deleted" else _files(client, info.run_id, files),
    }


def _logged(model: Any, names: dict[str, str]) -> dict[str, Any]:
    metrics = {(m.key, m.step, m.timestamp, _number(m.value), m.run_id, m.dataset_name) for m in model.metrics or []}
    return {
        "experiment": names[model.experiment_id],
        "what": (model.name, model.model_type or "", model.source_run_id, str(model.status), model.creation_timestamp),
        "params": model.params,
        "tags": {key: value for key, value in model.tags.items() if key != "mlflow.modelVersions"},
        "metrics": sorted(metrics, key=str),
    }


def _registered(client: MlflowClient, item: Any) -> dict[str, Any]:
    aliases = {alias: str(version) for alias, version in item.aliases.items()}
    versions = client.search_model_versions(f"name = '{item.name}'")
    return {
        "what": (item.description or "", item.creation_timestamp, item.tags, aliases),
        "versions": {
            int(v.version): (v.run_id or "", v.description or "", v.current_stage, v.creation_timestamp, v.tags)
            for v in versions
        },
    }


def _files(client: MlflowClient, run_id: str, files: Path) -> dict[str, str]:
    target = files / run_id
    target.mkdir(parents=True)
    if not client.list_artifacts(run_id):
        return {}
    folder = Path(client.download_artifacts(run_id, "", str(target)))
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _number(value: float) -> str:
    """MLflow's database keeps infinity as the largest number there is."""
    if math.isfinite(value) and abs(value) >= sys.float_info.max:
        value = math.copysign(math.inf, value)
    return repr(float(value))
