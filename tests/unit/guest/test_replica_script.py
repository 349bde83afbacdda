"""inference.py: SageMaker's functions, their defaults, and what is said when they fail."""

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.guest.serving.models import load
from studio.guest.serving.open_inference import About, OpenInference, describe
from studio.guest.serving.problems import BadInput, CannotLoad
from studio.guest.serving.script import ScriptModel
from tests.unit.guest.test_replica_host import answers

DOUBLED = """
class Doubler:
    def predict(self, rows):
        return rows * 2

def model_fn(model_dir):
    return Doubler()
"""
OWN = """
import json, os
import scale

def model_fn(model_dir, context):
    assert context.system_properties["model_dir"] == model_dir
    with open(os.path.join(model_dir, "weights.json")) as file:
        return json.load(file)

def input_fn(body, content_type):
    if content_type != "text/words":
        raise ValueError(f"no words: {content_type}")
    return body.split()

def predict_fn(data, model):
    return [model[word.decode()] * scale.FACTOR for word in data]

def output_fn(prediction, accept):
    return "|".join(map(str, prediction)), "text/bars"
"""
WHOLE = """
def model_fn(model_dir):
    return 3

def transform_fn(model, body, content_type, accept):
    return {"sum": model + sum(map(int, body.split(","))), "as": [content_type, accept]}
"""


@pytest.fixture(autouse=True)
def imports() -> Iterator[None]:
    """A replica has one script; here each test takes its own away again."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in {"inference", "scale"} & (sys.modules.keys() - modules):
        del sys.modules[name]


def written(folder: Path, script: str, place: str = "code/inference.py", **files: str) -> Path:
    for name, text in {place: script, **{name.replace("__", "/"): text for name, text in files.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def script(folder: Path, text: str, **files: str) -> ScriptModel:
    model = load(written(folder, text, **files))
    assert isinstance(model, ScriptModel)
    return model


def refusal(model: ScriptModel, body: bytes, kind: str, accept: str = "") -> tuple[int, str]:
    with pytest.raises(BadInput) as caught:
        model.invoke(body, kind, accept)
    return caught.value.status, caught.value.message + " " + caught.value.hint


@pytest.mark.parametrize("kind", ["", "application/json", "application/json; charset=utf-8", "text/csv"])
def test_defaults_read_and_write_numbers(tmp_path: Path, kind: str) -> None:
    model = script(tmp_path, DOUBLED)
    body = b"1,2\n3,4.5\n" if kind == "text/csv" else b"[[1, 2], [3, 4.5]]"
    assert model.invoke(body, kind) == (b"[[2.0,4.0],[6.0,9.0]]", "application/json")
    assert model.invoke(body, kind, "application/json;q=0.5, text/csv") == (b"2.0,4.0\n6.0,9.0\n", "text/csv")
    answer, said = model.invoke(body, kind, "application/x-npy")
    assert np.load(BytesIO(answer)).tolist() == [[2, 4], [6, 9]] and said == "application/x-npy"


def test_numpy_s_own_form_is_read_without_pickles(tmp_path: Path) -> None:
    model = script(tmp_path, DOUBLED)
    out = BytesIO()
    np.save(out, np.array([1, 2]))
    assert model.invoke(out.getvalue(), "application/x-npy")[0] == b"[2,4]"
    bad = BytesIO()
    np.save(bad, np.array([{}], dtype=object), allow_pickle=True)
    assert refusal(model, bad.getvalue(), "application/x-npy")[0] == 400


def test_its_own_functions_and_the_modules_beside_it(tmp_path: Path) -> None:
    files = {"weights.json": '{"rain": 2, "sun": 5}', "code__scale.py": "FACTOR = 10"}
    model = script(tmp_path, OWN, **files)
    assert model.invoke(b"rain sun rain", "text/words", "text/bars") == (b"20|50|20", "text/bars")
    status, text = refusal(model, b"{}", "application/json")
    assert status == 400 and "inference.py failed in input_fn, line 12: ValueError: no words: application/json" in text
    assert "KeyError: 'snow'" in refusal(model, b"snow", "text/words")[1]


def test_transform_fn_does_it_all(tmp_path: Path) -> None:
    model = script(tmp_path, WHOLE)
    for accept, told in (("application/json;q=0.9, text/csv", "text/csv"), ("image/*;q=0, */*", "application/json")):
        answer, kind = model.invoke(b"1,2", "text/csv", accept)
        # A dictionary is JSON, whatever was asked for.
        assert json.loads(answer) == {"sum": 6, "as": ["text/csv", told]} and kind == "application/json"


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status", "words"),
    [
        (b"{", "application/json", "", 400, "not application/json"),
        (b"{}", "application/json", "", 400, "no list but a dict"),
        (b"[[1], [1, 2]]", "application/json", "", 400, "rows of numbers"),
        (b"1,2\n3\n", "text/csv", "", 400, "not text/csv"),
        (b"\xff", "text/csv", "", 400, "Send UTF-8"),
        (b"[" * 100_000, "application/json", "", 400, "not application/json"),
        (b"[1]", "application/json; charset=idna", "", 415, "Send UTF-8"),
        (b"x", "image/png", "", 415, "define input_fn"),
        (b"[1]", "application/json", "image/png", 406, "define output_fn"),
        (b'["a"]', "application/json", "", 400, "failed in predict, line 4"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_read_or_told_is_said(
    tmp_path: Path, body: bytes, kind: str, accept: str, status: int, words: str
) -> None:
    found, text = refusal(script(tmp_path, DOUBLED), body, kind, accept)
    assert (found, words in text) == (status, True), text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_package", "'no_such_package'"),
        ("def model_fn(model_dir):\n    open(model_dir + '/weights')", "FileNotFoundError while running model_fn"),
        ("def predict_fn(data, model): ...", "Define model_fn"),
        ("model_fn = 3", "model_fn in inference.py is no function"),
        ("def model_fn(): ...", "It is called with 1: model_fn(model_dir)"),
        ("def model_fn(a, b, c): ...", "takes 3 arguments"),
        (WHOLE + "def input_fn(body, content_type): ...", "has transform_fn and input_fn"),
        ("raise SystemExit(3)", "SystemExit while importing inference.py: 3"),
        ("def model_fn(model_dir): exit(4)", "SystemExit while running model_fn of inference.py: 4"),
        ("def model_fn(model_dir) return 1", "SyntaxError while importing inference.py"),
    ],
    ids=lambda value: value[:25],
)
def test_a_script_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CannotLoad) as caught:
        load(written(tmp_path, text))
    said = caught.value
    assert words in f"{said.message} {said.hint}", (said.message, said.hint)


def test_the_traceback_is_the_author_s(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad) as caught:
        load(written(tmp_path, "def model_fn(model_dir):\n    return [][3]  # mine"))
    assert "return [][3]  # mine" in caught.value.details and "IndexError" in caught.value.details


def test_an_example_beside_it_is_tried(tmp_path: Path) -> None:
    files = {"serving_input_example.json": "[[1, 2]]"}
    assert script(tmp_path / "good", DOUBLED, **files).described.example is not None
    broken = DOUBLED + "def output_fn(prediction, accept): return prediction.no_such"
    with pytest.raises(CannotLoad, match="predicting serving_input_example"):
        load(written(tmp_path / "bad", broken, **files))


def test_at_the_top_of_the_folder_too_and_never_beside_an_mlmodel(tmp_path: Path) -> None:
    assert isinstance(load(written(tmp_path / "top", DOUBLED, "inference.py")), ScriptModel)
    with pytest.raises(CannotLoad, match="python_function"):
        load(written(tmp_path / "model", DOUBLED, MLmodel="flavors: {}"))


async def test_it_answers_one_by_one_behind_the_batcher(tmp_path: Path) -> None:
    got = await answers(script(tmp_path, DOUBLED), b"[1]", b"{", b"[[2, 3]]")
    assert [(status, said if status == 200 else None) for status, said in got] == [
        (200, [2]),
        (400, None),
        (200, [[4, 6]]),
    ]


def test_what_a_function_returns_is_sent_as_it_is(tmp_path: Path) -> None:
    cases = {"b'raw'": b"raw", "'text'": b"text", "{'a': [1]}": b'{"a":[1]}', "None": b"null"}
    for number, (returned, expected) in enumerate(cases.items()):
        text = f"{DOUBLED}\ndef output_fn(prediction, accept): return {returned}"
        # A folder each: Python takes a file of the same size and second for the one that it has compiled.
        model: Any = script(tmp_path / str(number), text)
        assert model.invoke(b"[1]", "")[0] == expected


def test_it_has_no_tensors_to_offer(tmp_path: Path) -> None:
    model, about = script(tmp_path, DOUBLED), About("mine", "1")
    with pytest.raises(BadInput, match="not the tensors"):
        OpenInference(about).foreign(model, b'{"inputs": []}')
    said = json.loads(describe(about, "script", model.described.signature, model.described.outputs))
    assert (said["platform"], said["inputs"], said["outputs"]) == ("script", [], [])
