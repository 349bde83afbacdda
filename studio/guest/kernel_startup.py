"""An IPython extension that every kernel of a lab loads: installing packages is refused with a way out."""

import re
import shlex
import sys
from collections.abc import Callable
from typing import Any, NoReturn

MESSAGE = """Packages are not installed from a notebook: the environment is read-only and the same for the domain.
Add {packages} to the environment instead: Studio > Environments, or on the host `studio env build`; then restart the
kernel."""
# `!pip install x`, `!python -m pip install x`, `!uv pip install x`, `!conda install x`.
_SHELL = re.compile(
    r"^\s*(?:\S*python[\d.]*\s+-m\s+|uv\s+)?(?:pip[\d.]*|conda|mamba|uv)\s+(?:install|add|sync|uninstall|remove)\b"
)
_LOOKING = ("list", "show", "freeze", "check", "index", "--version")
_NO_PACKAGE = ("install", "add", "pip", "pip3", "conda", "mamba", "uv", "-m")


class PackagesAreFixed(RuntimeError):
    """A notebook asked for a package."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows this instead of the frames of this file, which would say nothing to the reader.
        return [f"PackagesAreFixed: {self}"]


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython. Replaces the installing magics, and watches the shell escape for the same commands."""

    def magic(line: str) -> None:
        _magic(shell, line)

    for name in ("pip", "conda", "mamba", "micromamba", "uv"):
        shell.register_magic_function(magic, "line", name)
    run: Callable[[str], Any] = shell.system

    def system(command: str) -> Any:
        if _SHELL.match(command):
            _refuse(command.split())
        return run(command)

    shell.system = system


def _magic(shell: Any, line: str) -> None:
    """`%pip install …` is refused; what only looks (list, show, freeze, …) runs."""
    words = shlex.split(line)
    if words and words[0] in _LOOKING:
        shell.system(shlex.join([sys.executable, "-m", "pip", *words]))
        return
    _refuse(["pip", *words])


def _refuse(words: list[str]) -> NoReturn:
    names = [word for word in words if not word.startswith("-") and word not in _NO_PACKAGE and "python" not in word]
    raise PackagesAreFixed(MESSAGE.format(packages=", ".join(names) or "the package"))
