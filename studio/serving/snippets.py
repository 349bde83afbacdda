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
    body = example if example and len(example) <= MAX_EXAMPLE else '{"dataframe_split": {"columns": [], "data": [[]]}}'
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
        f"  body: JSON.stringify({json.dumps(json.loads(body))}),\n"
        "});\nconsole.log(await answer.json());"
    )
    return Snippets(curl, python, javascript)
