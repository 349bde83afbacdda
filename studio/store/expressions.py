"""SQL that each database says in its own way."""

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"


class AsNumber(FunctionElement[float]):
    """A text as a number to sort by: 0 if it is none, null if it is null."""

    type = Float(53)
    inherit_cache = True
    name = "as_number"


@compiles(AsNumber)
def _generic(element: AsNumber, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS REAL)"


@compiles(AsNumber, "postgresql")
def _postgresql(element: AsNumber, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    number = f"CASE WHEN {text} ~ '{_NUMBER}' THEN CAST({text} AS DOUBLE PRECISION) ELSE 0 END"
    return f"CASE WHEN {text} IS NOT NULL THEN {number} END"
