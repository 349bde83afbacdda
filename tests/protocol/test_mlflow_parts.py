"""Files that are sent in parts, as MLflow's own client sends them: they go on after either side died."""

import signal
import threading
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest

from tests.protocol.conftest import Running
from tests.protocol.files import BASE, FILES, MIB, Sender, blocks, listed, uploads

# What a database is matters to none of this.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


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
