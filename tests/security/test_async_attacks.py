"""Predictions that are made later, by who must not read, write, ask or fill what they could that way (attacks 1-12, 21,
30, 45, 46, 55)."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from studio.access import keys
from studio.server.doors import Door
from studio.serving import async_files, async_invocations, endpoints
from studio.serving.endpoints import Wanted
from tests.inprocess import SECRET, World, world
from tests.unit.serving.conftest import fill

PATH = "/api/v1/domains/demo/endpoints/rain/async-invocations"
OTHER = "/sagemaker/domains/demo/endpoints/rain/async-invocations"
LOCATION = "x-amzn-sagemaker-inputlocation"


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "home") as found:

        def write(db: Any) -> None:
            fill(db)
            endpoints.create(db, "demo", "ada", Wanted("rain", "models:/rain/1"))

        await found.store.write(write)
        for user, domain, role in (("vera", "demo", "viewer"), ("eve", "demo", "editor"), ("otto", "other", "admin")):
            await found.member(user, domain, role)
        yield found


@pytest.fixture
async def vera(studio: World) -> AsyncIterator[httpx.AsyncClient]:
    async with await studio.program("vera", "demo") as client:
        yield client


def left(studio: World) -> list[Path]:
    """What there is of bodies, whole or not."""
    root = studio.studio.settings.paths.invocations
    return [found for found in root.rglob("*") if found.is_file()] if root.exists() else []


def share(studio: World, data: bytes) -> None:
    """The file shared/rows.json."""
    folder = studio.studio.settings.paths.shared("demo")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.json").write_bytes(data)


async def rows(studio: World) -> int:
    return len(await studio.store.read(lambda db: async_invocations.list_all(db, "demo", "rain")))


async def refused(studio: World, answer: httpx.Response, status: int, words: str) -> None:
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert "Traceback" not in answer.text
    assert (left(studio), await rows(studio)) == ([], 0)


async def test_a_viewer_asks_and_finds_what_was_asked(studio: World, vera: httpx.AsyncClient) -> None:
    made = await vera.post(PATH, content=b'{"inputs": 1}', headers={"x-amzn-sagemaker-inference-id": "a\tb/../c<d>"})
    assert made.status_code == 202, made.text
    said = made.json()
    assert (said["state"], said["size"], said["inference_id"]) == ("Queued", 13, "ab..cd")
    assert "The endpoint rain is Creating" in said["reason"]
    (body,) = left(studio)
    assert body.read_bytes() == b'{"inputs": 1}'
    assert body.parent.stat().st_mode & 0o077 == 0
    early = await vera.get(said["result"])
    assert (early.status_code, early.json()["error"]["code"]) == (409, "CONFLICT")


async def test_sagemakers_wire_says_where_the_answer_will_be(studio: World, vera: httpx.AsyncClient) -> None:
    made = await vera.post(OTHER, content=b"1,2", headers={"content-type": "text/csv"})
    assert made.status_code == 202
    where = made.headers["x-amzn-sagemaker-outputlocation"]
    assert where == f"{studio.studio.address}{PATH}/{made.json()['id']}/result"
    wrong = await vera.post(OTHER, headers={LOCATION: "s3://bucket/rows.json"})
    assert (wrong.status_code, wrong.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert "shared/rows.json" in wrong.json()["message"]


async def test_anothers_answer_is_not_read_nor_forgotten(studio: World, vera: httpx.AsyncClient) -> None:
    async with await studio.program("ada", "demo") as ada, await studio.program("eve", "demo") as eve:
        made = (await ada.post(PATH, content=b"{}")).json()
        for client in (vera, eve):
            assert (await client.get(made["result"])).status_code == 403
            assert (await client.delete(f"{PATH}/{made['id']}")).status_code == 403
        async with await studio.program("otto", "other") as otto:
            for path in (
                made["result"],
                f"{PATH}/{made['id']}",
                f"/api/v1/domains/other/endpoints/rain/async-invocations/{made['id']}",
            ):
                assert (await otto.get(path)).status_code in (403, 404)
        assert (await ada.delete(f"{PATH}/{made['id']}")).status_code == 204
    assert (left(studio), await rows(studio)) == ([], 0)


LOCATIONS = [
    "s3://bucket/a",
    "https://example.org/a",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "/etc/passwd",
    "../../etc/passwd",
    "shared/../../../studio.db",
    "shared/..%2f..%2fstudio.db",
    "shared\\..\\a",
    "mlflow-artifacts:/../../keys/master",
    "mlflow-artifacts:/%2e%2e/keys",
    "mlflow-artifacts://host/a",
    "shared",
    "ada/private.json",
    "/volume/ada/private.json",
    "shared/link.json",
    "shared/folder-link/private.json",
    "shared/fifo.json",
    "shared/folder",
]


async def test_no_location_leads_out_of_what_the_asker_sees(studio: World, vera: httpx.AsyncClient) -> None:
    paths = studio.studio.settings.paths
    paths.shared("demo").mkdir(parents=True, exist_ok=True)
    paths.user("demo", "ada").mkdir(parents=True)
    (paths.user("demo", "ada") / "private.json").write_text("{}")
    (paths.shared("demo") / "link.json").symlink_to(paths.user("demo", "ada") / "private.json")
    (paths.shared("demo") / "folder-link").symlink_to(paths.user("demo", "ada"))
    (paths.shared("demo") / "folder").mkdir()
    os.mkfifo(paths.shared("demo") / "fifo.json")
    for location in LOCATIONS:
        answer = await vera.post(PATH, headers={LOCATION: location})
        assert answer.status_code in (400, 403, 404), (location, answer.text)
        await refused(studio, answer, answer.status_code, "error")


async def test_a_key_for_predictions_alone_reads_no_file(studio: World) -> None:
    share(studio, b'{"inputs": 1}')
    narrow_to = {"actions": ["serving.invoke"], "resources": ["endpoint/rain"]}
    key, _ = await studio.store.write(lambda db: keys.create_key(db, "demo", "eve", **narrow_to))
    at = {"x_studio_via": "key", "x_studio_credential": key.id, "x_studio_domain": "demo"}
    async with studio.client(Door("gateway"), x_studio_gateway=SECRET, x_studio_user="eve", **at) as narrow:
        await refused(studio, await narrow.post(PATH, headers={LOCATION: "shared/rows.json"}), 403, "scope")
        assert (await narrow.post(PATH, content=b"{}")).status_code == 202
        snow = PATH.replace("/rain/", "/snow/")
        assert (await narrow.post(snow, content=b"{}")).status_code == 403
    async with await studio.program("eve", "demo") as eve:
        assert (await eve.post(PATH, headers={LOCATION: "shared/rows.json"})).status_code == 202


async def test_a_body_over_the_limit_leaves_nothing(studio: World, vera: httpx.AsyncClient) -> None:
    studio.studio.settings.async_body_mb = 1
    over = b"x" * ((1 << 20) + 1)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (1 << 19)

    for content in (over, parts()):
        await refused(studio, await vera.post(PATH, content=content), 413, "STUDIO_ASYNC_BODY_MB")
    share(studio, over)
    await refused(studio, await vera.post(PATH, headers={LOCATION: "shared/rows.json"}), 413, "larger")
    assert (await vera.post(PATH, content=over[:-1])).status_code == 202


WRONG: list[tuple[dict[str, str], bytes, str]] = [
    ({}, b"", "nothing to predict"),
    ({LOCATION: "shared/rows.json"}, b"{}", "one of the two"),
    ({"content-encoding": "gzip"}, b"{}", "compressed"),
    ({"x-amzn-sagemaker-requestttlseconds": "-1"}, b"{}", "seconds"),
    ({"x-amzn-sagemaker-invocationtimeoutseconds": "99999999"}, b"{}", "seconds"),
    ({"x-amzn-sagemaker-invocationtimeoutseconds": "1e3"}, b"{}", "seconds"),
    ({"studio-notify-secret": "alone"}, b"{}", "Studio-Notify-Url"),
    ({"studio-notify-url": "http://127.0.0.1:8600/api/v1/users"}, b"{}", "not a public address"),
    ({"studio-notify-url": "http://169.254.169.254/"}, b"{}", "not a public address"),
    ({"studio-notify-url": "http://[::ffff:127.0.0.1]/"}, b"{}", "not a public address"),
    ({"studio-notify-url": "gopher://example.org/"}, b"{}", "cannot be used"),
    ({"studio-notify-url": "https://user:secret@example.org/"}, b"{}", "cannot be used"),
]


async def test_a_request_that_cannot_be_is_refused_whole(studio: World, vera: httpx.AsyncClient) -> None:
    share(studio, b"{}")
    for headers, content, words in WRONG:
        await refused(studio, await vera.post(PATH, content=content, headers=headers), 400, words)


async def test_a_domain_over_its_quota_and_a_queue_that_is_full_take_nothing(
    studio: World, vera: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.studio.full["demo"] = "demo stores 2 MiB; its quota is 1 MiB."
    await refused(studio, await vera.post(PATH, content=b"{}"), 507, "quota")
    studio.studio.full.clear()
    monkeypatch.setattr(async_invocations, "MOST_QUEUED", 1)
    assert (await vera.post(PATH, content=b"{}")).status_code == 202
    full = await vera.post(PATH, content=b"{}")
    assert (full.status_code, len(left(studio)), await rows(studio)) == (429, 1, 1)


async def test_a_row_that_cannot_be_written_leaves_no_file(
    studio: World, vera: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the disk")

    monkeypatch.setattr(async_invocations, "create", fails)
    answer = await vera.post(PATH, content=b"{}")
    await refused(studio, answer, 500, "inside Studio")


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(async_files, "LEFT_S", -1.0)
    yield


async def test_what_a_crash_left_goes_and_what_has_a_row_stays(
    studio: World, vera: httpx.AsyncClient, aged: None
) -> None:
    paths = studio.studio.settings.paths
    made = (await vera.post(PATH, content=b"{}")).json()
    endpoint = (await studio.store.read(lambda db: endpoints.get(db, "demo", "rain"))).id
    orphan = async_files.place(paths, "demo", endpoint, "async-orphan")
    gone = async_files.place(paths, "demo", "ep-gone", "async-x")
    for folder in (orphan, gone, paths.invocations / async_files.INCOMING):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "half.new").write_bytes(b"half")
    found = async_files.listed(paths)
    later = async_files.place(paths, "demo", "ep-later", "async-later")  # made after the list: not judged by it
    later.mkdir(parents=True)
    async_files.clear(paths, found, await studio.store.read(async_invocations.ids))
    assert [item.parent.name for item in left(studio)] == [made["id"]]
    assert not gone.parent.exists() and later.exists()
