"""Webhooks with MLflow's own client on a running product, with a real receiver; attacks 46 and 47 among them."""

import base64
import hashlib
import hmac
import json
import os
import queue
import signal
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import mlflow
import pytest
from mlflow.entities.webhook import WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException

from tests import leaks
from tests.live import Live, until
from tests.protocol.conftest import QUIET

API = "/api/2.0/mlflow/webhooks"
SECRET = "a secret that only the two of them know"
EVENTS = [
    *("registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.deleted"),
    *("model_version_alias.created", "model_version_alias.deleted"),
]


class Receiver(ThreadingHTTPServer):
    """Answers with `status` (the first of several, then the next); keeps headers and bodies of what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.got: queue.Queue[tuple[str, dict[str, str], str]] = queue.Queue()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def next(self) -> tuple[dict[str, str], Any]:
        """(headers, body) of the next message; its signature is checked."""
        _, headers, body = self.got.get(timeout=60)
        signed = f"{headers['x-mlflow-delivery-id']}.{headers['x-mlflow-timestamp']}.{body}"
        expected = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
        assert headers["x-mlflow-signature"] == "v1," + base64.b64encode(expected).decode()
        assert headers["content-type"] == "application/json"
        return headers, json.loads(body)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.got.put((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://169.254.169.254/latest/meta-data/")
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"taken")

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture(scope="module")
def live(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    allowed = f"127.0.0.1:{receiver.server_port}"
    found = Live(tmp_path_factory.mktemp("home"), STUDIO_WEBHOOK_HOSTS=allowed)
    try:
        found.studio("up", "--detach", "--no-browser", "--port", "0")
        with found.operator() as api:
            for user, role in (("ann", "admin"), ("eddy", "editor")):
                api.post("users", {"name": user})
                api.post("domains/demo/members", {"user": user, "role": role})
        yield found
    finally:
        pids = leaks.table(found.settings)
        found.stop()
        leaks.check(found.settings, pids)


@pytest.fixture(scope="module")
def http(live: Live) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {live.key('demo', 'ann')}"}
    with httpx.Client(base_url=live.address, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def client(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[mlflow.MlflowClient]:
    """An admin's; leaves no webhook behind."""
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", http.headers["authorization"].removeprefix("Bearer "))
    address = str(http.base_url).rstrip("/")
    found = mlflow.MlflowClient(address, address)
    yield found
    for webhook in found.list_webhooks():
        found.delete_webhook(webhook.webhook_id)


def events(*names: str) -> list[WebhookEvent]:
    return [WebhookEvent.from_str(name) for name in names]  # type: ignore[arg-type]


def test_a_webhook_is_made_shown_changed_and_deleted(
    client: mlflow.MlflowClient, receiver: Receiver, live: Live
) -> None:
    made = client.create_webhook(
        "all-models", receiver.url, events(*EVENTS), description="tells the chat", secret=SECRET
    )
    found = client.get_webhook(made.webhook_id)
    assert (found.name, found.url, found.description) == ("all-models", receiver.url, "tells the chat")
    assert [str(event) for event in found.events] == EVENTS
    assert (found.status, found.secret) == (WebhookStatus.ACTIVE, None)
    assert found.creation_timestamp == found.last_updated_timestamp > 0
    changed = client.update_webhook(made.webhook_id, name="some", events=events(EVENTS[1]), status="DISABLED")
    assert (changed.name, changed.status, len(changed.events)) == ("some", WebhookStatus.DISABLED, 1)
    assert changed.url == receiver.url and changed.last_updated_timestamp >= found.last_updated_timestamp
    others = [client.create_webhook(f"h{n}", receiver.url, events(EVENTS[0])) for n in range(4)]
    page = client.list_webhooks(max_results=3)
    rest = client.list_webhooks(max_results=3, page_token=page.token)
    assert {item.webhook_id for item in [*page, *rest]} == {made.webhook_id, *(item.webhook_id for item in others)}
    assert (len(page), len(rest), bool(rest.token)) == (3, 2, False)
    client.delete_webhook(made.webhook_id)
    with pytest.raises(MlflowException, match="RESOURCE_DOES_NOT_EXIST"):
        client.get_webhook(made.webhook_id)
    # The secret lies nowhere as it is.
    for path in live.settings.paths.home.glob("studio.db*"):
        assert SECRET.encode() not in path.read_bytes()


def test_what_happens_in_the_registry_is_told_in_order_and_signed(
    client: mlflow.MlflowClient, receiver: Receiver
) -> None:
    client.create_webhook("teller", receiver.url, events(*EVENTS), secret=SECRET)
    client.create_webhook("deaf", receiver.url, events(*EVENTS), secret=SECRET, status="DISABLED")
    client.create_registered_model("told", tags={"a": "b"}, description="of it")
    run = client.create_run("0")
    client.log_text(run.info.run_id, "x", "m/MLmodel")
    client.create_model_version("told", f"runs:/{run.info.run_id}/m", run.info.run_id, tags={"k": "v"})
    client.set_model_version_tag("told", "1", "stage", "good")
    client.delete_model_version_tag("told", "1", "stage")
    client.set_registered_model_alias("told", "champion", "1")
    client.delete_registered_model_alias("told", "champion")
    client.create_registered_model("told-too")
    seen = [receiver.next() for _ in range(7)]
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("registered_model.created", {"name": "told", "tags": {"a": "b"}, "description": "of it"}),
        (
            "model_version.created",
            {
                "name": "told", "version": "1", "source": f"runs:/{run.info.run_id}/m", "run_id": run.info.run_id,
                "tags": {"k": "v"}, "description": None,
            },
        ),
        ("model_version_tag.set", {"name": "told", "version": "1", "key": "stage", "value": "good"}),
        ("model_version_tag.deleted", {"name": "told", "version": "1", "key": "stage"}),
        ("model_version_alias.created", {"name": "told", "alias": "champion", "version": "1"}),
        ("model_version_alias.deleted", {"name": "told", "alias": "champion"}),
        ("registered_model.created", {"name": "told-too", "tags": {}, "description": None}),
    ]  # fmt: skip
    assert [(f"{body['entity']}.{body['action']}", body["data"]) for _, body in seen] == wanted
    assert all(body["timestamp"].endswith("+00:00") for _, body in seen)
    assert len({headers["x-mlflow-delivery-id"] for headers, _ in seen}) == 7
    assert receiver.got.empty()


def test_what_failed_comes_again_and_what_was_refused_does_not(
    client: mlflow.MlflowClient, receiver: Receiver, live: Live
) -> None:
    client.create_webhook("again", receiver.url, events("registered_model.created"), secret=SECRET)
    receiver.statuses = [503, 429]
    client.create_registered_model("retried")
    tries = [receiver.next() for _ in range(3)]
    assert len({headers["x-mlflow-delivery-id"] for headers, _ in tries}) == 1
    assert [body for _, body in tries] == [tries[0][1]] * 3
    receiver.statuses = [400, 302]
    for name in ("refused", "redirected", "taken"):
        client.create_registered_model(name)
    assert [receiver.next()[1]["data"]["name"] for _ in range(3)] == ["refused", "redirected", "taken"]
    until(lambda: waiting(live) == 0, "nothing waiting")
    assert receiver.got.empty()


def waiting(live: Live) -> int:
    with sqlite3.connect(live.settings.paths.database) as db:
        found = db.execute("SELECT count(*) FROM webhook_deliveries").fetchone()[0]
    db.close()
    return int(found)


def test_what_was_queued_is_sent_after_the_server_was_killed(
    client: mlflow.MlflowClient, http: httpx.Client, receiver: Receiver, live: Live
) -> None:
    client.create_webhook("later", receiver.url, events("registered_model.created"), secret=SECRET)
    receiver.statuses = [503]
    client.create_registered_model("outlives")
    first, _ = receiver.next()
    os.kill(live.status["server"]["pid"], signal.SIGKILL)
    again, body = receiver.next()
    assert body["data"]["name"] == "outlives"
    assert again["x-mlflow-delivery-id"] == first["x-mlflow-delivery-id"]
    until(lambda: waiting(live) == 0, "nothing waiting")
    until(lambda: http.get("/health").status_code == 200, "the server's answer")


def test_a_write_that_fails_tells_nobody(client: mlflow.MlflowClient, receiver: Receiver) -> None:
    client.create_webhook("careful", receiver.url, events(*EVENTS), secret=SECRET)
    client.create_registered_model("once")
    for call in (
        lambda: client.create_registered_model("once"),
        lambda: client.set_registered_model_alias("once", "a", "9"),
        lambda: client.create_model_version("once", "file:///etc"),
    ):
        with pytest.raises(MlflowException):
            call()
    client.create_registered_model("twice")
    assert [receiver.next()[1]["data"]["name"] for _ in range(2)] == ["once", "twice"]
    assert receiver.got.empty()


def test_a_test_sends_an_example_and_shows_the_answer(client: mlflow.MlflowClient, receiver: Receiver) -> None:
    made = client.create_webhook("tried", receiver.url, events(*EVENTS[2:]), secret=SECRET, status="DISABLED")
    result = client.test_webhook(made.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "taken")
    _, body = receiver.next()
    from mlflow.webhooks.types import get_example_payload_for_event

    assert body["data"] == get_example_payload_for_event(WebhookEvent.from_str("model_version_tag.set"))
    for name in EVENTS:
        assert client.test_webhook(made.webhook_id, name).success  # type: ignore[arg-type]
        assert receiver.next()[1]["data"] == get_example_payload_for_event(events(name)[0])
    receiver.statuses = [302]
    result = client.test_webhook(made.webhook_id)
    assert (result.success, result.response_status) == (False, 302)  # shown, and not followed
    receiver.next()


def test_no_address_inside_is_asked(client: mlflow.MlflowClient, http: httpx.Client) -> None:
    port = http.base_url.port
    good = client.create_webhook("good", "http://93.184.215.14/hook", events(EVENTS[0]))
    for url in (
        f"http://127.0.0.1:{port}/api/v1/session",
        f"http://localhost:{port}/",
        f"http://[::1]:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "https://user:pass@93.184.215.14/",
        "file:///etc/passwd",
        "ftp://93.184.215.14/",
        "http://2130706433/",
        "http://demo.localhost:1/",
        "x",
    ):
        body = {"name": "evil", "url": url, "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}
        made = http.post(API, json=body)
        assert (made.status_code, made.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), url
        changed = http.patch(f"{API}/{good.webhook_id}", json={"url": url})
        assert changed.status_code == 400, url
    assert client.get_webhook(good.webhook_id).url == "http://93.184.215.14/hook"
    assert [item.name for item in client.list_webhooks()] == ["good"]


def test_odd_webhooks_are_refused(http: httpx.Client, receiver: Receiver) -> None:
    right = {"name": "n", "url": receiver.url, "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}
    for wrong in (
        {"name": ""},
        {"name": "-a"},
        {"name": "a" * 64},
        {"name": "a b"},
        {"name": "<b>"},
        {"events": []},
        {"events": [{"entity": "REGISTERED_MODEL", "action": "DELETED"}]},
        {"events": [{"entity": "PROMPT", "action": "CREATED"}]},
        {"events": [{}]},
        {"events": "x"},
        {"status": "SLEEPING"},
        {"url": ""},
        {"url": 5},
        {"description": "x" * 5001},
    ):
        answer = http.post(API, json={**right, **wrong})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), wrong
    for name in ("name", "url", "events"):
        answer = http.post(API, json={key: value for key, value in right.items() if key != name})
        assert answer.status_code == 400 and name in answer.json()["message"]
    assert http.get(API).json() == {}
    for method in ("GET", "PATCH", "DELETE"):
        assert http.request(method, f"{API}/none", json={}).status_code == 404
    assert http.post(f"{API}/none/test", json={}).status_code == 404


def test_only_admins_have_to_do_with_webhooks(
    client: mlflow.MlflowClient, http: httpx.Client, receiver: Receiver, live: Live
) -> None:
    """An editor, and so any code in a sandbox, could else send what is in the domain anywhere."""
    made = client.create_webhook("private", receiver.url + "?token=credential", events(EVENTS[0]), secret=SECRET)
    headers = {"authorization": f"Bearer {live.key('demo', 'eddy')}"}
    body = {"name": "mine", "url": receiver.url, "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}
    with httpx.Client(base_url=str(http.base_url), headers=headers) as editor:
        for method, path in (
            ("POST", API),
            ("GET", API),
            ("GET", f"{API}/{made.webhook_id}"),
            ("PATCH", f"{API}/{made.webhook_id}"),
            ("DELETE", f"{API}/{made.webhook_id}"),
            ("POST", f"{API}/{made.webhook_id}/test"),
        ):
            answer = editor.request(method, path, json=body)
            assert (answer.status_code, "credential" in answer.text) == (403, False)
    assert [item.name for item in client.list_webhooks()] == ["private"]
