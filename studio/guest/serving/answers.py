"""Predictions as JSON, in the form of MLflow's scoring server: {"predictions": …}."""

import base64
import datetime
from typing import Any

import msgspec

from studio.guest.serving.outputs import Named


def encode(predictions: Any) -> bytes:
    """{"predictions": …}: arrays as lists, tables as records. NaN and Infinity become null, since JSON has neither
    (MLflow writes the bare word NaN, which only Python reads)."""
    return _encoder.encode({"predictions": plain(predictions)})


def document(value: Any) -> bytes:
    """Any value as JSON by itself, arrays and tables as in `encode`."""
    return _encoder.encode(plain(value))


def plain(predictions: Any) -> Any:
    """Arrays and tables as lists; everything else as it is (`mlflow.utils.proto_json_utils._get_jsonable_obj`)."""
    import numpy

    if isinstance(predictions, numpy.ndarray):
        return predictions.tolist()
    if isinstance(predictions, Named):
        return predictions.plain()
    kind = type(predictions).__module__.partition(".")[0]
    if kind == "pandas":
        import pandas

        if isinstance(predictions, pandas.Series):
            predictions = pandas.DataFrame(predictions)
        if isinstance(predictions, pandas.DataFrame):
            return predictions.to_dict(orient="records")
    if hasattr(predictions, "toarray"):  # scipy's sparse matrices
        return predictions.toarray().tolist()
    return predictions


def _other(value: Any) -> Any:
    import numpy

    if isinstance(value, numpy.ndarray):
        return value.tolist()
    if isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, bytes | bytearray):
        return base64.encodebytes(value).decode("ascii")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return str(value)


_encoder = msgspec.json.Encoder(enc_hook=_other)
