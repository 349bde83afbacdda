"""What a client and a server say to each other, masked so that the answers of two servers can be compared."""

import contextlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.protocol import rules

# Lists whose order says nothing.
_SETS = {
    "tags",
    "params",
    "metrics",
    "aliases",
    "model_inputs",
    "model_outputs",
    "dataset_inputs",
    "dataset_summaries",
    "files",
}
_ORDERED = ("/metrics/get-history",)  # here the order of metrics is the point
_LEFT_OUT = {"workspace", "root_uri"}
_ID = re.compile(r"\b(?:[a-z]{1,2}-)?[0-9a-f]{32}\b")
_EXPERIMENT = re.compile(r"(mlflow-artifacts:/|with id=|experiment |ID )(\d+)")
_RANDOM_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")
_TIME_KEY = re.compile(r"time|timestamp|_ms$")
# What differs from call to call; the ids of spans are bytes in base64.
_MASKED = {
    *("next_page_token", "execution_duration", "span_id", "parent_span_id"),
    *("mlflow.trace.sizeBytes", "mlflow.trace.sizeStats"),
}
_ISO = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?")
Heard = tuple[requests.PreparedRequest, requests.Response | None]
# What the client asks of a server once, whatever it is to do.
_NOISE = {"GET /version", "GET /api/3.0/mlflow/server-info"}


@dataclass
class Answer:
    """A rule of MLflow, and what came back; `body` is the error code if it was refused."""

    rule: str
    status: int
    body: Any
    message: str = ""


@dataclass
class Conversation:
    """One scenario with one server. Both servers hear the same `tag`, so that names need no masking."""

    url: str
    tag: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    _known: dict[str, str] = field(default_factory=dict)  # id → what it is called in answers
    _step: str = ""

    def __post_init__(self) -> None:
        self.client = MlflowClient(self.url, self.url)

    def name(self, of: str) -> str:
        """A name that no other test uses."""
        return f"{of}-{self.tag}"

    def __call__(self, label: str, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Calls a function of the client; a refusal is returned, so that a scenario goes on."""
        with self._noting(label, _NOISE):
            try:
                return call(*args, **named)
            except MlflowException as refused:
                return refused

    def raw(self, label: str, method: str, path: str, **more: Any) -> Any:
        """A request that the client never sends; the JSON of its answer, or its text."""
        with self._noting(label), requests.Session() as session:
            answer = session.request(method, self.url + path, headers=more.pop("headers", rules.signed()), **more)
        is_json = "json" in answer.headers.get("content-type", "")
        return answer.json() if is_json and answer.content else answer.text

    def post(self, label: str, path: str, api: int = 2, /, **body: Any) -> Any:
        """A POST to /api/<api>.0/mlflow/<path>."""
        return self.raw(label, "POST", f"/api/{api}.0/mlflow/{path}", json=body)

    def get(self, label: str, path: str, api: int = 2, /, **query: Any) -> Any:
        """A GET of /api/<api>.0/mlflow/<path>."""
        return self.raw(label, "GET", f"/api/{api}.0/mlflow/{path}", params=query)

    @contextlib.contextmanager
    def _noting(self, label: str, leave_out: Collection[str] = ()) -> Iterator[None]:
        assert label not in self.answers, f"two steps are called {label!r}"
        self._step = label
        with _listening() as heard:
            yield
        noted = [(rules.match(request.method or "", request.url or ""), answer) for request, answer in heard]
        self.heard |= {rule for rule, _ in noted}
        self.answers[label] = [self._answer(rule, answer) for rule, answer in noted if rule not in leave_out]

    def _answer(self, rule: str, answer: requests.Response | None) -> Answer:
        if answer is None:
            return Answer(rule, 500, None, "a server error")
        is_json = "json" in answer.headers.get("content-type", "")
        body = answer.json() if is_json and answer.content else answer.text
        if answer.status_code < 400:
            return Answer(rule, answer.status_code, self._masked(body, rule=rule))
        if not isinstance(body, dict):
            return Answer(rule, answer.status_code, None, str(self._text(body)))
        code, message = body.get("error_code"), str(body.get("message", body.get("detail", "")))
        return Answer(rule, answer.status_code, code, self._text(message))

    def _masked(self, data: Any, key: str = "", rule: str = "") -> Any:
        if isinstance(data, dict):
            rows = {name: self._masked(value, name, rule) for name, value in data.items() if name not in _LEFT_OUT}
            return dict(sorted(rows.items()))
        if isinstance(data, list):
            items = [self._masked(value, key, rule) for value in data]
            is_set = key in _SETS and not any(part in rule for part in _ORDERED)
            return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if is_set else items
        if isinstance(data, bool) or data is None:
            return data
        if isinstance(data, int | float) and _TIME_KEY.search(key) and data > 10**11:
            return "<time>"
        return self._text(data, key) if isinstance(data, str) else data

    def _text(self, text: str, key: str = "") -> str:
        if key in ("experiment_id", "experiment_ids"):
            return self._name("experiment", text)
        if key in _MASKED:
            return f"<{key}>"
        if text.isdigit() and len(text) >= 12 and _TIME_KEY.search(key):
            return "<time>"
        if _ISO.fullmatch(text):
            return "<time>"
        if _RANDOM_NAME.fullmatch(text):
            return "<random name>"
        if key == "trace_id" and text.endswith("=="):
            return "<trace_id>"
        text = re.split(r" Error: \(|\(sqlite3\.", text)[0].replace(self.url, "<server>")
        text = _ID.sub(lambda match: self._name("id", match[0]), text)
        return _EXPERIMENT.sub(lambda match: match[1] + self._name("experiment", match[2]), text)

    def _name(self, kind: str, value: str) -> str:
        """An id is called after the step that showed it first, with both servers."""
        if value not in self._known:
            seen = sum(name.startswith(f"<{kind} of {self._step!r}") for name in self._known.values())
            self._known[value] = f"<{kind} of {self._step!r}{f' {seen}' if seen else ''}>"
        return self._known[value]


def differences(ours: Conversation, theirs: Conversation) -> dict[str, tuple[list[Answer], list[Answer]]]:
    """Step → what each of the two was answered, for the steps in which that differs."""
    assert ours.answers.keys() == theirs.answers.keys()
    found = {}
    for label, given in ours.answers.items():
        wanted = theirs.answers[label]
        pairs = list(zip(given, wanted, strict=False))
        if len(given) != len(wanted) or not all(_is_same(*pair) for pair in pairs):
            found[label] = (given, wanted)
    return found


def _is_same(ours: Answer, theirs: Answer) -> bool:
    if (ours.rule, ours.status, ours.body) != (theirs.rule, theirs.status, theirs.body):
        return False
    return theirs.status < 400 or has_sense(ours.message, theirs.message)


def has_sense(ours: str, theirs: str) -> bool:
    """Whether a message says what MLflow's says: at least a third of its words, of four letters or more."""
    wanted = set(re.findall(r"[a-z_]{4,}", theirs.lower()))
    return len(wanted & set(re.findall(r"[a-z_]{4,}", ours.lower()))) * 3 >= len(wanted)


@contextlib.contextmanager
def _listening() -> Iterator[list[Heard]]:
    """All that goes through `requests`, which is what the client uses."""
    heard: list[Heard] = []
    send = requests.Session.send

    def noted(self: requests.Session, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        try:
            answer = send(self, request, **named)
        except requests.RequestException:
            heard.append((request, None))  # a 5xx, after which the client would try for minutes
            raise
        assert answer.content is not None  # read now: the client may take it piece by piece
        heard.append((request, answer))
        return answer

    requests.Session.send = noted  # type: ignore[method-assign]
    try:
        yield heard
    finally:
        requests.Session.send = send  # type: ignore[method-assign]


def explain(found: Mapping[str, tuple[list[Answer], list[Answer]]]) -> str:
    """The differences, to read: step, rule, and where in the answers they are."""
    lines = []
    for label, (ours, theirs) in found.items():
        lines.append(f"--- {label}")
        if [item.rule for item in ours] != [item.rule for item in theirs]:
            lines += [f"  asked of Studio: {[i.rule for i in ours]}", f"  asked of MLflow: {[i.rule for i in theirs]}"]
        for given, wanted in zip(ours, theirs, strict=False):
            if not _is_same(given, wanted):
                lines += [f"  {given.rule}", *(f"    {line[:400]}" for line in _leaves(given, wanted)[:6])]
    return "\n".join(lines)


def _leaves(ours: Answer, theirs: Answer) -> list[str]:
    if ours.status != theirs.status or theirs.status >= 400:
        return [f"Studio: {_short(ours)}", f"MLflow: {_short(theirs)}"]
    given, wanted = dict(_flat(ours.body)), dict(_flat(theirs.body))
    return [
        f"{key}: Studio {given.get(key, '-')!r}, MLflow {wanted.get(key, '-')!r}"
        for key in sorted(given.keys() | wanted.keys())
        if given.get(key) != wanted.get(key)
    ]


def _short(answer: Answer) -> str:
    return f"{answer.status} {answer.body if answer.status >= 400 else ''} {answer.message[:250]!r}"


def _flat(data: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flat(value, f"{place}.{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _flat(value, f"{place}[{number}]")
    else:
        yield place, str(data)[:80]
