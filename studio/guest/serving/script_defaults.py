"""What stands in where inference.py has no function of its own, as in SageMaker's toolkit (decoder.py, encoder.py)."""

import json
import warnings
from io import BytesIO, StringIO
from typing import Any

from studio.guest.serving import answers, csv_answers
from studio.guest.serving.problems import BadInput

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
CALLED = {
    "model_fn": "model_fn(model_dir)",
    "input_fn": "input_fn(body, content_type)",
    "predict_fn": "predict_fn(data, model)",
    "output_fn": "output_fn(prediction, accept)",
    "transform_fn": "transform_fn(model, body, content_type, accept)",
}


def preferred(accept: str) -> str:
    """The type of `accept` that is liked best; JSON where any will do."""
    best = next(iter(csv_answers.ranked(accept)), "*/*")
    return JSON if best in ("*/*", "application/*") else best


def input_fn(body: str | bytes, content_type: str) -> Any:
    """The array in JSON, CSV without a header, or NPY."""
    import numpy

    try:
        if content_type == JSON:
            return _rectangular(json.loads(body))
        if content_type == CSV:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # numpy's word for lines without a value
                return numpy.genfromtxt(StringIO(str(body)), delimiter=",")
        if content_type == NPY and isinstance(body, bytes):
            return numpy.load(BytesIO(body), allow_pickle=False)
    except (ValueError, TypeError, EOFError, RecursionError, UserWarning) as error:
        raise BadInput(f"The body is not {content_type}: {error}."[:1000], "Send rows of numbers.") from error
    raise BadInput(
        f"The content type {content_type[:200]!r} is not known here.",
        f"Send {JSON}, {CSV} or {NPY}, or define input_fn(body, content_type).",
        status=415,
    )


def _rectangular(value: Any) -> Any:
    import numpy

    if not isinstance(value, list):
        raise TypeError(f"it is no list but a {type(value).__name__}")
    return numpy.array(value)


def predict_fn(data: Any, model: Any) -> Any:
    """`model.predict(data)`; a model without it is called."""
    if hasattr(model, "predict"):
        return model.predict(data)
    if callable(model):
        return model(data)
    raise TypeError(f"a {type(model).__name__} cannot predict: define predict_fn(data, model)")


def output_fn(prediction: Any, accept: str) -> bytes:
    """The prediction in the type that was asked for; `BadInput` 406 if that is none of these."""
    if accept == JSON:
        return answers.document(prediction)
    if accept == CSV:
        return csv_answers.encode(prediction)
    if accept == NPY:
        import numpy

        out = BytesIO()
        numpy.save(out, numpy.asarray(prediction), allow_pickle=False)
        return out.getvalue()
    raise BadInput(
        f"The answer cannot be sent as {accept[:200]!r}.",
        f"Accept {JSON}, {CSV} or {NPY}, or define output_fn(prediction, accept).",
        status=406,
    )


FUNCTIONS = {"input_fn": input_fn, "predict_fn": predict_fn, "output_fn": output_fn}
