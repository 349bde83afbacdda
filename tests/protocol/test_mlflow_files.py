"""Files through the server: streamed with little memory, in ranges, by signed addresses; never seen half."""

import signal
import socket

import httpx
import pytest

from tests.live import until
from tests.protocol.conftest import Running
from tests.protocol.files import BASE, FILES, MIB, Sender, blocks, digest, listed, peak_mib, uploads

# What a database is matters to none of this.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def test_a_large_file_takes_no_memory_either_way(own_server: Running) -> None:
    size = 192 * MIB
    with own_server.http() as http:
        http.put(FILES + "warm", content=b"x" * MIB)
        before = peak_mib(own_server)
        headers = {"content-length": str(size)}
        assert http.put(FILES + "large.bin", content=blocks(size), headers=headers).status_code == 200
        assert http.put(FILES + "chunked.bin", content=blocks(8 * MIB)).status_code == 200
        with http.stream("GET", FILES + "large.bin") as answer:
            assert digest(answer.iter_bytes()) == digest(blocks(size))
        assert peak_mib(own_server) - before < 48
        assert uploads(own_server) == []


def test_ranges_as_a_player_or_a_resumed_download_asks_for_them(server: Running) -> None:
    data = b"".join(blocks(3 * MIB))
    with server.http() as http:
        path = FILES + "ranges/data.bin"
        http.put(path, content=data)
        whole = http.get(path)
        tag, modified = whole.headers["etag"], whole.headers["last-modified"]
        size = len(data)
        for span, status, expected in (
            ("bytes=0-0", 206, data[:1]),
            (f"bytes={size - 1}-", 206, data[-1:]),
            ("bytes=-5", 206, data[-5:]),
            (f"bytes=-{size + 9}", 200, data),
            ("bytes=100-199", 206, data[100:200]),
            (f"bytes=5-{size + 100}", 206, data[5:]),
            ("bytes=9-5", 200, data),
            ("bytes=a-b", 200, data),
            ("lines=1-2", 200, data),
            ("bytes=0-1,5-6", 200, data),
            ("bytes=-0", 416, b""),
            (f"bytes={size}-", 416, b""),
        ):
            answer = http.get(path, headers={"range": span})
            assert (answer.status_code, answer.content) == (status, expected), span
            if status == 416:
                assert answer.headers["content-range"] == f"bytes */{size}"
        part = http.get(path, headers={"range": "bytes=7-9"})
        assert (part.headers["content-range"], part.headers["etag"]) == (f"bytes 7-9/{size}", tag)
        for condition in (tag, modified):
            assert http.get(path, headers={"range": "bytes=7-9", "if-range": condition}).status_code == 206
        for condition in ('"other"', f"W/{tag}", "Thu, 01 Jan 1970 00:00:00 GMT"):
            assert http.get(path, headers={"range": "bytes=7-9", "if-range": condition}).content == data
        assert http.get(path, headers={"if-none-match": f'"x", W/{tag}'}).status_code == 304
        head = http.head(path, headers={"range": "bytes=0-9"})
        assert (head.status_code, head.headers["content-length"], head.content) == (206, "10", b"")
        # Written anew, even with as many bytes at once: what somebody has of it goes with nothing of the new one.
        http.put(path, content=data[::-1])
        assert http.get(path, headers={"range": "bytes=7-9", "if-range": tag}).content == data[::-1]
        assert http.get(path, headers={"if-none-match": tag}).status_code == 200


def test_an_empty_file_is_a_file(server: Running) -> None:
    with server.http() as http:
        assert http.put(FILES + "empty/none.txt", content=b"").status_code == 200
        assert listed(http, "empty") == ["none.txt"]
        answer = http.get(FILES + "empty/none.txt")
        assert (answer.status_code, answer.content) == (200, b"")
        assert http.get(FILES + "empty/none.txt", headers={"range": "bytes=0-"}).status_code == 416


def test_a_file_whose_sender_dies_was_never_there(own_server: Running) -> None:
    with own_server.http() as http:
        http.put(FILES + "half/kept.bin", content=b"before")
        for name in ("new.bin", "kept.bin"):
            sender = Sender(own_server, FILES + f"half/{name}")
            assert listed(http, "half") == ["kept.bin"]
            sender.end()
            until(lambda: not uploads(own_server), "the half file gone")
            assert listed(http, "half") == ["kept.bin"]
        assert http.get(FILES + "half/kept.bin").content == b"before"


def test_a_file_whose_server_dies_was_never_there(own_server: Running) -> None:
    with own_server.http() as http:
        http.put(FILES + "half/kept.bin", content=b"before")
    senders = [Sender(own_server, FILES + f"half/{name}") for name in ("new.bin", "kept.bin")]
    own_server.stop(signal.SIGKILL)
    for sender in senders:
        sender.end()
    assert len(uploads(own_server)) == 2
    own_server.start()
    with own_server.http() as http:
        assert uploads(own_server) == []
        assert listed(http, "half") == ["kept.bin"]
        assert http.get(FILES + "half/kept.bin").content == b"before"
        assert http.put(FILES + "half/new.bin", content=b"again").status_code == 200


def test_a_body_that_is_not_as_long_as_announced_is_no_file(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PUT {FILES}short/x.bin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.token('ann')}\r\n"
        connection.sendall(f"{head}content-length: 10\r\n\r\nabc".encode())
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)
    with server.http() as http:
        assert http.get(FILES + "short/x.bin").status_code == 404


def test_a_signed_address_is_for_one_file_one_way_and_short(server: Running) -> None:
    with server.http() as http:
        http.put(FILES + "signed/a.txt", content=b"secret")
        made = http.get(f"{BASE}presigned/signed/a.txt").json()
        assert (made["file_size"], made["headers"]) == (6, {})
        answer = httpx.get(made["url"], headers={"range": "bytes=1-2"})
        assert (answer.status_code, answer.content) == (206, b"ec")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert httpx.put(made["url"], content=b"x").status_code == 400
        payload, _, seal = made["url"].rpartition("/")[2].partition(".")
        base = made["url"].rpartition("/")[0]
        for forged in (
            f"{payload}.{seal[:-2]}AA",
            f"{payload}x.{seal}",
            payload,
            f"{payload}.",
            f".{seal}",
            "x",
            "%2e",
        ):
            answer = httpx.get(f"{base}/{forged}")
            assert answer.status_code in (401, 404), forged
            assert answer.status_code == 404 or answer.json()["error_code"] == "UNAUTHENTICATED"
        assert httpx.post(made["url"]).status_code == 401
        assert http.get(f"{BASE}presigned/signed/none.txt").status_code == 404
        assert http.get(f"{BASE}presigned/signed").status_code == 400


def test_addresses_of_a_cloud_are_refused_as_mlflow_refuses_them(server: Running) -> None:
    """For the files of a run MLflow signs only what lies in an object store; here they go through the server."""
    with server.http() as http:
        for way in ("upload", "download"):
            answer = http.post(f"/api/2.0/mlflow/artifacts/presigned-{way}-url", json={"run_id": "x", "path": "a.txt"})
            assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_server_whose_name_is_forged_signs_nothing_for_it(server: Running) -> None:
    with server.http() as http:
        http.put(FILES + "signed/host.txt", content=b"x")
        for host in ("evil.test/x", "a b", "evil.test:99999999", "user@evil.test", ""):
            answer = http.get(f"{BASE}presigned/signed/host.txt", headers={"host": host})
            assert answer.status_code == 400, host
