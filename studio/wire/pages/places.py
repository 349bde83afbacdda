"""Where a page may lead: only to paths of an address that Studio itself names."""

import re
from urllib.parse import quote

# Visible ASCII after one slash; a second slash or a backslash would be read as another host by browsers.
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
MOST = 2000


def safe_path(wanted: str, default: str = "/lab") -> str:
    """`wanted` if it is a path of the same origin, else `default`."""
    return wanted if len(wanted) <= MOST and _PATH.fullmatch(wanted) else default


def with_query(path: str, **values: str) -> str:
    """`path` with a query, its values escaped."""
    return path + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
