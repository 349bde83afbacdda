"""`python -m studio.environments.build`: lock, virtual environment, wheels, `.complete`; run by the supervisor.

Says what it does as JSON lines among uv's own words: {"studio": "progress" | "ready" | "failed", …}.
"""

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uv

from studio.environments import bytecode, store
from studio.environments.definitions import Definition, parse
from studio.errors import Invalid, OutOfSpace, StudioError

# name==version with hashes only: a lock that would fetch from elsewhere is not installed.
_LOCKED = re.compile(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9._,-]+\])?==[A-Za-z0-9.+!_-]+( ; [^@]+)?( \\)?")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
LEAST_FREE_BYTES = 1_000_000_000
_NETWORK = ("dns", "connect", "timed out", "network", "offline", "unreachable")


def main(argv: list[str] | None = None) -> int:
    """0 when the environment is complete in the store; 1 after saying why not."""
    parser = argparse.ArgumentParser(prog="python -m studio.environments.build")
    parser.add_argument("--definition", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    options = parser.parse_args(argv)
    try:
        definition = parse(options.definition.read_text(), options.definition.name)
        name = build(definition, options.store)
        say("ready", hash=name, text=f"Complete: {name[:12]}")
    except StudioError as error:
        say("failed", message=str(error))
        return 1
    except PermissionError as error:
        which = f"This account may not use the folder of environments ({error.strerror}: {error.filename})."
        say("failed", message=f"{which} Open it for this account, or name another in STUDIO_ENVIRONMENTS.")
        return 1
    except OSError as error:
        say("failed", message=f"The environment could not be written: {error}. Free some disk space, then try again.")
        return 1
    return 0


def build(definition: Definition, root: Path) -> str:
    """The hash of the complete environment; builds what of it is missing."""
    store.check_python(definition.python)
    (root / "locks").mkdir(parents=True, exist_ok=True)
    (root / "store").mkdir(exist_ok=True)
    with alone(root, definition.fingerprint[:32]):
        locked = lock(definition, root)
    name = store.content_hash(locked)
    folder = store.folder(root, name)
    # Two definitions may have the same lock.
    with alone(root, name):
        if not (folder / store.COMPLETE).is_file():
            install(locked, root, folder)
    return name


@contextlib.contextmanager
def alone(root: Path, what: str) -> Iterator[None]:
    """Two installations may share a store: one builds, the other waits and finds it complete."""
    with (root / "locks" / f"{what}.building").open("w") as building:
        fcntl.flock(building, fcntl.LOCK_EX)
        yield


def lock(definition: Definition, root: Path) -> str:
    """The lock's text, resolved now if this definition never was."""
    path = store.lock_path(root, definition)
    if path.is_file():
        return path.read_text()
    say("progress", done=0, total=0, text="Choosing versions")
    argv = ["pip", "compile", "-", "--generate-hashes", "--no-header", "--no-annotate", "--only-binary", ":all:"]
    text = run([*argv, "--quiet", "--python", store.interpreter()], "\n".join(definition.requirements) + "\n")
    check_lock(text)
    write(path, text)
    return text


def check_lock(text: str) -> None:
    """`Invalid` if any line is more than a pinned package or its hash."""
    for line in text.splitlines():
        if line.strip() and not _LOCKED.fullmatch(line) and not _HASH.fullmatch(line):
            raise Invalid(f"The lock has a line that is not a pinned package: {line!r}.", "Mend the definition.")


def install(locked: str, root: Path, folder: Path) -> None:
    """Makes the virtual environment anew; the marker is written last, so that a half-made one is never used."""
    check_space(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
    packages = sum(bool(line) and not line.startswith(" ") for line in locked.splitlines())
    say("progress", done=5, total=100, text=f"Making the environment of {packages} packages")
    run(["venv", "--quiet", "--no-project", "--python", store.interpreter(), str(folder)])
    requirements = folder / "requirements.txt"
    write(requirements, locked)
    argv = ["pip", "install", "--python", str(folder / "bin" / "python"), "--only-binary", ":all:"]
    run([*argv, "--require-hashes", "-r", str(requirements)], watch=packages)
    bytecode.make(root, folder, _compiling)
    # No name: every domain sees the store, and what it is called is its own domain's business.
    write(folder / store.COMPLETE, json.dumps({"packages": packages, "bytes": disk_bytes(folder)}) + "\n")
    os.sync()


def _compiling(done: int, total: int) -> None:
    text = f"Compiling, so that kernels start fast: {done} of {total} files"
    say("progress", done=45 + 54 * done // total, total=100, text=text)


def check_space(root: Path) -> None:
    """`OutOfSpace` if the disk holds less than what an environment usually takes."""
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE_BYTES:
        raise OutOfSpace(
            f"The disk of the environments has {free / 1e9:.1f} GB left; a build needs 1 GB to begin.",
            "Free some space (`studio env gc` removes environments that nothing uses), then build again.",
        )


def disk_bytes(folder: Path) -> int:
    """What the files below `folder` take on the disk, a file with several names once."""
    seen: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        if not path.is_dir():
            found = path.lstat()
            seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def run(words: list[str], given: str = "", watch: int = 0) -> str:
    """uv's standard output; `StudioError` with its last words if it fails. Its messages go to the log as they come;
    `watch`: how many packages it is to fetch, told on as progress."""
    argv = [uv.find_uv_bin(), *words, "--no-python-downloads", "--color", "never"]
    # Output goes to a file: a pipe that nobody reads meanwhile would stop it half-way.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as asked:
        asked.write(given)
        asked.seek(0)
        with subprocess.Popen(argv, stdin=asked, stdout=output, stderr=subprocess.PIPE, text=True) as child:
            said = _follow(child, watch)
        if child.returncode:
            raise _failed(words[0] if words[0] == "venv" else words[1], said)
        output.seek(0)
        return output.read()


def _follow(child: subprocess.Popen[str], watch: int) -> list[str]:
    """What uv says until its end."""
    assert child.stderr
    said: list[str] = []
    fetched = 0
    for raw in child.stderr:
        line = raw.rstrip()
        print(line, flush=True)
        said.append(line)
        if not watch or not line or line.startswith((" + ", "Using ")):
            continue
        fetched += line.strip().startswith(("Downloaded", "Downloading"))
        done = 45 if line.startswith("Installed") else 5 + 35 * min(fetched, watch) // watch
        say("progress", done=done, total=100, text=line.strip())
    return said


def _failed(what: str, said: list[str]) -> StudioError:
    lines = [line.strip(" ×│╰─▶├") for line in said if line.strip()]
    text = re.sub(r"\s+cause:\s+", ". ", " ".join(lines).removeprefix("error: ")).strip(" .")[-1500:]
    doing = {"compile": "Versions could not be chosen", "venv": "The environment could not be made"}
    message = f"{doing.get(what, 'The packages could not be installed')}: {text or 'uv said nothing'}."
    if any(word in text.lower() for word in _NETWORK):
        return StudioError(message, "The network is needed for this once: connect, then build again.")
    return StudioError(message, "Mend the package list, then build again.")


def write(path: Path, text: str) -> None:
    """Complete or not at all: a temporary name, fsync, rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def say(kind: str, **fields: object) -> None:
    """One line for the server."""
    print(json.dumps({"studio": kind, **fields}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
