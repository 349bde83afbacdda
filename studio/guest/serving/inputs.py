"""The input forms of MLflow's scoring server, turned into what a model takes.

Same answers as mlflow.pyfunc.scoring_server 3.17 (`_parse_json_data`, `cast_df_types_according_to_schema`,
`_enforce_schema`) for the signatures `columns`, `tensor` and `none`; the tests compare the two. The common case, all
columns numbers, goes straight into one numpy array; whatever does not fit there takes the pandas way, which also makes
the error messages.
"""

import json
from io import StringIO
from typing import Any

import msgspec

from studio.guest.serving.frame_inputs import (
    check_tensor,
    table_from_columns,
    table_from_records,
    table_from_split,
    to_columns,
)
from studio.guest.serving.mlmodel import Signature
from studio.guest.serving.problems import BadInput

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_TYPES = "application/json, text/csv"
_ONE_FORM = f"The input must be a JSON object with exactly one of {FORMS}."
# Whole numbers below it are the same as float64.
EXACT = 2.0**53
_decode = msgspec.json.Decoder().decode


class Parsed(msgspec.Struct):
    """Rows of one request. `key` says what may be joined in one prediction: equal keys have equal columns and types."""

    data: Any
    rows: int
    key: object
    ignored: tuple[str, ...] = ()


class Inputs:
    """Parses request bodies for one signature. `arrays`: the model takes the numbers of all columns without names."""

    def __init__(self, signature: Signature, *, arrays: bool = False) -> None:
        import numpy

        self._numpy = numpy
        self.signature = signature
        self.arrays = arrays
        self._names = signature.names
        self._dtype = numpy.dtype(signature.dtype) if signature.dtype else None
        self._doubles = bool(signature.columns) and all(column.type == "double" for column in signature.columns)
        self._required = all(column.required for column in signature.columns)
        self._matrix = signature.matrix
        # Columns by type, of a table whose numbers are not all of one kind.
        self._of = {
            word: [at for at, column in enumerate(signature.columns) if column.type == word]
            for word in ("integer", "long", "float")
        }

    def parse(self, body: bytes, content_type: str) -> Parsed:
        """The rows in `body`; `BadInput` says which column and what to do."""
        kind, charset = media_type(content_type)
        if charset not in ("", "utf-8", "utf8"):
            raise BadInput(f"The charset is {charset}.", "Send UTF-8.", status=415)
        if kind == "text/csv":
            return self._finish(self._csv(body))
        if kind not in ("", "application/json"):
            raise BadInput(f"The content type {kind!r} is not known here.", f"Send one of: {_TYPES}.", status=415)
        document = decode_object(body)
        present = [form for form in FORMS if form in document]
        if len(present) != 1:
            raise BadInput(f"{_ONE_FORM} Received: {sorted(map(str, document))[:20]}.", "Wrap the rows in one of them.")
        form = present[0]
        value = document[form]
        if form == "dataframe_split":
            return self._fast_split(value) or self._finish(table_from_split(value))
        if form == "dataframe_records":
            return self._fast_records(value) or self._finish(table_from_records(value))
        return self._tensor_or_columns(value, form)

    def _fast_split(self, split: Any) -> Parsed | None:
        """Rows of numbers under exactly the signature's columns, as one array; None sends it the careful way."""
        if not self._fast or not isinstance(split, dict) or split.keys() - {"columns", "data", "index"}:
            return None
        data, columns, index = split.get("data"), split.get("columns"), split.get("index")
        if columns != self._names or not isinstance(data, list) or not data:
            return None
        if index is not None and (not isinstance(index, list) or len(index) != len(data)):
            return None
        return self._numbers(data)

    def _fast_records(self, records: Any) -> Parsed | None:
        """The same for rows that each name exactly the signature's columns."""
        if not self._fast or not isinstance(records, list) or not records:
            return None
        names, width = self._names, len(self._names)
        if not all(isinstance(row, dict) and len(row) == width for row in records):
            return None
        try:
            return self._numbers([[row[name] for name in names] for row in records])
        except KeyError:
            return None

    @property
    def _fast(self) -> bool:
        return self._doubles or (self.arrays and bool(self._matrix))

    def _numbers(self, data: list[Any]) -> Parsed | None:
        try:
            array = self._numpy.array(data, dtype="float64" if self._doubles else None)
        except (TypeError, ValueError, OverflowError):
            return None
        if array.ndim != 2 or array.shape[1] != len(self._names):
            return None
        return self._of_matrix(array)

    def _of_matrix(self, array: Any) -> Parsed | None:
        """An array of all columns, in the types that a table of them would have; None where only a table tells."""
        if not self._doubles:
            if not self.arrays or array.dtype.kind not in "if":
                return None
            cast = self._typed(array)
            if cast is None:
                return None
            array = cast
        return Parsed(array, len(array), "array") if self.arrays else Parsed(self._frame(array), len(array), "frame")

    def _typed(self, array: Any) -> Any:
        whole = self._of["long"] + self._of["integer"]
        if whole:
            # Fractions are cut and large numbers rounded as pandas does it, which the careful way asks.
            part = array[:, whole].astype("float64")
            limit = EXACT if not self._of["integer"] else 2.0**31
            if not ((abs(part) < limit) & (part == self._numpy.trunc(part))).all():
                return None
        if self._of["float"] and self._matrix == "float64":
            with self._numpy.errstate(over="ignore"):
                array = array.astype("float64")
                array[:, self._of["float"]] = array[:, self._of["float"]].astype("float32")
            return array
        with self._numpy.errstate(over="ignore"):
            return array.astype(self._matrix, copy=False)

    def from_matrix(self, array: Any) -> Parsed:
        """Rows of all columns of the signature, in its order."""
        if self._doubles and array.dtype.kind in "fiub":
            array = array.astype("float64", copy=False)
        elif self._doubles or not self._fast:
            return self._finish(self._frame(array))
        return self._of_matrix(array) or self._finish(self._frame(array))

    def matrix(self, table: Any) -> Any:
        """The array of a checked table's columns, or None if only the table is exact."""
        if self._matrix == "float64" and self._of["long"]:
            whole = table.iloc[:, self._of["long"]].to_numpy()
            if (abs(whole.astype("float64")) >= EXACT).any():
                return None
        return table.to_numpy(dtype=self._matrix)

    def from_columns(self, columns: dict[str, Any]) -> Parsed:
        """Column → its values, equally many each."""
        import pandas

        return self._finish(pandas.DataFrame(columns))

    def from_array(self, array: Any) -> Parsed:
        """One array, for a model whose signature is a tensor, or that has none."""
        if self.signature.kind == "tensor":
            try:
                array = array.astype(self.signature.dtype, casting="same_kind", copy=False)
            except TypeError as error:
                text = f"The values are {array.dtype}, the model takes {self.signature.dtype}: {error}."
                raise BadInput(text, "Send them in that type.") from error
            array = check_tensor(array, self.signature)
        return Parsed(array, len(array), ("array", array.shape[1:], array.dtype))

    def _frame(self, array: Any) -> Any:
        import pandas

        return pandas.DataFrame(array, columns=self._names, copy=False)

    def _csv(self, body: bytes) -> Any:
        import pandas

        types = {c.name: object if c.type == "string" else _numpy_type(c.type) for c in self.signature.columns}
        try:
            return pandas.read_csv(StringIO(body.decode("utf-8")), dtype=types or None)
        except Exception as error:
            raise BadInput(
                f"The CSV cannot be read as a table: {error}.",
                "Send what `DataFrame.to_csv(index=False)` writes, in UTF-8.",
            ) from error

    def _finish(self, table: Any) -> Parsed:
        """Casts and checks a DataFrame as the signature says."""
        if self.signature.kind == "tensor":
            return Parsed(array := check_tensor(table, self.signature), len(array), "array")
        if self.signature.kind == "none":
            return Parsed(table, len(table), ("frame", tuple(table.columns), tuple(map(str, table.dtypes))))
        table, ignored = to_columns(table, self.signature)
        if self.arrays and (array := self.matrix(table)) is not None:
            return Parsed(array, len(table), "array", ignored)
        # Optional columns may be absent, and strings may come as several pandas types.
        key = (
            "frame"
            if self._doubles and self._required
            else ("frame", tuple(table.columns), tuple(map(str, table.dtypes)))
        )
        return Parsed(table, len(table), key, ignored)

    def _tensor_or_columns(self, value: Any, form: str) -> Parsed:
        if self.signature.kind == "columns":
            return self._finish(table_from_columns(value, self.signature, form))
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            if self.signature.kind == "tensor":
                raise BadInput(
                    "The model takes one array without a name.",
                    f'Send {{"{form}": [[…numbers of a row…], …]}}.',
                    code="BAD_REQUEST",
                )
            return self._finish(table_from_columns(value, self.signature, form))
        try:
            array = self._numpy.array(value, dtype=self._dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadInput(
                f"{form!r} is not an array of numbers: {error}.", "Give every row the same number of values."
            ) from error
        if self.signature.kind == "tensor":
            array = check_tensor(array, self.signature)
        elif array.ndim == 0:
            raise BadInput(f"{form!r} is a single value.", f'Send rows: {{"{form}": [[…], …]}}.')
        return Parsed(array, len(array), ("array", array.shape[1:], array.dtype))


def _numpy_type(word: str) -> str:
    from studio.guest.serving.mlmodel import NUMPY

    return NUMPY[word]


def media_type(content_type: str) -> tuple[str, str]:
    """("application/json", "utf-8") of `application/json; charset=UTF-8`, in lower case; empty where absent."""
    if content_type == "application/json":
        return content_type, ""
    kind, _, rest = content_type.partition(";")
    charset = ""
    for parameter in rest.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return kind.strip().lower(), charset


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. NaN and Infinity are understood, since Python clients write them."""
    try:
        document = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BadInput(
                f"The body is not JSON: {error}.", 'Send {"dataframe_split": …} or set Content-Type: text/csv.'
            ) from error
    if not isinstance(document, dict):
        raise BadInput(f"{_ONE_FORM} Received a {type(document).__name__}.", "Wrap the rows in one of them.")
    return document
