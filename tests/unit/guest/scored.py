"""The same body answered by the replica's model and by MLflow's own scoring server."""

import json
from typing import Any

from studio.guest.serving import answers
from studio.guest.serving.models import Model
from studio.guest.serving.native import NativeModel
from studio.guest.serving.problems import BadInput


def ours(model: Model, body: bytes, kind: str = "application/json") -> Any:
    """("ok", predictions) or ("error", 4xx)."""
    assert isinstance(model, NativeModel)
    try:
        parsed = model.inputs.parse(body, kind)
        return "ok", json.loads(answers.encode(model.predict(parsed.data)))["predictions"]
    except BadInput as problem:
        return "error", problem.status
    except Exception:
        return "error", 400  # as the batcher answers what a library raises


def mlflows(model: Any, body: bytes, kind: str = "application/json") -> Any:
    """The same of a model that mlflow.pyfunc has loaded."""
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import scoring_server

    try:
        answer = scoring_server.invocations(body, kind, model, model.metadata.get_input_schema())
    except MlflowException as error:
        return "error", error.get_http_status_code()
    return ("ok", json.loads(answer.response)["predictions"]) if answer.status == 200 else ("error", answer.status)
