"""An endpoint's description as a page for people: what its OpenAPI document says, without a script."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

from studio.wire.pages.html import page


def docs(document: Mapping[str, Any], curl: str) -> HTMLResponse:
    """`document`: of `studio.serving.openapi`; `curl`: the line that calls it."""
    name = str(document["info"]["title"])
    schemas = document["components"]["schemas"]
    parts = [f"<h1>{escape(name)}</h1><p>{escape(document['info']['description'])}</p>"]
    parts.append(f"<h2>Call it</h2><pre>{escape(curl)}</pre>")
    parts.append(_columns(schemas["Row"]))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(method.upper(), path, operation))
    parts.append('<p><a href="openapi.json">openapi.json</a> describes it for programs.</p>')
    return page(name, "".join(parts))


def _columns(row: Mapping[str, Any]) -> str:
    if not row["properties"]:
        return "<h2>Columns</h2><p>The model was logged without a signature: it takes what it was trained on.</p>"
    required = set(row.get("required", ()))
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(str(kind.get('format') or kind.get('type', 'any')))}</td>"
        f"<td>{'' if name in required else 'optional'}</td></tr>"
        for name, kind in row["properties"].items()
    )
    return f"<h2>Columns</h2><table>{cells}</table>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    said = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    asked = "".join(
        f"<tr><td><code>{escape(item['name'])}</code></td><td>{escape(item['description'])}</td></tr>"
        for item in operation.get("parameters", ())
    )
    content = operation.get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example")
    body = f"<pre>{escape(json.dumps(example)[:4000])}</pre>" if example is not None else ""
    return (
        f"<h2><code>{escape(method)} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
        f"{body}<table>{asked}</table><table>{said}</table>"
    )
