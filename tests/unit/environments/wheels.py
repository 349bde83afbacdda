"""Small real wheels in a folder, from which uv resolves and installs with no network."""

import base64
import hashlib
import zipfile
from pathlib import Path

from studio.environments.definitions import BASE


def write(folder: Path, name: str, version: str, *needs: str, **files: str) -> None:
    """A wheel of the module `name`; `files`: other files at its top, by name (`__` for a dot)."""
    meta = f"{name}-{version}.dist-info"
    contents = {f"{name}/__init__.py": f'VERSION = "{version}"\n'}
    contents |= {path.replace("__", "."): text for path, text in files.items()}
    about = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    contents[f"{meta}/METADATA"] = "\n".join([*about, *(f"Requires-Dist: {need}" for need in needs), ""])
    contents[f"{meta}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    lines = [f"{path},sha256={_hash(text)},{len(text)}" for path, text in contents.items()]
    contents[f"{meta}/RECORD"] = "\n".join([*lines, f"{meta}/RECORD,,", ""])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in contents.items():
            wheel.writestr(path, text)


def house(folder: Path) -> Path:
    """A folder that has what every environment needs."""
    for name in BASE:
        write(folder, name, "1.0")
    return folder


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
