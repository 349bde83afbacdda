"""Errors of the serving wire, in the form MLflow's scoring server gives them, with what to do next."""

import traceback

import msgspec


class BadInput(Exception):
    """The caller's input cannot be used. `code` is MLflow's word: BAD_REQUEST or INVALID_PARAMETER_VALUE."""

    def __init__(self, message: str, hint: str = "", *, code: str = "BAD_REQUEST", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.status = status

    def body(self) -> bytes:
        """JSON of MLflow's error: {"error_code", "message"}; the hint is the message's last sentence."""
        return msgspec.json.encode({"error_code": self.code, "message": f"{self.message} {self.hint}".strip()})


class CannotLoad(Exception):
    """The model does not load or does not predict; `hint` names the likely cause."""

    def __init__(self, message: str, hint: str, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


def explain(error: BaseException, doing: str) -> CannotLoad:
    """`error`, met while `doing` ("loading the model"), with its traceback and a likely cause in words."""
    details = "".join(traceback.format_exception(error))[-16_000:]
    return CannotLoad(f"{type(error).__name__} while {doing}: {error}"[:2000], _cause(error), details)


def _cause(error: BaseException) -> str:
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ModuleNotFoundError) and chain.name:
            package = chain.name.partition(".")[0]
            return (
                f"The environment lacks the package that provides {package!r}. Add it to the environment's packages,"
                " build it, and deploy again."
            )
        if isinstance(chain, ImportError):
            return "A package has another version than the model was made with: compare the model's requirements.txt."
        if isinstance(chain, MemoryError):
            return "The instance type is too small for this model: deploy with a larger one."
        if isinstance(chain, FileNotFoundError):
            return "A file that the model needs is missing from its folder: log it again, with that file."
        if isinstance(chain, AttributeError) and "__main__" in str(chain):
            return "The model uses a name from the notebook itself: put it in a module, log it with `code_paths`."
        if "Untrusted types" in str(chain):
            return "skops does not trust a type of the model: log it with `skops_trusted_types=[…]`."
        chain = chain.__cause__ or chain.__context__
    return "Read the traceback: it ends in the model's own code or library."
