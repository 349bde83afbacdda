"""Bare ASGI, for Granian."""

import json
import os
from typing import Any

import joblib
import numpy

model = joblib.load(os.environ["MODEL"])


async def app(scope: Any, receive: Any, send: Any) -> None:
    """One request."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    predictions = model.predict(numpy.array(json.loads(body or b'{"inputs": [[0]]}')["inputs"])) if body else []
    answer = json.dumps({"predictions": [float(value) for value in predictions]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
