"""The wire in which a call came and is answered: how its rows are read, its predictions and its errors told."""

from typing import Any, Protocol

from studio.guest.serving import answers, csv_answers
from studio.guest.serving.inputs import Inputs, Parsed
from studio.guest.serving.problems import BadInput
from studio.guest.serving.pyfunc import PyfuncModel
from studio.guest.serving.script import ScriptModel

# Models that take one request at a time.
Foreign = PyfuncModel | ScriptModel
_TOLD = (csv_answers.JSON, csv_answers.CSV)
_BYTES = "application/octet-stream"


class Form(Protocol):
    """One request's. The dictionaries are merged into the head of the answer's frame: `type`, `headers`."""

    def parse(self, inputs: Inputs, body: bytes) -> Parsed:
        """The rows of the request; `BadInput` says what is wrong with them."""

    def foreign(self, model: Foreign, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        """The whole answer, by a model that takes one request at a time; `BadInput` as above."""

    def answer(self, predictions: Any, parsed: Parsed) -> tuple[bytes, dict[str, Any] | None]:
        """The body of the answer for these rows' predictions, and what its head says beside."""

    def problem(self, error: BadInput) -> bytes:
        """The body of an answer that says what went wrong."""


class Mlflow:
    """`/invocations` of MLflow's scoring server, which SageMaker's runtime shares."""

    def __init__(self, content_type: str, accept: str = "") -> None:
        """`accept`: what the caller wants to be answered in, "" for JSON."""
        self.content_type = content_type
        self.accept = accept

    def parse(self, inputs: Inputs, body: bytes) -> Parsed:
        """See `Inputs.parse`; 406 at once for an answer that cannot be given."""
        if self.accept:
            self.accept = csv_answers.wanted(self.accept)
        return inputs.parse(body, self.content_type)

    def foreign(self, model: Foreign, body: bytes) -> tuple[bytes, dict[str, Any] | None]:
        """By MLflow's own scoring functions, or the script's."""
        answer, kind = model.invoke(body, self.content_type, self.accept)
        if kind == csv_answers.JSON:
            return answer, None
        # What a script says may be anything; it is bytes to whoever does not know better.
        return answer, {"type": kind if kind in _TOLD else _BYTES}

    def answer(self, predictions: Any, parsed: Parsed) -> tuple[bytes, dict[str, Any] | None]:
        """{"predictions": …}, or lines of CSV."""
        about: dict[str, Any] = {"headers": _ignored(parsed)} if parsed.ignored else {}
        if self.accept == csv_answers.CSV:
            return csv_answers.encode(predictions), about | {"type": csv_answers.CSV}
        return answers.encode(predictions), about or None

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
