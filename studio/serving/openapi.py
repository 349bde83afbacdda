"""The OpenAPI 3.1 description of one endpoint, for those who call it: made from its model's signature."""

from collections.abc import Mapping, Sequence
from typing import Any

# MLflow's column types (mlflow.types.schema.DataType) as JSON Schema.
_TYPES: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "string": {"type": "string"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "datetime": {"type": "string", "format": "date-time"},
}


def document(address: str, name: str, model: str, columns: Sequence[Mapping[str, Any]], example: Any) -> dict[str, Any]:
    """`columns`: [{name, type, required}] of the signature, empty if it has none; `example`: a body it has answered."""
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1", "description": f"Predictions of the registered model {model}."},
        "servers": [{"url": address}],
        "security": [{"key": []}],
        "paths": {
            f"/endpoints/{name}/invocations": {"post": _invocation(columns, example)},
            f"/v2/models/{name}": {"get": _plain("The model in the Open Inference Protocol: its inputs and outputs.")},
            f"/v2/models/{name}/infer": {"post": _infer()},
            f"/v2/models/{name}/ready": {"get": _plain("Whether it answers now, or wakes when it is asked.")},
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An access key of the endpoint's domain."}
            },
            "schemas": {"Row": _row(columns), "Input": _input(columns), "Error": _ERROR},
        },
    }


_ERROR = {
    "type": "object",
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["error_code", "message"],
}
_ERRORS = {
    "400": "The rows do not fit the model; the message names the column.",
    "401": "There is no key, or it is not valid.",
    "413": "The body is larger than the endpoint allows.",
    "429": "More requests than the endpoint allows.",
    "503": "No replica is ready.",
    "504": "It did not answer in time.",
}


def _row(columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    properties = {str(column["name"]): _TYPES.get(str(column.get("type")), {}) for column in columns}
    required = [str(column["name"]) for column in columns if column.get("required", True)]
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _input(columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    if columns:
        names["items"] = {"enum": [str(column["name"]) for column in columns]}
    matrix = {"type": "array", "items": {"type": "array"}}
    split = {"type": "object", "properties": {"columns": names, "data": matrix}, "required": ["columns", "data"]}
    forms: dict[str, Any] = {
        "dataframe_split": split,
        "dataframe_records": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
        "instances": {"type": "array"},
        "inputs": {},
    }
    return {"oneOf": [{"type": "object", "properties": {k: v}, "required": [k]} for k, v in forms.items()]}


def _invocation(columns: Sequence[Mapping[str, Any]], example: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Input"}}
    if example is not None:
        body["example"] = example
    answer = {"type": "object", "properties": {"predictions": {}}, "required": ["predictions"]}
    head = {"schema": {"type": "string"}}
    return {
        "summary": "One prediction per row.",
        "operationId": "invoke",
        "parameters": [
            _header("X-Amzn-SageMaker-Target-Variant", "Asks for this variant instead of by weight."),
            _header("X-Amzn-SageMaker-Inference-Id", "Names the request in what is captured of it."),
        ],
        "requestBody": {"required": True, "content": {"application/json": body, "text/csv": {}}},
        "responses": {
            "200": {
                "description": "The predictions, in the order of the rows.",
                "headers": {"x-studio-inference-id": head, "x-amzn-invoked-production-variant": head},
                "content": {"application/json": {"schema": answer}},
            }
        }
        | _errors(),
    }


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _errors() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": text, "content": content} for status, text in _ERRORS.items()}


def _plain(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "As the protocol says."}}}


def _infer() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}, "application/octet-stream": {}}
    return {
        "summary": "A prediction in the Open Inference Protocol; tensors as JSON or by its binary extension.",
        "operationId": "infer",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "The output tensors."}},
    }
