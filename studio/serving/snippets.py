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
    open_inference: str
    boto3: str


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
    boto3 = (
        "import json, os, boto3\n\n"
        '_, key_id, secret = os.environ["STUDIO_TOKEN"].split("_", 2)\n'
        "client = boto3.client(\n"
        f'    "sagemaker-runtime", endpoint_url="{address}", region_name="us-east-1",\n'
        "    aws_access_key_id=key_id, aws_secret_access_key=secret)\n"
        f'answer = client.invoke_endpoint(EndpointName="{endpoint}", ContentType="application/json", Body={body!r})\n'
        'print(json.load(answer["Body"]))'
    )
    return Snippets(curl, python, javascript, _open_inference(address, endpoint, example), boto3)


def _open_inference(address: str, endpoint: str, example: str) -> str:
    """By any client of the protocol, here Triton's; what the model takes, where that is more than one matrix."""
    rows = _matrix(example)
    if rows is None:
        return f'curl {address}/v2/models/{endpoint} -H "Authorization: Bearer $STUDIO_TOKEN"  # inputs it takes'
    return (
        "import os\nimport numpy as np\n"
        "from tritonclient.http import InferenceServerClient, InferInput\n\n"
        f"rows = np.array({rows!r})\n"
        'given = InferInput("rows", list(rows.shape), "FP64")\n'
        "given.set_data_from_numpy(rows)\n"
        f'client = InferenceServerClient("{address.partition("://")[2]}")\n'
        'headers = {"Authorization": "Bearer " + os.environ["STUDIO_TOKEN"]}\n'
        f'print(client.infer("{endpoint}", [given], headers=headers).as_numpy("predict"))'
    )


def _matrix(example: str) -> list[list[float]] | None:
    """The example's rows, if they are few numbers; of any other only the model itself can say how it is asked."""
    try:
        document = json.loads(example)
        split = document.get("dataframe_split")
        rows = split["data"] if split is not None else document["inputs"]
        known = [[float(value) for value in row if not isinstance(value, bool | str)] for row in rows[:3]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    whole = bool(known) and len({len(row) for row in rows}) == 1 and list(map(len, known)) == list(map(len, rows[:3]))
    return known if whole and len(repr(known)) <= MAX_EXAMPLE else None


def _body(example: str) -> str:
    """The example on one line, if it is JSON (it is a user's file) and short; else the form of a request."""
    try:
        line = json.dumps(json.loads(example))
    except (ValueError, RecursionError):
        line = ""
    return line if line and len(line) <= MAX_EXAMPLE else '{"dataframe_split": {"columns": [], "data": [[]]}}'
