"""A job: a script with arguments, run to its end."""

import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

_INTERRUPTED = 130


def main(args: dict[str, Any]) -> int:
    """Runs `args["script"]` with `args["argv"]` as `__main__`; returns the exit code. An unhandled exception is 1, with
    its traceback in the log; an interrupt is 130, as a shell has it."""
    script = args["script"]
    sys.argv = [script, *map(str, args.get("argv", []))]
    sys.path.insert(0, str(Path(script).absolute().parent))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        return _code(ended)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    except BaseException as error:
        _show(error)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _code(ended: SystemExit) -> int:
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    print(ended.code, file=sys.stderr)
    return 1


def _show(error: BaseException) -> None:
    """The traceback from the script's own first line on: the frames before it are Studio's and runpy's."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _is_ours(file: str) -> bool:
    return file == __file__ or file.endswith("runpy.py") or file.startswith("<frozen")
