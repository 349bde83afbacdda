"""Studio from code: what each panel does, as one line in a notebook or a job. Standard library only.

    from studio.guest import sdk
    sdk.deploy("models:/rain-tomorrow@champion")

Speaks REST at $STUDIO_API with $STUDIO_TOKEN, as in every kernel and job; elsewhere $STUDIO_URL and an access key."""

from studio.guest.sdk.alerts import alerts, captures, check, monitors, rows
from studio.guest.sdk.async_invocations import AsyncInvocation, invoke_async
from studio.guest.sdk.batch import batch
from studio.guest.sdk.call import CallFailed, session
from studio.guest.sdk.data import dataset, datasets, register_dataset
from studio.guest.sdk.environments import add_packages, environments
from studio.guest.sdk.evaluation import evaluate, log_baseline
from studio.guest.sdk.jobs import Job, job, run_job
from studio.guest.sdk.serving import Endpoint, deploy, endpoint, endpoints, promote, undo
from studio.guest.sdk.truth import ground_truth, quality

__all__ = [
    "AsyncInvocation",
    "CallFailed",
    "Endpoint",
    "Job",
    "add_packages",
    "alerts",
    "batch",
    "captures",
    "check",
    "dataset",
    "datasets",
    "deploy",
    "endpoint",
    "endpoints",
    "environments",
    "evaluate",
    "ground_truth",
    "invoke_async",
    "job",
    "log_baseline",
    "monitors",
    "promote",
    "quality",
    "register_dataset",
    "rows",
    "run_job",
    "session",
    "undo",
]
