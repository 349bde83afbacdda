"""The line of code that does the same as the panel: calling an endpoint from a shell, Python and a browser."""

import json
import shlex
from dataclasses import dataclass

MAX_EXAMPLE = 2000


@dataclass(frozen=True, slots=True)
class Snippets:
    """Ready to paste; they read the access key from STUDIO_TOKEN, so that no secret is ever in them."""

    curl: str
    python: str
    javascript: str


def url(address: str, endpoint: str) -> str:
    """Where programs send their rows."""
    return f"{address}/endpoints/{endpoint}/invocations"


def snippets(address: str, endpoint: str, example: str) -> Snippets:
    """With the model's own input example (JSON text) as body, if it is short enough to be read."""
    body = _body(example)
    where = url(address, endpoint)
    curl = (
        f'curl {where} -H "Authorization: Bearer $STUDIO_TOKEN" \\\n'
        f"  -H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )
    python = (
        "import json, os, urllib.request\n\n"
        f"body = json.loads({body!r})\n"
        "request = urllib.request.Request(\n"
        f'    "{where}", json.dumps(body).encode(),\n'
        '    {"Authorization": "Bearer " + os.environ["STUDIO_TOKEN"], "Content-Type": "application/json"})\n'
        "print(json.load(urllib.request.urlopen(request)))"
    )
    javascript = (
        f'const answer = await fetch("{where}", {{\n'
        '  method: "POST",\n'
        '  headers: {"Authorization": `Bearer ${process.env.STUDIO_TOKEN}`, "Content-Type": "application/json"},\n'
        f"  body: JSON.stringify({body}),\n"
        "});\nconsole.log(await answer.json());"
    )
    return Snippets(curl, python, javascript)


def _body(example: str) -> str:
    """The example on one line, if it is JSON (it is a user's file) and short; else the form of a request."""
    try:
        line = json.dumps(json.loads(example))
    except (ValueError, RecursionError):
        line = ""
    return line if line and len(line) <= MAX_EXAMPLE else '{"dataframe_split": {"columns": [], "data": [[]]}}'
