"""The pandas way of the input forms: tables out of JSON, casts by the signature, errors that name the column."""

from typing import Any

from studio.guest.serving.mlmodel import NUMPY, Column, Signature
from studio.guest.serving.problems import BadInput


def table_from_split(value: Any) -> Any:
    """A DataFrame from {"columns"?, "index"?, "data"}."""
    import pandas

    if not isinstance(value, dict):
        raise BadInput(
            f"dataframe_split is a {type(value).__name__}.", 'Send {"columns": [names], "data": [[row], …]}.'
        )
    extra = value.keys() - {"columns", "data", "index"}
    if "data" not in value or extra:
        raise BadInput(
            f"dataframe_split has the fields {sorted(map(str, value))}.",
            'It needs "data", may have "columns" and "index", nothing else.',
        )
    try:
        return pandas.DataFrame(index=value.get("index"), columns=value.get("columns"), data=value["data"])
    except Exception as error:
        raise BadInput(
            f"dataframe_split is not a table: {error}.", "Give each row as many values as there are columns."
        ) from error


def table_from_records(value: Any) -> Any:
    """A DataFrame from [{column: value}, …]."""
    import pandas

    if not isinstance(value, list):
        raise BadInput(
            f"dataframe_records is a {type(value).__name__}.", 'Send a list of rows: [{"column": value}, …].'
        )
    try:
        return pandas.DataFrame(data=value)
    except Exception as error:
        raise BadInput(f"dataframe_records is not a list of rows: {error}.", 'Send [{"column": value}, …].') from error


def table_from_columns(value: Any, signature: Signature, form: str) -> Any:
    """A DataFrame from `instances` or `inputs` under named columns: {column: [values]}, [{column: value}, …], or the
    bare values of an only column."""
    import pandas

    columns = {column.name: column for column in signature.columns}
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        if form == "instances":
            gathered: dict[str, list[Any]] = {}
            for row in value:
                for name, item in row.items():
                    gathered.setdefault(name, []).append(item)
            _same_length(gathered, columns)
            return pandas.DataFrame({name: _array(name, items, columns.get(name)) for name, items in gathered.items()})
        return pandas.DataFrame(
            [{name: _scalar(name, item, columns.get(name)) for name, item in row.items()} for row in value]
        )
    if isinstance(value, list) and len(columns) == 1:
        value = {next(iter(columns)): value}
    if isinstance(value, dict):
        if not any(isinstance(items, list) for items in value.values()):
            return pandas.DataFrame([{name: _scalar(name, item, columns.get(name)) for name, item in value.items()}])
        if form == "instances":
            _same_length(value, columns)
        try:
            return pandas.DataFrame({name: _array(name, items, columns.get(name)) for name, items in value.items()})
        except ValueError as error:
            raise BadInput(
                f"{form!r} is not a table: {error}.", "Give every column the same number of values."
            ) from error
    raise BadInput(
        f"Model is missing inputs {list(columns)}: {form!r} has values without column names.",
        f'Name the columns: {{"{form}": [{{"{next(iter(columns), "column")}": value, …}}]}}, or send dataframe_split.',
        code="INVALID_PARAMETER_VALUE",
    )


def to_columns(table: Any, signature: Signature) -> tuple[Any, tuple[str, ...]]:
    """`table` with exactly the signature's columns, in its order and types, and the names that were left out."""
    present = set(table.columns)
    missing = [c.name for c in signature.columns if c.required and c.name not in present]
    known = {c.name for c in signature.columns}
    ignored = tuple(str(name) for name in table.columns if name not in known)
    if missing:
        extra = f" Note that there were extra inputs: {list(ignored)[:20]}." if ignored else ""
        raise BadInput(
            f"Model is missing inputs {missing}.{extra}",
            "Send every column of the signature; a value that is not known is null.",
            code="INVALID_PARAMETER_VALUE",
        )
    if not table.columns.is_unique:
        raise BadInput("A column occurs twice in the input.", "Give every column a name of its own.")
    wanted = [c for c in signature.columns if c.name in present]
    if not ignored and len(wanted) == len(table.columns) and list(table.columns) == [c.name for c in wanted]:
        result = table
    else:
        result = table[[c.name for c in wanted]].copy()
    for column in wanted:
        series = result[column.name]
        cast = _cast(series, column)
        if cast is not series:
            result[column.name] = cast
    return result, ignored


def check_tensor(value: Any, signature: Signature) -> Any:
    """The array in `value` (array or DataFrame) in the signature's type, if it has the signature's shape."""
    import numpy

    array = value
    if not isinstance(value, numpy.ndarray):
        if value.empty:
            raise BadInput("The input has no rows.", "Send at least one row.")
        try:
            array = numpy.array(value.to_numpy().tolist(), dtype=signature.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadInput(f"The values are not of type {signature.dtype}: {error}.", "Send numbers only.") from error
    fits = len(array.shape) == len(signature.shape) and all(
        want in (-1, have) for want, have in zip(signature.shape, array.shape, strict=True)
    )
    if not fits:
        raise BadInput(
            f"Shape of input {array.shape} does not match expected shape {signature.shape}.",
            "-1 stands for any number; the other dimensions must be the same.",
            code="INVALID_PARAMETER_VALUE",
        )
    return array


def _same_length(columns: dict[str, Any], wanted: dict[str, Column]) -> None:
    lengths = {len(v) for name, v in columns.items() if isinstance(v, list) and (not wanted or name in wanted)}
    if len(lengths) > 1:
        raise BadInput(
            "The length of values for each input/column name are not the same.",
            "Give every row a value for each column (null if unknown).",
        )


def _array(name: str, items: Any, column: Column | None) -> Any:
    import numpy

    try:
        if column is None:
            return numpy.array(items)
        return numpy.array(items, dtype="str" if column.type == "string" else NUMPY[column.type])
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(name, column, error) from error


def _scalar(name: str, item: Any, column: Column | None) -> Any:
    return (
        _array(name, [item], column)[0]
        if column is not None and not isinstance(item, list)
        else _array(name, item, column)
    )


def _cast(series: Any, column: Column) -> Any:
    """As `cast_df_types_according_to_schema`: `astype`, which also reads numbers in text and cuts fractions."""
    import pandas

    try:
        if column.type == "string":
            return (
                series
                if isinstance(series.dtype, pandas.StringDtype) or series.dtype == object
                else series.astype(object)
            )
        return series if series.dtype == NUMPY[column.type] else series.astype(NUMPY[column.type])
    except Exception as error:
        raise _wrong(column.name, column, error) from error


def _wrong(name: str, column: Column | None, error: Exception) -> BadInput:
    kind = column.type if column else "number"
    fix = {
        "boolean": "Send true or false.",
        "integer": "Send whole numbers; a missing value needs a column of type double.",
        "long": "Send whole numbers; a missing value needs a column of type double.",
        "string": "Send text.",
    }.get(kind, "Send numbers, or null for a missing value.")
    return BadInput(
        f"Data is not compatible with model signature. Failed to convert column {name} to type {kind!r}: {error}.", fix
    )
