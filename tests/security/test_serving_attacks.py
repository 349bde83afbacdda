"""Attacks 27b, 45, 49 and 55 on serving: by callers, and by what answers from inside a sandbox."""

import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from studio.guest import frames
from studio.guest.frames import ANSWER, DRAIN, HELLO, REQUEST, encode
from tests.e2e.gateways import Forker, Gateway, scripted, until

GOOD, READY = b'{"status":200}', b'{"state":"Ready"}'
Said = Callable[[int], list[bytes]]


def head(**said: Any) -> bytes:
    return json.dumps({"status": 200} | said).encode()


class Hostile(threading.Thread):
    """What a model can make of its replica: it owns the socket, and says `said(id)` for each request."""

    def __init__(self, path: Path, said: Said) -> None:
        super().__init__(daemon=True)
        with suppress(FileNotFoundError):
            path.unlink()
        self._said = said
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self.start()

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(encode(HELLO, 0, READY))
        decoder = frames.Decoder()
        while data := connection.recv(65536):
            for frame in decoder.feed(data):
                for part in self._said(frame.id) if frame.kind == REQUEST else ():
                    if not part:
                        return
                    connection.sendall(part)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    forker = Forker(tmp_path_factory.mktemp("forker"), libraries=False)
    one = Gateway(tmp_path_factory.mktemp("gateway"), forker)
    one.options = {"hold_s": 0.2}
    one.start()
    one.member()
    one.endpoint("calm", [("v1", 1.0, [one.replica(scripted(tmp_path_factory.mktemp("models"), "a"), "a")])])
    until(lambda: one.predict("calm", '{"x": 2}')[0] == 200, "the first answer")
    yield one
    one.close()
    forker.close()


def invoke(gateway: Gateway, *more: str, times: int = 1, body: str = '{"x": 2}', name: str = "evil") -> bytes:
    """All that comes back on one connection for the same request, sent some times."""
    lines = [f"POST /endpoints/{name}/invocations HTTP/1.1", f"Host: {gateway.host}", f"Content-Length: {len(body)}"]
    lines += [f"Authorization: Bearer {gateway.token}", *more]
    data = "\r\n".join([*lines, "", body]).encode("latin-1")
    return gateway.raw(data * (times - 1) + data.replace(b" HTTP/1.1", b" HTTP/1.1\r\nConnection: close", 1))


def replied(raw: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """The answers in `raw`, cut as a client cuts them: by their own length."""
    found = []
    while raw:
        assert raw.startswith(b"HTTP/1.1 "), raw[:200]
        text, _, rest = raw.partition(b"\r\n\r\n")
        lines = text.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        assert len(headers) == len(lines) - 1
        size = int(headers["content-length"])
        found.append((int(lines[0].split()[1]), headers, rest[:size]))
        raw = rest[size:]
    return found


EVIL: dict[str, Said] = {
    "a type with a header": lambda n: [encode(ANSWER, n, head(type="text/html\r\nSet-Cookie: studio_session=x"), b"a")],
    "a page": lambda n: [encode(ANSWER, n, head(type="text/html"), b"<script>alert(1)</script>")],
    "headers": lambda n: [
        encode(
            ANSWER,
            n,
            head(
                headers={
                    "set-cookie": "studio_session=x",
                    "location": "https://evil.test",
                    "access-control-allow-origin": "*",
                    "content-length": "1",
                    "transfer-encoding": "chunked",
                    "x-studio-ignored-columns": "a\r\nSet-Cookie: studio_session=x",
                    "inference-header-content-length": "1\nb",
                }
            ),
            b"{}",
        )
    ],
    **{
        f"status {status}": (
            lambda n, status=status: [
                encode(
                    ANSWER,
                    n,
                    b'{"status":%b}' % status.encode(),
                    b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged",
                )
            ]
        )  # type: ignore[misc]
        for status in ("0", "100", "101", "204", "205", "302", "304", "-1", "99999999999999999999", '"200"', "null")
    },
    "no JSON": lambda n: [encode(ANSWER, n, b"\xff\xfe{", b"{}")],
    "a list": lambda n: [encode(ANSWER, n, b"[]", b"{}")],
    "three answers to one": lambda n: [encode(ANSWER, n, GOOD, b"1"), encode(ANSWER, n, GOOD, b"2") * 2],
    "answers to what nobody asked": lambda n: [encode(ANSWER, n + 7, GOOD, b"0"), encode(ANSWER, n, GOOD, b"1")],
    "frames of no kind": lambda n: [encode(200, n), encode(REQUEST, n), encode(ANSWER, n, GOOD, b"1")],
    "many hellos": lambda n: [encode(HELLO, 0, b"{}") * 500, encode(HELLO, 0, READY), b""],
    "a hello that is none": lambda n: [encode(HELLO, 0, b"\xff")],
    "no frames": lambda n: [b"HTTP/1.1 200 OK\r\n\r\n" * 20],
    "a frame of 4 GB": lambda n: [b"\xff\xff\xff\xff" + b"\x03" * 40],
    "half an answer": lambda n: [encode(ANSWER, n, GOOD, b"x" * 100)[:60], b""],
    "nothing": lambda n: [b""],
    "a drain, and on": lambda n: [
        encode(DRAIN, 0),
        encode(HELLO, 0, READY),
        encode(ANSWER, n, GOOD, b"1"),
    ],
}


@pytest.mark.parametrize("which", EVIL)
def test_what_a_sandbox_says_reaches_one_caller_as_one_answer_at_most(gateway: Gateway, which: str) -> None:
    path = gateway.replica_socket("evil")
    replica = Hostile(path, EVIL[which])
    try:
        gateway.endpoint("evil", [("v1", 1.0, [path])], timeout_s=5)
        answers = replied(invoke(gateway, times=3))
    finally:
        replica.close()
        gateway.set({"endpoints/demo/evil": None})
    assert len(answers) == 3
    for status, headers, body in answers:
        assert status == 200 or status >= 500, (status, body)
        assert headers["content-type"] == "application/json" and body != b"forged"
        assert not headers.keys() & {"set-cookie", "location", "access-control-allow-origin", "transfer-encoding"}
        assert "x-studio-ignored-columns" not in headers and "inference-header-content-length" not in headers
    assert gateway.predict("calm", '{"x": 2}')[0] == 200


def test_a_socket_that_is_a_link_leads_nowhere(gateway: Gateway, tmp_path: Path) -> None:
    """27b, 49: the folder of replicas is the sandbox's; what it puts there cannot make the gateway talk to another."""
    planted = gateway.replica_socket("planted")
    outside = tmp_path / "outside"
    outside.mkdir()
    for target in (gateway.sockets / "gateway.sock", gateway.replica_socket("a"), outside / "none"):
        planted.symlink_to(target)
        gateway.endpoint("evil", [("v1", 1.0, [planted])])
        assert gateway.predict("evil", '{"x": 2}')[0] == 503
        planted.unlink()
    folder = planted.with_name("folder")
    folder.symlink_to(gateway.sockets)
    places = (folder / "gateway.sock", Path("/run/x.sock"), gateway.sockets / ".." / "x.sock", Path("127.0.0.1:22"))
    for place in places:
        wake = [{"variant": "v1", "socket": str(place), "requests": [{"op": "fork"}]}]
        gateway.endpoint("evil", [("v1", 1.0, [place])], mode="serverless", wake=wake)
        assert gateway.predict("evil", '{"x": 2}')[0] == 503
    gateway.set({"endpoints/demo/evil": None})
    assert gateway.predict("calm", '{"x": 2}')[0] == 200


@pytest.mark.parametrize("said", [b"\xff\n", b"[]\n", b'{"ok": true}\n', b"x" * (2 << 20), b""])
def test_a_fork_server_that_lies_wakes_nothing_and_holds_up_nobody(gateway: Gateway, said: bytes) -> None:
    place = gateway.replica_socket("x").parents[1] / "lying.sock"
    with suppress(FileNotFoundError):
        place.unlink()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place))
    listener.listen(16)

    def answer() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(said)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    wake = [{"variant": "v1", "socket": str(place), "requests": [{"op": "fork"}] * 3}]
    gateway.endpoint("evil", [("v1", 1.0, [gateway.replica_socket("never")])], mode="serverless", wake=wake)
    status, headers, _ = gateway.predict("evil", '{"x": 2}')
    assert status == 503 and headers["retry-after"]
    assert gateway.predict("calm", '{"x": 2}')[0] == 200
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    gateway.set({"endpoints/demo/evil": None})


@pytest.mark.parametrize(
    "line",
    [
        "X-Amzn-SageMaker-Inference-Id: a%0d%0aSet-Cookie: b",
        "X-Amzn-SageMaker-Inference-Id: \u00e9\u00aa\u00b2<script>" + "x" * 5000,
        "X-Amzn-SageMaker-Target-Variant: a\tb",
        "X-Amzn-SageMaker-Target-Variant: " + "../" * 100,
        "Content-Type: text/csv; charset=\u00e9" + "x" * 5000,
        "Accept: " + "text/csv," * 500,
        "Content-Type: application/json\x0bSet-Cookie: a",
        "Inference-Header-Content-Length: 99999999999999999999",
    ],
    ids=ascii,
)
def test_what_a_caller_writes_into_headers_comes_back_as_nothing_else(gateway: Gateway, line: str) -> None:
    [(status, headers, _)] = replied(invoke(gateway, line, name="calm"))
    assert status < 500
    assert "set-cookie" not in headers
    assert re.fullmatch(r"[\w.-]{1,64}", headers.get("x-studio-inference-id", "-"), re.ASCII)
    assert gateway.predict("calm", '{"x": 2}')[0] == 200


def test_bodies_that_are_too_much_are_refused_and_nobody_else_waits(gateway: Gateway) -> None:
    """55: deep, compressed, endless, or sent a byte at a time by many."""
    deep = "[" * 200_000 + "]" * 200_000
    assert 400 <= gateway.predict("calm", deep)[0] < 500
    bomb = gzip.compress(bytes(10 << 20))
    code, _, said = gateway.request(
        "POST", "/endpoints/calm/invocations", bomb, key=True, Content_Encoding="gzip", Content_Type="application/json"
    )
    assert code == 415 and b"compressed" in said
    slow = []
    for _ in range(50):
        connection = socket.create_connection(("127.0.0.1", gateway.port))
        lines = ["POST /endpoints/calm/invocations HTTP/1.1", f"Host: {gateway.host}", "Content-Length: 1000000"]
        connection.sendall("\r\n".join([*lines, f"Authorization: Bearer {gateway.token}", "", "{"]).encode())
        slow.append(connection)
    assert gateway.predict("calm", '{"x": 2}')[2] == {"x": 2, "by": "a"}
    for connection in slow:
        connection.close()
    assert gateway.ask({"op": "stats"})["stats"]["demo/calm"]["inflight"] == 0


def test_a_caller_that_ends_its_side_gets_what_it_has_asked_for_and_no_more(gateway: Gateway, tmp_path: Path) -> None:
    """Half-closed: after whole requests they are answered, in the middle of one it never begins."""
    gate = tmp_path / "gate"
    body = json.dumps({"x": 2, "until": str(gate)})
    lines = ["POST /endpoints/calm/invocations HTTP/1.1", f"Host: {gateway.host}", f"Content-Length: {len(body)}"]
    data = "\r\n".join([*lines, f"Authorization: Bearer {gateway.token}", "", body]).encode()
    before = gateway.ask({"op": "stats"})["stats"]["demo/calm"]["requests"]
    for part, answers in ((data, 1), (data * 2, 2), (data[:-1], 0), (data + data[:-1], 1)):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
            connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            if answers:
                until(lambda: gateway.ask({"op": "stats"})["stats"]["demo/calm"]["inflight"] == 1, "it is under way")
                gate.touch()
            got = b"".join(iter(lambda: connection.recv(65536), b""))
            assert [status for status, _, _ in replied(got)] == [200] * answers
        gate.unlink(missing_ok=True)
    after = gateway.ask({"op": "stats"})["stats"]["demo/calm"]
    assert after["requests"] == before + 4 and after["inflight"] == 0
