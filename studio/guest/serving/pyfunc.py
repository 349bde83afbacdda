"""Models of any flavour through mlflow.pyfunc, with MLflow's own scoring functions, one request at a time."""

import contextlib
from collections.abc import Iterator
from typing import Any

from studio.guest.serving import answers, csv_answers
from studio.guest.serving.mlmodel import MLModel
from studio.guest.serving.problems import BadInput


class PyfuncModel:
    """A model that only MLflow itself can ask."""

    flavor = "python_function"
    row_wise = False
    arrays = False
    fast_path = "only scikit-learn's linear models and forests have one"

    def __init__(self, described: MLModel, model: Any) -> None:
        self.described = described
        self._model = model
        self._schema = model.metadata.get_input_schema()

    def check(self, example: bytes) -> int:
        """Predicts the logged example; raises what the model raises. Returns 1."""
        self.invoke(example, "application/json")
        return 1

    @property
    def takes_tensors(self) -> bool:
        """Whether its signature is of tensors, not of columns."""
        return self._schema is not None and bool(self._schema.is_tensor_spec())

    def invoke(self, body: bytes, content_type: str, accept: str = "") -> tuple[bytes, str]:
        """The body of the answer and its type: JSON as `mlflow models serve` answers (NaN as null), or CSV."""
        from mlflow.pyfunc import scoring_server

        kind = csv_answers.wanted(accept)
        with self._words():
            data, params, unwrapped = self._read(scoring_server, body, content_type)
            result = self._model.predict(data, params=params)
        if kind == csv_answers.CSV:
            return csv_answers.encode(result), kind
        document = answers.encode(result)
        return document[len(b'{"predictions":') : -1] if unwrapped else document, kind

    def predict(self, data: Any) -> Any:
        """Checked by MLflow against the signature; `BadInput` says what does not fit."""
        with self._words():
            return self._model.predict(data)

    @contextlib.contextmanager
    def _words(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            raise BadInput(
                str(error.message)[:4000], code=str(error.error_code), status=error.get_http_status_code()
            ) from error
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                f"The model failed on this input: {type(error).__name__}: {error}"[:4000],
                "Compare it with the input example.",
            ) from error

    def _read(self, scoring_server: Any, body: bytes, content_type: str) -> tuple[Any, Any, bool]:
        from io import BytesIO, StringIO

        kind = content_type.partition(";")[0].strip().lower() or "application/json"
        if kind == "text/csv":
            return scoring_server.parse_csv_input(StringIO(body.decode()), self._schema), None, False
        if kind == "application/vnd.apache.parquet":
            return scoring_server.parse_parquet_input(BytesIO(body)), None, False
        if kind != "application/json":
            raise BadInput(
                f"The content type {kind!r} is not known here.", "Send application/json or text/csv.", status=415
            )
        parsed = scoring_server._parse_json_data(body, self._model.metadata, self._schema)
        return parsed.data, parsed.params, parsed.is_unified_llm_input
