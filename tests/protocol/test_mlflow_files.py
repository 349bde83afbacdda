"""Files through the server: streamed with little memory, resumed, in parts, in ranges; never seen half."""

import hashlib
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest

from tests.live import until
from tests.protocol.conftest import Running

# What a database is matters to none of this.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
BASE = "/api/2.0/mlflow-artifacts/"
FILES = f"{BASE}artifacts/"
MIB = 1 << 20


def blocks(size: int, seed: int = 0) -> Iterator[bytes]:
    """`size` bytes that no disk or wire compresses, in pieces."""
    for at in range(0, size, MIB):
        block = hashlib.shake_128(f"{seed} {at}".encode()).digest(1024) * 1024
        yield block[: min(MIB, size - at)]


def digest(parts: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def peak_mib(running: Running) -> int:
    """The most memory that the server ever had, in MiB."""
    assert running.process is not None
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


def uploads(running: Running) -> list[Path]:
    """Everything that is half here."""
    return [path for path in (running.home / "artifacts" / ".uploads").rglob("*") if path.is_file()]


def listed(http: httpx.Client, path: str) -> list[str]:
    found = http.get(FILES[:-1], params={"path": path}).json()
    return [item["path"] for item in found.get("files", [])]


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


class Sender:
    """A client that has sent half a file and holds still."""

    def __init__(self, running: Running, path: str, token: str = "ann") -> None:
        self.connection = socket.create_connection(("127.0.0.1", running.port))
        head = f"PUT {path} HTTP/1.1\r\nhost: 127.0.0.1:{running.port}\r\ncontent-length: {8 * MIB}\r\n"
        self.connection.sendall(f"{head}authorization: Bearer {running.token(token)}\r\n\r\n".encode() + b"x" * 4 * MIB)
        until(lambda: any(path.stat().st_size >= 2 * MIB for path in uploads(running)), "half of the file on the disk")

    def end(self) -> None:
        self.connection.close()


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


# MLflow's own client, in parts
@pytest.fixture
def in_parts(client: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true",
        "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(MIB),
        "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * MIB),
        "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(3 * MIB),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("in_parts")
def test_mlflows_client_sends_and_reads_in_parts(server: Running, tmp_path: Path) -> None:
    big = tmp_path / "weights ü.bin"
    with big.open("wb") as file:
        file.writelines(blocks(23 * MIB + 7, seed=1))
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(big), "deep/er")
        mlflow.log_artifact(str(big))
    client = mlflow.MlflowClient()
    found = {item.path: item.file_size for item in client.list_artifacts(run.info.run_id, "deep/er")}
    assert found == {"deep/er/weights ü.bin": 23 * MIB + 7}
    goal = tmp_path / "back"
    goal.mkdir()
    for path in ("deep/er/weights ü.bin", "weights ü.bin"):
        back = client.download_artifacts(run.info.run_id, path, str(goal))
        assert Path(back).read_bytes() == big.read_bytes()
    text = client.download_artifacts(run.info.run_id, "deep", str(goal))
    assert Path(text, "er", big.name).stat().st_size == 23 * MIB + 7
    assert uploads(server) == [] or all(path.name == "about" for path in uploads(server))


@pytest.mark.usefixtures("in_parts")
def test_a_part_that_fails_leaves_nothing(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client aborts: the parts that came are gone, and no file was ever there."""
    from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

    big = tmp_path / "big.bin"
    big.write_bytes(b"x" * 12 * MIB)
    send = HttpArtifactRepository._upload_part

    def failing(credential: Any, local_file: str, size: int, start_byte: int) -> Any:
        if credential.part_number == 3:
            credential.url = credential.url[:-4] + "AAAA"  # a signature that is not ours
        return send(credential, local_file, size, start_byte)

    monkeypatch.setattr(HttpArtifactRepository, "_upload_part", staticmethod(failing))
    with mlflow.start_run() as run, pytest.raises(mlflow.exceptions.MlflowException, match="at least one part"):
        mlflow.log_artifact(str(big))
    assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []
    assert [path for path in uploads(server) if path.name != "about"] == []


class Parts:
    """An upload in parts, as a client makes it."""

    def __init__(self, http: httpx.Client, path: str, count: int, name: str = "x.bin") -> None:
        self.http = http
        self.path = path
        self.name = name
        self.tags: dict[int, str] = {}
        self.take(self.ask("create", num_parts=count))

    def ask(self, step: str, **more: Any) -> Any:
        answer = self.http.post(f"{BASE}mpu/{step}/{self.path}", json={"path": f"/home/me/{self.name}", **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def take(self, made: Any) -> None:
        self.id = made["upload_id"]
        self.urls = {item["part_number"]: item["url"] for item in made["credentials"]}

    def send(self, number: int, data: bytes) -> None:
        # No credential: the address is one.
        answer = httpx.put(self.urls[number], content=data, timeout=30)
        assert answer.status_code == 200, answer.text
        self.tags[number] = answer.headers["etag"]

    def complete(self, **tags: str) -> httpx.Response:
        parts = [{"part_number": n, "etag": tag, "url": ""} for n, tag in (tags or self.tags).items()]
        body = {"path": self.name, "upload_id": self.id, "parts": parts}
        return self.http.post(f"{BASE}mpu/complete/{self.path}", json=body)


def test_an_upload_in_parts_goes_on_after_server_and_client_died(own_server: Running) -> None:
    with own_server.http() as http:
        first = Parts(http, "parts/a", 3)
        first.send(1, b"a" * MIB)
        sender = Sender(own_server, first.urls[2].partition(str(own_server.port))[2])
    own_server.stop(signal.SIGKILL)
    sender.end()
    own_server.start()
    with own_server.http() as http:
        assert http.get(FILES + "parts/a/x.bin").status_code == 404
        # Another client, that knows nothing but the upload's id.
        again = Parts(http, "parts/b", 1)
        again.path = "parts/a"
        found = again.ask("create", upload_id=first.id)
        assert [item["part_number"] for item in found["credentials"]] == [2, 3]
        assert [item["part_number"] for item in found["parts"]] == [1]
        again.take(found)
        again.tags = {item["part_number"]: item["etag"] for item in found["parts"]}
        again.send(3, b"c")
        refused = again.complete()
        assert (refused.status_code, refused.json()["error_code"]) == (409, "INVALID_STATE")
        assert "[2]" in refused.json()["message"]
        again.send(2, b"wrong")
        again.send(2, b"b" * MIB)  # the last one counts
        assert http.get(FILES + "parts/a/x.bin").status_code == 404
        assert again.complete().status_code == 200
        assert http.get(FILES + "parts/a/x.bin").content == b"a" * MIB + b"b" * MIB + b"c"
        assert again.complete().status_code == 200  # the answer may have been lost
        late = httpx.put(again.urls[2], content=b"late")
        assert late.status_code == 404


def test_a_part_is_refused_unless_it_is_the_one_that_was_sent(server: Running) -> None:
    with server.http() as http:
        upload = Parts(http, "parts/tags", 2)
        upload.send(1, b"1")
        upload.send(2, b"2")
        right = dict(upload.tags)
        upload.tags[1] = '"' + "0" * 64 + '"'
        assert upload.complete().status_code == 409
        upload.tags = {**right, 3: right[1]}
        assert upload.complete().status_code == 409
        upload.tags = right
        assert upload.complete().status_code == 200
        assert http.get(FILES + "parts/tags/x.bin").content == b"12"


def test_uploads_are_their_domains_and_their_paths(server: Running) -> None:
    with server.http() as http, server.http("bob") as other, server.http("vic") as viewer:
        upload = Parts(http, "parts/mine", 1)
        upload.send(1, b"mine")
        body = {"path": "x.bin", "upload_id": upload.id, "parts": [{"part_number": 1, "etag": upload.tags[1]}]}
        assert other.post(f"{BASE}mpu/complete/parts/mine", json=body).status_code == 404
        assert other.post(f"{BASE}mpu/create/parts/mine", json=body).status_code == 404
        assert other.post(f"{BASE}mpu/abort/parts/mine", json=body).status_code == 200
        for step in ("create", "complete", "abort"):
            assert viewer.post(f"{BASE}mpu/{step}/parts/mine", json=body).status_code == 403
        for path, name in (("parts/mine", "y.bin"), ("parts/other", "x.bin"), ("..", "x.bin")):
            answer = http.post(f"{BASE}mpu/complete/{path}", json=body | {"path": name})
            assert answer.status_code in (400, 404)
        for odd in ("../" + upload.id, upload.id + "/..", upload.id.upper(), "x" * 32, upload.id + ".done", "a" * 32):
            assert http.post(f"{BASE}mpu/complete/parts/mine", json=body | {"upload_id": odd}).status_code == 404
        for name in ("..", ".", "", "a/..", "C:\\..", "x\0"):
            answer = http.post(f"{BASE}mpu/create/parts/mine", json={"path": name, "num_parts": 1})
            assert answer.status_code == 400, name
        for count in (-1, 10_001, 10**30):
            answer = http.post(f"{BASE}mpu/create/parts/mine", json={"path": "x", "num_parts": count})
            assert answer.status_code == 400, count
        assert upload.complete().status_code == 200


def test_an_aborted_upload_is_gone(server: Running) -> None:
    with server.http() as http:
        upload = Parts(http, "parts/gone", 2)
        upload.send(1, b"1")
        for _ in range(2):
            assert upload.ask("abort", upload_id=upload.id) == {}
        assert httpx.put(upload.urls[2], content=b"2").status_code == 404
        assert upload.complete().status_code == 404
        assert listed(http, "parts/gone") == []
        assert not (server.home / "artifacts" / ".uploads" / "demo" / upload.id).exists()


def test_parts_and_completion_at_once_give_one_whole_file(server: Running) -> None:
    with server.http() as http:
        upload = Parts(http, "parts/race", 2)
        upload.send(1, b"a" * MIB)
        upload.send(2, b"b" * MIB)
        answers: list[int] = []

        def complete() -> None:
            parts = [{"part_number": number, "etag": tag} for number, tag in upload.tags.items()]
            body = {"path": "x.bin", "upload_id": upload.id, "parts": parts}
            with server.http() as own:
                answers.append(own.post(f"{BASE}mpu/complete/parts/race", json=body).status_code)

        threads = [threading.Thread(target=complete) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 200 in answers and set(answers) <= {200, 404}, answers
        assert http.get(FILES + "parts/race/x.bin").content == b"a" * MIB + b"b" * MIB


# Addresses that carry their own right
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
