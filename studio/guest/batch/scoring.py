"""Predictions as columns beside the rows they are of, by the same loaders as a replica's."""

import json
from typing import Any

from studio.errors import Invalid
from studio.guest.serving import answers
from studio.guest.serving.models import Model
from studio.guest.serving.problems import BadInput

PREDICTION = "prediction"


def text_columns(model: Model) -> dict[str, Any]:
    """The model's columns of text, which a reader must not take for numbers."""
    return {column.name: str for column in model.described.signature.columns if column.type == "string"}


def score(model: Model, frame: Any, first_row: int) -> Any:
    """`frame` with the predictions for its rows in columns of their own; `Invalid` says what is wrong, and from which
    row of the file on."""
    try:
        named = columns(_predict(model, frame))
    except BadInput as error:
        where = f"In rows {first_row} to {first_row + len(frame) - 1}: "
        raise Invalid(where + error.message, error.hint) from error
    lengths = {len(values) for values in named.values()}
    if lengths != {len(frame)}:
        raise Invalid(
            f"The model gave {max(lengths, default=0)} predictions for {len(frame)} rows.",
            "Only a model that answers each row can score a file.",
        )
    if taken := [name for name in named if name in frame.columns]:
        raise Invalid(f"The input has a column {taken[0]!r} already.", "Rename it: predictions are written there.")
    return frame.assign(**named)


def _predict(model: Model, frame: Any) -> Any:
    inputs = getattr(model, "inputs", None)
    if inputs is not None:
        return model.predict(inputs.from_columns(dict(frame.items())).data)  # type: ignore[union-attr]
    if hasattr(model, "predict"):
        return model.predict(frame)
    body = b'{"dataframe_split":%b}' % frame.to_json(orient="split", index=False).encode()
    found = json.loads(model.invoke(body, "application/json")[0])
    return found["predictions"] if isinstance(found, dict) and "predictions" in found else found


def columns(result: Any) -> dict[str, Any]:
    """Name → values: one column `prediction`; `prediction_0` … for rows of several numbers; else the model's names."""
    arrays = getattr(result, "arrays", None)
    if isinstance(arrays, dict):
        return {name: list(array) for name, array in arrays.items()}
    if getattr(result, "ndim", 0) == 1 and not hasattr(result, "columns"):
        return {PREDICTION: getattr(result, "to_numpy", lambda: result)()}
    if getattr(result, "ndim", 0) == 2 and not hasattr(result, "columns"):
        return {f"{PREDICTION}_{number}": result[:, number] for number in range(result.shape[1])}
    found = answers.plain(result)
    if isinstance(found, dict):
        return {str(name): values if isinstance(values, list) else [values] for name, values in found.items()}
    if not isinstance(found, list):
        raise Invalid(f"The model's prediction is a {type(found).__name__}.", "It must have one for each row.")
    if found and all(isinstance(row, dict) for row in found):
        names = {str(name): None for row in found for name in row}
        return {name: [row.get(name) for row in found] for name in names}
    return {PREDICTION: found}
