"""The texts of an exported endpoint: Dockerfile, KServe's manifest, and how to use both."""

import json
import platform
import re
from typing import Any

import yaml  # type: ignore[import-untyped]

from studio.environments.pins import pins
from studio.serving.export_host import ENTRY
from studio.serving.export_plan import Part, Plan

REGISTRY = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*){0,8}")
PORT = 8080
USER = 10001
# KServe's own limit on `metadata.name` (v1beta1, inference_service_validation.go).
_BEGINS = re.compile(r"[a-z]")
# Packages whose wheels need a library that the slim image lacks.
_SYSTEM = {"lightgbm": "libgomp1"}
_LINGER_S = 5


def image(plan: Plan, part: Part, registry: str) -> str:
    """The image's name, such as registry.example/team/rain:v3."""
    return f"{f'{registry}/' if registry else ''}{plan.endpoint}:{part.name}"


def arguments(plan: Plan, part: Part) -> list[str]:
    """Of the replica host."""
    found = ["--name", plan.endpoint, "--version", str(part.version), "--max-body", str(plan.max_body)]
    return found if plan.fast_path else [*found, "--no-fast-path"]


def dockerfile(plan: Plan, part: Part, lock: str) -> str:
    """An image of the version, its environment exactly as it is locked, and the replica host; nobody's root."""
    packages = sorted({package for name, package in _SYSTEM.items() if name in pins(lock)})
    lines = [
        f"# The endpoint {plan.endpoint}: {json.dumps(plan.model)} version {part.version}.",
        f"FROM python:{platform.python_version()}-slim",
        f"RUN useradd --uid {USER} --no-create-home --shell /usr/sbin/nologin replica",
    ]
    if packages:
        install = f"apt-get install --yes --no-install-recommends {' '.join(packages)}"
        lines.append(f"RUN apt-get update && {install} && rm -rf /var/lib/apt/lists/*")
    threads = max(1, int(part.kind.cpu))
    lines += [
        "WORKDIR /srv",
        "COPY requirements.txt ./",
        "RUN python -m pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.txt",
        "COPY LICENSE ./",
        "COPY studio ./studio",
        "COPY model ./model",
        "RUN python -m compileall -q studio",
        f"ENV HOME=/tmp PYTHONUNBUFFERED=1 OMP_NUM_THREADS={threads} OPENBLAS_NUM_THREADS={threads} \\",
        "    MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true",
        f"USER {USER}:{USER}",
        f"EXPOSE {PORT}",
        "HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD " + _words("python", "-c", _HEALTHY),
        "ENTRYPOINT " + _words("python", "-m", ENTRY, "--model", "model", "--host", "0.0.0.0", "--port", str(PORT)),
        "CMD " + _words(*arguments(plan, part)),
    ]
    return "\n".join(lines) + "\n"


_HEALTHY = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{PORT}/v2/health/ready', timeout=4)"


def _words(*words: str) -> str:
    """The exec form of an instruction, which no shell reads."""
    return json.dumps(words)


def manifest(plan: Plan, part: Part, registry: str) -> str:
    """An InferenceService (serving.kserve.io/v1beta1) whose predictor is a container of ours.

    KServe takes a container's protocol from its variable PROTOCOL; `protocolVersion` is a field of its own runtimes
    only (predictor_custom.go)."""
    service: dict[str, Any] = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": service_name(plan, part)},
        "spec": {"predictor": _predictor(plan, part, registry)},
    }
    if _needs_knative(plan, part):
        # Newer releases call it Knative, and know this word still.
        service["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "Serverless"}
    text: str = yaml.safe_dump(service, sort_keys=False, width=120)
    return text + (_LOGGER if plan.capture else "")


# In Studio its requests are captured; where they go to in a cluster only the cluster knows.
_LOGGER = """\
    # In Studio this endpoint's requests and answers are kept. To have them here too, name a receiver of CloudEvents:
    # logger:
    #   mode: all
    #   url: http://receiver.namespace.svc.cluster.local
"""


def _predictor(plan: Plan, part: Part, registry: str) -> dict[str, Any]:
    found: dict[str, Any] = {"minReplicas": part.min_replicas, "maxReplicas": part.max_replicas}
    if _needs_knative(plan, part):
        found |= {"scaleMetric": "concurrency", "scaleTarget": max(1, round(plan.target_load))}
    if is_canary(plan, part):
        found["canaryTrafficPercent"] = part.percent
    found["timeout"] = max(1, round(plan.timeout_s))
    size = {"cpu": f"{part.kind.cpu:g}", "memory": f"{part.kind.memory_mb}Mi"}
    size |= {"nvidia.com/gpu": str(part.kind.gpu)} if part.kind.gpu else {}
    container = {
        "name": "kserve-container",
        "image": image(plan, part, registry),
        "args": [*arguments(plan, part), "--linger", str(_LINGER_S)],
        "env": [{"name": "PROTOCOL", "value": "v2"}],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "resources": {"requests": dict(size), "limits": dict(size)},
        "readinessProbe": _probe("/v2/health/ready", period_s=2, failures=5),
        # A long prediction answers nothing else meanwhile, a large model loads long: only what hangs is to be ended.
        "livenessProbe": _probe("/v2/health/live", period_s=10, failures=30),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return found | {"containers": [container]}


def _probe(path: str, period_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": period_s,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def service_name(plan: Plan, part: Part) -> str:
    """KServe splits traffic between two revisions of one service; more variants are services of their own."""
    name = plan.endpoint if _BEGINS.match(plan.endpoint) else f"m-{plan.endpoint}"
    return name if len(plan.parts) <= 2 else f"{name}-{part.name}"


def is_canary(plan: Plan, part: Part) -> bool:
    """Whether it is the younger of two."""
    return len(plan.parts) == 2 and part is plan.parts[1]


def _needs_knative(plan: Plan, part: Part) -> bool:
    """What only that mode of KServe has: zero replicas, scaling by concurrency, a split of the traffic."""
    return part.min_replicas < part.max_replicas or len(plan.parts) == 2


def readme(plan: Plan, target: str, registry: str) -> str:
    """Commands, the split, and what does not come along."""
    lines = [f"# {plan.endpoint}", ""]
    lines.append(f"An endpoint of Studio, exported for {target}: {json.dumps(plan.model)}, served by Studio's own")
    lines.append(
        "replica host. It answers the Open Inference Protocol v2 (JSON and binary) at `/v2/models/…`, MLflow's"
    )
    lines += [
        "`/invocations`, `/ping` and `/metrics`.",
        "",
        "| variant | version | traffic | size |",
        "|---|---|---|---|",
    ]
    for part in plan.parts:
        size = f"{part.kind.cpu:g} cpu, {part.kind.memory_mb} MiB"
        lines.append(f"| {part.name} | {part.version} | {part.percent} % | {size} |")
    lines += ["", "## Run", "```sh"]
    for part in plan.parts:
        lines += (_kserve if target == "kserve" else _docker)(plan, part, registry)
    lines += ["```", *_split(plan, target), "", "## What to know"]
    lines += [f"- {text}" for text in (*_KNOW, *_left_out(plan))]
    return "\n".join(lines) + "\n"


def _docker(plan: Plan, part: Part, registry: str) -> list[str]:
    name, port = image(plan, part, registry), PORT + plan.parts.index(part)
    limits = f"--cpus {part.kind.cpu:g} --memory {part.kind.memory_mb}m"
    return [
        f"docker build -t {name} {part.name}",
        f"docker run --rm --read-only --tmpfs /tmp --cap-drop ALL {limits} -p 127.0.0.1:{port}:{PORT} {name}",
    ]


def _kserve(plan: Plan, part: Part, registry: str) -> list[str]:
    name = image(plan, part, registry)
    wait = f"kubectl wait --for=condition=Ready inferenceservice/{service_name(plan, part)} --timeout=10m"
    apply = f"kubectl apply -f {part.name}/inferenceservice.yaml && {wait}"
    return [f"docker build -t {name} {part.name} && docker push {name}", apply]


def _split(plan: Plan, target: str) -> list[str]:
    if len(plan.parts) == 1:
        return []
    said = ", ".join(f"{part.name} {part.percent} %" for part in plan.parts)
    if target == "kserve" and len(plan.parts) == 2:
        how = "Apply them in this order: the second is KServe's canary of the first, with `canaryTrafficPercent`."
    elif target == "kserve":
        how = "KServe splits between two revisions only: these are services of their own, for a router before them."
    else:
        how = "Each is a container of its own, for a proxy before them."
    return ["", f"In Studio the traffic was split: {said}. {how}"]


_KNOW = (
    "Whoever reaches the port may ask: put it where only those can who may. Studio's keys are not in here.",
    "Loading a model runs its author's code: run the image with no more rights than the commands above give it.",
    "One process answers one request after the other, those that arrive together in one prediction. `--workers 2` adds"
    " a process, with the model a second time.",
    "A prediction that hangs stops the process from answering at all: KServe's liveness probe ends it, Docker only says"
    " that it is unhealthy.",
    "The lock names exact wheels for this Python; they are looked up in your package index when the image is built.",
    "An image's name without a registry means the default one of whoever runs it: export with `--registry` for yours.",
)


def _left_out(plan: Plan) -> list[str]:
    found = [
        "What the gateway does in Studio stays there: keys, rate limits, CORS, capture, monitors, routing headers."
    ]
    if plan.shadows:
        found.append(f"Not exported: {', '.join(plan.shadows)}, which gets copies of requests and answers nobody.")
    return found
