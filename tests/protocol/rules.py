"""The rules of MLflow's server, enumerated from itself, and which scenario calls each of them."""

import functools
import os
import re
import warnings
from urllib.parse import unquote, urlsplit


def signed() -> dict[str, str]:
    """The headers of a request that the client would have signed."""
    return {"authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}


@functools.cache
def every() -> dict[str, re.Pattern[str]]:
    """ "METHOD /path/<of>/a/rule" → what its paths look like; /ajax-api is the same once more."""
    with warnings.catch_warnings(action="ignore"):  # its own, at import
        from mlflow.server import handlers
    found = {}
    for path, _, methods in handlers.get_endpoints():
        if not path.startswith("/ajax-api"):
            for method in methods:
                found[f"{method} {path}"] = re.compile("".join(map(_shape, re.split(r"(<[^>]+>)", path))))
    return found


def _shape(part: str) -> str:
    if part.startswith("<"):
        return ".+" if part.startswith("<path:") else "[^/]+"
    return re.escape(part)


def match(method: str, url: str) -> str:
    """The rule that a request went to; without one the request itself."""
    path = unquote(urlsplit(url).path).replace("/ajax-api/", "/api/")
    fits = [rule for rule, shape in every().items() if rule.startswith(f"{method} ") and shape.fullmatch(path)]
    # The most literal one counts: traces/search is no trace's id.
    return max(fits, key=lambda rule: (-rule.count("<"), len(rule)), default=f"{method} {path}")
