"""The wire in which a call came and is answered: how its rows are read, its predictions and its errors told."""

from typing import Any, Protocol

from studio.guest.serving import answers
from studio.guest.serving.inputs import Inputs, Parsed
from studio.guest.serving.models import PyfuncModel
from studio.guest.serving.problems import BadInput


class Form(Protocol):
    """One request's. The dictionaries are merged into the head of the answer's frame: `type`, `headers`."""

    def parse(self, inputs: Inputs, body: bytes) -> Parsed:
        """The rows of the request; `BadInput` says what is wrong with them."""

    def foreign(self, model: PyfuncModel, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        """The whole answer, by a model that takes one request at a time; `BadInput` as above."""

    def answer(self, predictions: Any, parsed: Parsed) -> tuple[bytes, dict[str, Any] | None]:
        """The body of the answer for these rows' predictions, and what its head says beside."""

    def problem(self, error: BadInput) -> bytes:
        """The body of an answer that says what went wrong."""


class Mlflow:
    """`/invocations` of MLflow's scoring server, which SageMaker's runtime shares."""

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type

    def parse(self, inputs: Inputs, body: bytes) -> Parsed:
        """See `Inputs.parse`."""
        return inputs.parse(body, self.content_type)

    def foreign(self, model: PyfuncModel, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        """By MLflow's own scoring functions."""
        return model.invoke(body, self.content_type), None

    def answer(self, predictions: Any, parsed: Parsed) -> tuple[bytes, dict[str, Any] | None]:
        """{"predictions": …}."""
        body = answers.encode(predictions)
        return body, {"headers": _ignored(parsed)} if parsed.ignored else None

    def problem(self, error: BadInput) -> bytes:
        """{"error_code", "message"}."""
        return error.body()


def _ignored(parsed: Parsed) -> dict[str, str]:
    # MLflow leaves extra columns out without a word; the header says which.
    return {
        "x-studio-ignored-columns": ",".join(
            name.encode("ascii", "backslashreplace").decode() for name in parsed.ignored[:50]
        )
    }
