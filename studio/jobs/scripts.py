"""Pure: whether a script and its parameters can be a job; how they become a command line."""

import re
import warnings
from collections.abc import Mapping

from studio.errors import Invalid, TooLarge

MAX_BYTES = 1024 * 1024
# Compiling holds the interpreter for 0.25 ms per kB; a larger script says in its log what is wrong with it.
CHECKED_BYTES = 128 * 1024
MAX_PARAMS = 100
MAX_VALUE = 4096
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.py")
_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def check_file_name(name: str) -> str:
    """`name` itself, or `Invalid`: it becomes a file."""
    if not _FILE.fullmatch(name):
        raise Invalid(
            f"{name[:120]!r} cannot be a script's name.", "Use letters, digits, '_', '-', '.' and end in .py."
        )
    return name


def check_script(text: str, name: str) -> str:
    """`text` itself; `TooLarge`, or `Invalid` with line, column and a caret where its syntax is wrong."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise TooLarge(f"The script has {size} bytes; a job's has at most {MAX_BYTES}.", "Put data in files instead.")
    if not text.strip():
        raise Invalid("The script is empty.", "Send the text of a Python file.")
    if size > CHECKED_BYTES:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise Invalid(_explain(error, name), "Mend that line; nothing was started.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Invalid(f"{name} cannot be read as Python: {error or 'nested too deeply'}.", "Mend it.") from error
    return text


def _explain(error: SyntaxError, name: str) -> str:
    where = f"{name}, line {error.lineno}"
    if error.offset and error.offset > 0:
        where += f", column {error.offset}"
    message = f"Syntax error in {where}: {error.msg}."
    line = (error.text or "").rstrip("\n")
    if not line or len(line) > 500:
        return message
    caret = " " * max(0, (error.offset or 1) - 1) + "^"
    return f"{message}\n{line}\n{caret}"


def check_params(params: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    """Names and values as text, in their order; `Invalid` names the one that cannot be an argument."""
    if len(params) > MAX_PARAMS:
        raise Invalid(f"A job has at most {MAX_PARAMS} parameters.", "Put the rest in a file.")
    checked: dict[str, str] = {}
    for name, value in params.items():
        if not _PARAM.fullmatch(name):
            raise Invalid(f"{name[:80]!r} cannot be a parameter's name.", "Use letters, digits, '_' and '-'.")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if len(text) > MAX_VALUE or "\0" in text:
            raise Invalid(f"The value of {name!r} cannot be an argument.", f"At most {MAX_VALUE} characters, no NUL.")
        checked[name] = text
    return checked


def argv(params: Mapping[str, str]) -> list[str]:
    """`--name value` for each; `--name=value` if the value begins with '-', which parsers take for an option."""
    found: list[str] = []
    for name, value in params.items():
        found += [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]
    return found
