"""Endpoints: a name that answers with a model's predictions."""

from typing import Any

from studio.guest.sdk.answers import Answer
from studio.guest.sdk.call import CallFailed, call, in_domain, segment, table


class Endpoint(Answer):
    """One endpoint; attributes are those of the REST answer (state, url, version, …), as they were when read."""

    noun = "An endpoint"

    def __repr__(self) -> str:
        return f"<{self.name}: {self.state}, version {self.version}, {self.url}>"

    def refresh(self) -> "Endpoint":
        """Reads it again."""
        self.found = call("GET", self._path())
        return self

    def predict(self, rows: Any) -> list[Any]:
        """One prediction per row; `rows` is a DataFrame, or a list of dictionaries."""
        answer = call("POST", self._path("invoke"), body_of(rows))
        found = answer.get("answer", answer)
        predictions: list[Any] = found["predictions"] if isinstance(found, dict) else found
        return predictions

    def promote(self, version: int | str, strategy: dict[str, Any] | None = None) -> "Endpoint":
        """Puts the traffic on another version of the model, without a failed request; see `sdk.promote`."""
        return promote(self.name, version, strategy)

    def add(self, version: int | str, weight: float, **more: Any) -> "Endpoint":
        """Another version beside those that serve: `weight` is relative to theirs, with shadow=True the per cent of
        requests that are copied to it. More: name, environment, instance_type, min_replicas, max_replicas."""
        self.found = call("POST", self._path("variants"), {"version": int(version), "weight": weight, **more})
        return self

    def weights(self, **shares: float) -> "Endpoint":
        """Divides the traffic, such as weights(v1=90, v2=10)."""
        self.found = call("PUT", self._path("weights"), {"weights": shares})
        return self

    def remove(self, variant: str) -> "Endpoint":
        """Ends a variant once it has finished what it has begun."""
        call("DELETE", self._path("variants", variant))
        return self.refresh()

    def set(self, **settings: Any) -> "Endpoint":
        """Changes settings while it serves, such as set(rate_limit=50, capture_percent=10)."""
        self.found = call("PATCH", self._path(), settings)
        return self

    def _path(self, *parts: str) -> str:
        return in_domain("/".join(["endpoints", segment(self.name), *map(segment, parts)]))

    def undo(self) -> "Endpoint":
        """Back to the version before."""
        return undo(self.name)

    def delete(self) -> None:
        """Ends it; its name is free again, its model stays."""
        call("DELETE", self._path())


def endpoints() -> Any:
    """All endpoints of the domain, one row each."""
    return table(call("GET", in_domain("endpoints")))


def endpoint(name: str) -> Endpoint:
    """The endpoint `name`."""
    return Endpoint(call("GET", in_domain(f"endpoints/{segment(name)}")))


def deploy(
    model: str,
    *,
    name: str | None = None,
    mode: str = "always",
    instance_type: str | None = None,
    capture: bool = True,
    wait: bool = True,
    timeout_s: float = 60.0,
) -> Endpoint:
    """Serves `model` ("models:/rain-tomorrow@champion", "models:/rain-tomorrow/3"). `mode`: always, or serverless (to
    zero when idle). With `wait`, returns when it has answered a real prediction on the model's input example.
    If `name` serves this model already, the version is promoted on it: a notebook run twice does the same as once."""
    uri = model if model.startswith("models:/") else f"models:/{model}"
    name = name or _model(uri)
    body = {"name": name, "model": uri, "mode": mode, "capture": capture}
    if instance_type is not None:
        body["instance_type"] = instance_type
    try:
        made = call("POST", in_domain("endpoints"), body)
    except CallFailed as error:
        if error.code != "ALREADY_EXISTS":
            raise
        found, version = endpoint(name), _version(uri)
        if _model(found.model) != _model(uri):
            raise
        if str(found.version) != version:
            return promote(name, version, wait=wait, timeout_s=timeout_s)
        made = found.found
    return _in_service(name, timeout_s) if wait else Endpoint(made)


def _model(uri: str) -> str:
    """The registered model's name in `models:/name@alias`, `models:/name/3` or `name`."""
    return uri.removeprefix("models:/").partition("@")[0].partition("/")[0]


def _version(uri: str) -> str:
    """The version that `uri` means now."""
    rest = uri.removeprefix("models:/")
    if "@" not in rest:
        return rest.partition("/")[2]
    name, _, alias = rest.partition("@")
    aliases = call("GET", in_domain(f"models/{segment(name)}"))["aliases"]
    return str(aliases.get(alias, ""))


def promote(
    name: str,
    version: int | str,
    strategy: dict[str, Any] | None = None,
    *,
    wait: bool = True,
    timeout_s: float = 60.0,
) -> Endpoint:
    """Puts the traffic of endpoint `name` on `version`; `undo` takes it back. `strategy`, such as {"kind": "canary",
    "percent": 10, "step_s": 60, "bake_s": 300, "max_error_percent": 1}: not at once; then it does not wait for the
    end."""
    body = {"version": int(version)} | ({"strategy": strategy} if strategy else {})
    made = call("POST", in_domain(f"endpoints/{segment(name)}/promote"), body)
    return _in_service(name, timeout_s) if wait and not strategy else Endpoint(made)


def undo(name: str, *, wait: bool = True, timeout_s: float = 60.0) -> Endpoint:
    """Takes the last change of endpoint `name` back."""
    made = call("POST", in_domain(f"endpoints/{segment(name)}/undo"))
    return _in_service(name, timeout_s) if wait else Endpoint(made)


def _in_service(name: str, timeout_s: float) -> Endpoint:
    path = in_domain(f"endpoints/{segment(name)}")
    found = call("GET", path, wait="InService", timeout_s=timeout_s)
    if found["state"] == "Failed":
        raise CallFailed(f"{name} failed: {found['reason']}", "Its events in the Endpoints panel say more.", "FAILED")
    if found["state"] not in ("InService", "Idle"):
        raise CallFailed(
            f"{name} is still {found['state']} after {timeout_s:.0f} s.", "It goes on; look again later.", "TIMEOUT"
        )
    return Endpoint(found)


def body_of(rows: Any) -> dict[str, Any]:
    """The body of a request for predictions: of a DataFrame, a list of dictionaries, or one as it is."""
    if hasattr(rows, "to_json"):
        # pandas' own writer: NaN becomes null, timestamps ISO, numpy's numbers numbers.
        import json

        return {"dataframe_split": json.loads(rows.to_json(orient="split", date_format="iso", index=False))}
    if isinstance(rows, dict):
        return rows
    return {"dataframe_records": list(rows)}
