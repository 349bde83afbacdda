"""`Accept: text/csv`: which answer a caller gets, and its lines."""

import math
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

from studio.guest.serving import csv_answers
from studio.guest.serving.forms import Mlflow
from studio.guest.serving.inputs import Parsed
from studio.guest.serving.outputs import Named
from studio.guest.serving.problems import BadInput

JSON, CSV = "application/json", "text/csv"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV; header=absent", CSV),
        ("*/*", JSON),
        ("text/*", CSV),
        ("text/html, text/csv;q=0.5", CSV),
        ("application/json;q=0.1, text/csv;q=0.9", CSV),
        ("text/csv;q=0, application/json", JSON),
        ("application/json, text/csv", JSON),
    ],
)
def test_the_type_that_is_preferred(accept: str, kind: str) -> None:
    assert csv_answers.wanted(accept) == kind


@pytest.mark.parametrize("accept", ["text/html", "text/csv;q=0", "application/json;q=x", ",", "image/png, x"])
def test_another_type_is_406_with_what_is_possible(accept: str) -> None:
    with pytest.raises(BadInput) as caught:
        csv_answers.wanted(accept)
    assert caught.value.status == 406 and "Accept application/json or text/csv" in caught.value.hint


@pytest.mark.parametrize(
    ("predictions", "lines"),
    [
        (np.array([0.1, math.nan, math.inf]), "0.1\nnan\ninf\n"),
        (np.array([[1, 2], [3, 4]]), "1,2\n3,4\n"),
        (np.arange(4).reshape(1, 2, 2), "0,1,2,3\n"),
        (np.array(["rain", 'a "word", two\nlines']), 'rain\n"a ""word"", two\nlines"\n'),
        (pd.DataFrame({"p": [0.5, None], "kind": ["a", None]}), "0.5,a\nnan,nan\n"),
        (pd.Series([True, False]), "True\nFalse\n"),
        (Named({"p": np.array([0.5, 1.5]), "c": np.array([[1, 2], [3, 4]])}, records=True), "0.5,1,2\n1.5,3,4\n"),
        ({"p": np.array([0.5]), "c": [np.float32(2)]}, "0.5,2.0\n"),
        ([], ""),
        (np.float64(0.5), "0.5\n"),
        ("rain", "rain\n"),
    ],
)
def test_lines(predictions: Any, lines: str) -> None:
    assert csv_answers.encode(predictions).decode() == lines


def test_every_row_is_a_row_to_who_reads_it() -> None:
    given = np.array([[math.nan], [1 / 3], [-math.inf]])
    read = pd.read_csv(StringIO(csv_answers.encode(given).decode()), header=None)
    assert read[0].to_numpy().tobytes() == given[:, 0].tobytes()


@pytest.mark.parametrize("predictions", [None, {1}, {"a": [1], "b": [1, 2]}, {"a": 3}])
def test_what_has_no_rows_is_406(predictions: Any) -> None:
    with pytest.raises(BadInput) as caught:
        csv_answers.encode(predictions)
    assert caught.value.status == 406


def test_the_answer_says_its_type_beside_the_columns_that_were_left_out() -> None:
    form = Mlflow(JSON, "text/csv")
    form.accept = csv_answers.wanted(form.accept)
    parsed = Parsed(None, 1, "array", ("fog",))
    body, about = form.answer(np.array([1.5]), parsed)
    assert (body, about) == (b"1.5\n", {"headers": {"x-studio-ignored-columns": "fog"}, "type": CSV})
    assert Mlflow(JSON).answer(np.array([1.5]), Parsed(None, 1, "array")) == (b'{"predictions":[1.5]}', None)
