"""What a build says: uv's own words, and among them JSON lines for Studio."""

import json
from pathlib import Path
from typing import Any

from studio.environments.environments import Version
from studio.errors import NotFound
from studio.runtime import logs
from studio.runtime.logs import Tail

PIECE_BYTES = 65_536


def name(version: Version) -> str:
    """The log of a version's last build, below the home's logs."""
    return f"{version.tool}.log"


def end(root: Path, version: Version) -> str:
    """Its end as it was written; "" before there is any."""
    try:
        return logs.tail(root, name(version), -PIECE_BYTES, PIECE_BYTES).text
    except NotFound:
        return ""


def read(root: Path, version: Version, offset: int) -> Tail:
    """A piece for people, from byte `offset` on, in whole lines; "" before there is any."""
    try:
        piece = logs.tail(root, name(version), offset, PIECE_BYTES)
    except NotFound:
        return Tail("", 0, 0)
    whole = piece.text.rfind("\n") + 1
    # The last line may be half written: it comes with the next piece.
    text, rest = (piece.text[:whole], piece.text[whole:]) if whole else (piece.text, "")
    return Tail(plain(text), piece.next_offset - len(rest.encode()), piece.size - len(rest.encode()), piece.truncated)


def plain(text: str) -> str:
    """Without what is for Studio; where that says more than the line before it, its words."""
    found: list[str] = []
    for line in text.splitlines():
        said = parse(line)
        words = str(said.get("text") or said.get("message") or "") if said else line
        if words and (not found or words.strip() != found[-1].strip()):
            found.append(words)
    return "".join(f"{line}\n" for line in found)


def parse(line: str) -> dict[str, Any]:
    """A line for Studio; {} for any other, and for one that was cut."""
    if not line.startswith('{"studio"'):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
