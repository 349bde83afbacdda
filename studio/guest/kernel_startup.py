"""An IPython extension that every kernel of a lab loads: installing packages is refused with a way out."""

import os
import re
import shlex
import sys
from collections.abc import Callable
from typing import Any, NoReturn

# What the browser makes a button of: it opens Environments with the packages filled in, and nothing without a click.
MIME = "application/vnd.studio.add-packages+json"
MESSAGE = """Packages are not installed from a notebook: the environment {environment} is read-only, and every kernel,
job and endpoint that uses it has the same. Add {packages} to the environment instead (the button above, the panel
Environments, or `{line}`), then start a kernel in it. Nothing was installed."""
REMOVING = "Packages are not removed from a notebook: change the environment {environment} in the panel Environments."
# `pip install x`, `python -m pip install x`, `uv pip install x`, `conda install x`; each part of a compound command.
_INSTALL = re.compile(
    r"^\s*(?:sudo\s+)?(?:\w+=\S*\s+)*(?:\S*python[\d.]*\s+-m\s+|(?:\S*/)?uv\s+)?"
    r"(?:\S*/)?(?:pip[\d.]*|conda|mamba|micromamba|uv)\s+(?:-\S+\s+)*"
    r"(?P<verb>install|add|sync|uninstall|remove|update|upgrade)\b(?P<rest>.*)"
)
_PARTS = re.compile(r"&&|\|\||[;|&\n]")
_LOOKING = ("list", "show", "freeze", "check", "index", "inspect", "--version")
# Options that take the word after them.
_TAKES_WORD = frozenset(
    "-r -c -e -i -f -t -n -p --requirement --constraint --editable --name --index-url --extra-index-url --find-links"
    " --target --prefix --channel --python".split()
)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?([<>=!~]=?[A-Za-z0-9.*+!,<>=~-]+)?")
_MOST = 50
# Modules whose package has another name.
_PACKAGES = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


class PackagesAreFixed(RuntimeError):
    """A notebook asked for a package."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows this instead of the frames of this file, which would say nothing to the reader.
        return [f"PackagesAreFixed: {self}"]


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython. Replaces the installing magics, and watches the shell escapes for the same commands."""
    for name in ("pip", "conda", "mamba", "micromamba", "uv"):
        shell.register_magic_function(_magic(shell, name), "line", name)
    shell.var_expand = _watched(shell.var_expand)
    shell.set_custom_exc((ModuleNotFoundError,), _missing)


def _magic(shell: Any, program: str) -> Callable[[str], None]:
    def magic(line: str) -> None:
        """`%pip install …` is refused; what only looks (list, show, freeze, …) runs."""
        words = shlex.split(line)
        if words and words[0] in _LOOKING and program == "pip":
            shell.system(shlex.join([sys.executable, "-m", "pip", *words]))
            return
        found = _INSTALL.match(f"{program} {line}")
        _refuse(found["verb"] if found else "", found["rest"] if found else "")

    return magic


def _watched(expand: Callable[..., str]) -> Callable[..., str]:
    """Every way to a shell fills in its variables first: `!`, `!!`, `x = !`, `%sx`. What comes out of that is looked
    at, since `!{sys.executable} -m pip install x` is a common way to write it."""

    def watched(command: str, depth: int = 0, *args: Any, **options: Any) -> str:
        expanded = expand(command, depth + 1, *args, **options)
        for part in _PARTS.split(str(expanded)):
            if found := _INSTALL.match(part):
                _refuse(found["verb"], found["rest"])
        return expanded

    return watched


def _missing(shell: Any, kind: type[BaseException], error: ModuleNotFoundError, trace: Any, tb_offset: Any) -> None:
    """The traceback as ever, and below it the way to the package that is missing."""
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    module = (error.name or "").partition(".")[0]
    # A part that a package lacks is a matter of its version; a module of one's own is one's own.
    if module and module not in sys.modules and error.name == module:
        _offer([_PACKAGES.get(module, module)])


def packages(rest: str) -> list[str]:
    """The packages named after `install`, in their order; files, addresses and options are left out."""
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    before = ["", *words]
    named = [word for word, last in zip(words, before, strict=False) if last not in _TAKES_WORD]
    return [word for word in dict.fromkeys(named) if _REQUIREMENT.fullmatch(word)][:_MOST]


def _refuse(verb: str, rest: str) -> NoReturn:
    environment, wanted = os.environ.get("STUDIO_ENVIRONMENT") or "of this kernel", packages(rest)
    if verb in ("uninstall", "remove"):
        raise PackagesAreFixed(REMOVING.format(environment=environment))
    line = _offer(wanted)
    raise PackagesAreFixed(
        MESSAGE.format(environment=environment, packages=", ".join(wanted) or "the package", line=line)
    )


def _offer(wanted: list[str]) -> str:
    """Shows the button, and the line of code that does the same; that line."""
    from IPython.display import publish_display_data

    line = f"sdk.add_packages({', '.join(map(repr, wanted)) or repr('the-package')})"
    environment = os.environ.get("STUDIO_ENVIRONMENT", "")
    card = {"environment": environment, "packages": wanted, "line": f"from studio.guest import sdk\n{line}"}
    shown = {MIME: card, "text/plain": f"Add to the environment: {line}"}
    publish_display_data(shown)  # type: ignore[no-untyped-call]
    return line
