"""A folder with inference.py and SageMaker's functions: model_fn, input_fn, predict_fn, output_fn, or transform_fn.

Signatures and defaults as in sagemaker-inference-toolkit (`transformer.py`, `default_inference_handler.py`): text
arrives as str, anything else as bytes; a function that takes one argument more is given the context. Only ever run
inside a sandbox: it is the author's code.
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from studio.guest.serving import answers, script_defaults
from studio.guest.serving.inputs import media_type
from studio.guest.serving.mlmodel import MLModel, Signature
from studio.guest.serving.problems import BadInput, CannotLoad, explain

_PLACES = ("code/inference.py", "inference.py")
_FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")
_ARGUMENTS = {"model_fn": 1, "input_fn": 2, "predict_fn": 2, "output_fn": 2, "transform_fn": 4}
_CHARSETS = ("", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1")
_TEXT = (script_defaults.JSON, script_defaults.CSV)


def find(folder: Path) -> Path | None:
    """The script of a folder that is no model of MLflow."""
    if (folder / "MLmodel").exists():
        return None
    return next((folder / name for name in _PLACES if (folder / name).is_file()), None)


class ScriptModel:
    """What inference.py makes of the folder, one request at a time."""

    flavor = "script"
    row_wise = False
    arrays = False
    fast_path = "only scikit-learn's linear models and forests have one"

    def __init__(self, folder: Path, script: Path) -> None:
        """Loads the model, and answers the folder's input example if there is one; `CannotLoad` says what failed."""
        none = Signature("none")
        example = folder / "serving_input_example.json"
        self.described = MLModel(folder, {}, none, none, example if example.is_file() else None)
        self._script = script
        self._context = SimpleNamespace(system_properties={"model_dir": str(folder), "gpu_id": None})
        self._functions = _functions(_imported(script))
        try:
            self._model = self._call("model_fn", str(folder))
        except (Exception, SystemExit) as error:
            raise explain(error, "running model_fn of inference.py") from error
        if self.described.example is not None:
            try:
                self._answer(self.described.example.read_bytes(), script_defaults.JSON, "")
            except Exception as error:
                raise explain(error, "predicting serving_input_example.json") from error

    def invoke(self, body: bytes, content_type: str, accept: str = "") -> tuple[bytes, str]:
        """The body of the answer and its type; `BadInput` says where the script failed."""
        try:
            return self._answer(body, content_type, accept)
        except BadInput:
            raise
        except Exception as error:
            given = getattr(error, "status_code", None)
            status = given if isinstance(given, int) and 400 <= given < 600 else 400
            text = f"inference.py failed{self._where(error)}: {type(error).__name__}: {error}"[:4000]
            raise BadInput(text, "Compare the body and its Content-Type with what it takes.", status=status) from error

    def _answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        kind, charset = media_type(content_type)
        kind = kind or script_defaults.JSON
        data: str | bytes = body
        if kind in _TEXT:
            if charset not in _CHARSETS:
                raise BadInput(f"The charset is {charset}.", "Send UTF-8.", status=415)
            try:
                data = body.decode(charset or "utf-8")
            except UnicodeDecodeError as error:
                raise BadInput(f"The body cannot be read as text: {error}.", "Send UTF-8.") from error
        else:
            kind = content_type
        wanted = script_defaults.preferred(accept)
        if "transform_fn" in self._functions:
            result = self._call("transform_fn", self._model, data, kind, wanted)
        else:
            result = self._call(
                "output_fn", self._call("predict_fn", self._call("input_fn", data, kind), self._model), wanted
            )
        result, wanted = result if isinstance(result, tuple) and len(result) == 2 else (result, wanted)
        if not isinstance(result, str | bytes | bytearray | memoryview):
            # Whatever was asked for: what is no text is written as JSON.
            return answers.document(result), script_defaults.JSON
        return result.encode() if isinstance(result, str) else bytes(result), str(wanted)

    def _call(self, name: str, *given: Any) -> Any:
        function, with_context = self._functions[name]
        return function(*given, self._context) if with_context else function(*given)

    def _where(self, error: Exception) -> str:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self._script)]
        return f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""


def _imported(script: Path) -> ModuleType:
    # Modules beside it are imported by it.
    sys.path.insert(0, str(script.parent))
    spec = importlib.util.spec_from_file_location("inference", script)
    if spec is None or spec.loader is None:
        raise CannotLoad("inference.py is no Python file.", "Look at the version's files.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["inference"] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise explain(error, "importing inference.py") from error
    return module


def _functions(module: ModuleType) -> dict[str, tuple[Callable[..., Any], bool]]:
    """Name → the function, the script's or the default, and whether it takes the context."""
    own = {name: getattr(module, name) for name in _FUNCTIONS if hasattr(module, name)}
    if bad := [name for name, function in own.items() if not callable(function)]:
        raise CannotLoad(f"{bad[0]} in inference.py is no function.", f"Define it: def {bad[0]}(…).")
    if "transform_fn" in own and (others := own.keys() & {"input_fn", "predict_fn", "output_fn"}):
        raise CannotLoad(
            f"inference.py has transform_fn and {', '.join(sorted(others))}.", "Keep transform_fn alone, or the others."
        )
    if "model_fn" not in own:
        raise CannotLoad(
            "inference.py has no model_fn.",
            "Define model_fn(model_dir): it loads and returns the model of that folder.",
        )
    found = {name: (function, _takes_more(name, function)) for name, function in own.items()}
    return {name: (function, False) for name, function in script_defaults.FUNCTIONS.items()} | found


def _takes_more(name: str, function: Callable[..., Any]) -> bool:
    wanted = _ARGUMENTS[name]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False
    kinds = [one.kind for one in signature.parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return False
    places = sum(kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds)
    needed = sum(
        one.default is inspect.Parameter.empty and one.kind is not inspect.Parameter.VAR_KEYWORD
        for one in signature.parameters.values()
    )
    if needed > wanted + 1 or places < wanted:
        raise CannotLoad(
            f"{name}{signature} in inference.py takes {places} arguments.",
            f"It is called with {wanted}: {script_defaults.CALLED[name]}.",
        )
    return places == wanted + 1
