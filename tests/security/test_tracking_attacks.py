"""Attacks 1–6, 10, 11 and 30 on tracking and registry, through the gateway of a running product."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from studio.wire import mlflow as wire
from tests.security.tracked_site import API, FILES, MARK, REST, Site, site

__all__ = ["site"]  # the fixture

OUT = [
    *("..", "../other", "../../studio.db", "a/../../other/x", "./../other"),
    *("%2e%2e", "%2e%2e/other", "%252e%252e/other", "..%2fother", "..%252fother", "%2e%2e%2f%2e%2e%2fstudio.db"),
    *("..;/other", "..;x=1/other", ";/../other", "a;/../../other"),
    *("/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "/", "file:///etc/passwd", "C:/x", "C:%5cx"),
    *("a%00.txt", "..%5cother", "a\\b", "%5c%5chost%5cshare", "\\\\host\\share", "a%0d%0ab"),
]


# 1–6: paths
@pytest.mark.parametrize("path", OUT)
def test_no_path_of_an_artifact_leads_out(site: Site, path: str) -> None:
    shared = "\\" not in path
    for method in ("GET", "PUT", "DELETE"):
        status, body = site.raw(method, f"{FILES}/{path}", b"x" if method == "PUT" else b"")
        assert status in (400, 404), f"{method} {path} answered {status} {body[:200]!r}"
    for step in ("create", "complete", "abort"):
        status, _ = site.raw(
            "POST", f"/api/2.0/mlflow-artifacts/mpu/{step}/{path}", b"{}", content_type="application/json"
        )
        assert status in (400, 404, 501)
    assert site.raw("GET", f"/api/2.0/mlflow-artifacts/presigned/{path}")[0] in (400, 404, 501)
    run, model = site.ids["run"], site.ids["model"]
    # In a query a path is decoded once: what still decodes to something else is refused, not decoded again.
    for target in (
        f"{FILES}?path=",
        f"{API}artifacts/list?run_id={run}&path=",
        f"{API}logged-models/{model}/artifacts/directories?artifact_directory_path=",
        f"{REST}demo/runs/{run}/artifacts?path=",
        f"{REST}demo/runs/{run}/artifacts/file?path=",
        f"{REST}demo/logged-models/{model}/artifacts?path=",
        f"{REST}demo/logged-models/{model}/artifacts/file?path=",
        f"{REST}demo/logged-models/{model}/card?path=",
    ):
        for written in {quote(path, safe=""), path if shared else quote(path)}:
            status, body = site.raw("GET", target + written)
            assert status in (400, 404, 422) or body in (b"{}", b"[]", b'{"files":[]}') or _own(body), (
                f"{target}{written}"
            )
    assert site.live.settings.paths.database.exists()


def _own(body: bytes) -> bool:
    """A listing of the run's own top: "/" and the like mean that."""
    return b"demo2" not in body and b"studio.db" not in body and b"root:" not in body and b"passwd" not in body


def test_a_sibling_whose_name_begins_the_same_is_another_domain(site: Site) -> None:
    assert site.bob.put(f"{FILES}/secret.txt", content=b"of demo2").status_code == 200
    for path in ("../demo2/secret.txt", "2/secret.txt", "../demo2", "secret.txt", "demo2/secret.txt"):
        status, body = site.raw("GET", f"{FILES}/{path}")
        assert status in (400, 404) and b"of demo2" not in body
    # Nor does a run whose id begins like another's reach that one's files.
    run = site.ids["run"]
    for sibling in (f"{run}2", run[:-1]):
        source = f"mlflow-artifacts:/{site.ids['experiment']}/{sibling}/artifacts/m"
        body = {"name": "theirs", "source": source, "run_id": run}
        assert site.ann.post(API + "model-versions/create", json=body).status_code == 400


def test_parts_and_signed_addresses_pass_the_gateway_and_lead_nowhere_else(site: Site) -> None:
    mpu = "/api/2.0/mlflow-artifacts/mpu"
    made = site.ann.post(f"{mpu}/create/in%20parts", json={"path": "ü.bin", "num_parts": 2}).json()
    parts = []
    for part in made["credentials"]:
        assert part["url"].startswith(site.address) and part["headers"] == {}
        answer = httpx.put(part["url"], content=b"x" * 100_000)
        parts.append({"part_number": part["part_number"], "etag": answer.headers["etag"]})
    done = {"path": "ü.bin", "upload_id": made["upload_id"], "parts": parts}
    assert site.ann.post(f"{mpu}/complete/in%20parts", json=done).status_code == 200
    url = site.ann.get("/api/2.0/mlflow-artifacts/presigned/in%20parts/ü.bin").json()["url"]
    assert httpx.get(url, headers={"range": "bytes=99999-"}).content == b"x" * 100_001
    target = url.removeprefix(site.address)
    for odd in (
        f"{target}/../../artifacts/a.txt",
        f"{target}%2f..%2fx",
        f"{target}%00",
        target.replace("signed/", "signed/../"),
    ):
        assert site.raw("GET", odd)[0] in (400, 401, 404)
    # Asked for under a foreign name, nothing is signed for it: the gateway answers to its own names only.
    assert site.ann.get(f"{FILES}/a.txt", headers={"host": "evil.test"}).status_code == 421


# 10, 11: locations and sources
@pytest.mark.parametrize(
    "location",
    [
        *("file:///etc", "file:/etc", "/etc", "etc/passwd", "http://127.0.0.1:1/x", "https://evil.test/x", "s3://b/k"),
        *("mlflow-artifacts://evil.test/x", "mlflow-artifacts:/../demo2", "mlflow-artifacts:/%2e%2e/demo2"),
        *("mlflow-artifacts:/a?x=../..", "mlflow-artifacts:/a#/../..", "MLFLOW-ARTIFACTS:/..", "dbfs:/x", "runs:/x"),
        *(
            "ftp://h/x",
            "hdfs://h/x",
            "\\\\host\\share",
            "mlflow-artifacts:/a\\..\\b",
            "sftp://h/etc",
            "file://localhost/etc",
        ),
    ],
)
def test_files_lie_in_the_domain_whatever_a_client_says(site: Site, location: str) -> None:
    made = site.ann.post(API + "experiments/create", json={"name": f"at {location}", "artifact_location": location})
    assert (made.status_code, made.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    gone = site.ann.get(API + "experiments/get-by-name", params={"experiment_name": f"at {location}"})
    assert gone.status_code == 404
    run = site.ids["run"]
    for given in ({"run_id": run}, {}, {"model_id": site.ids["model"]}):
        body = {"name": "theirs", "source": location, **given}
        made = site.ann.post(API + "model-versions/create", json=body)
        assert (made.status_code, made.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), made.text
    assert len(site.state()[3]["registered_model"]["latest_versions"]) == 1


def test_a_version_is_made_from_what_is_its_runs_own(site: Site) -> None:
    other = site.made("runs/create", {"experiment_id": site.ids["experiment"]})["run"]["info"]["run_id"]
    run, experiment = site.ids["run"], site.ids["experiment"]
    for source, run_id in (
        (f"mlflow-artifacts:/{experiment}/{run}/artifacts/m", other),
        (f"mlflow-artifacts:/{experiment}/{run}/artifacts/m", ""),
        (f"mlflow-artifacts:/{experiment}/{run}/artifacts/../../{other}/artifacts", run),
        (f"runs:/{run}/m", other),
        (f"runs:/{run}/../{other}/artifacts", run),
        (f"runs:/{'0' * 32}/m", ""),
        ("models:/m-00000000000000000000000000000000", ""),
        ("models:/theirs/99", ""),
        ("models://other-registry/theirs/1", ""),
    ):
        body = {"name": "theirs", "source": source, "run_id": run_id}
        made = site.ann.post(API + "model-versions/create", json=body)
        assert made.status_code in (400, 404), f"{source} {made.text}"
    assert len(site.state()[3]["registered_model"]["latest_versions"]) == 1


# 30: another domain's ids
NAMED = {
    **dict.fromkeys(("run_id", "run_uuid", "source_run_id"), "run"),
    **dict.fromkeys(("experiment_id",), "experiment"),
    **dict.fromkeys(("model_id",), "model"),
}


def test_another_domains_ids_give_and_change_nothing_on_any_route(site: Site) -> None:
    """Every route of the wire, its body and path filled with demo's ids, sent with demo2's key."""
    before = site.state()
    asked = 0
    for route in wire.routes:
        if "/mlflow" not in route.path or "ajax-api" in route.path or route.path.endswith("{rest:path}"):
            continue
        path = route.path
        for name, value in (("model_id", site.ids["model"]), ("path:path", _of_file(site)), ("step", "create")):
            path = path.replace("{" + name + "}", value)
        path = path.replace("{trace_id}", "tr-" + "0" * 32)
        if "{" in path:
            path = path.split("{", maxsplit=1)[0] + "x"
        body = _filled(site, getattr(route.endpoint, "_body", None))
        for method in sorted((route.methods or set()) - {"HEAD"}):
            sent: dict[str, Any] = {"params": body} if method == "GET" else {"json": body}
            answer = site.bob.request(method, path, **sent)
            assert answer.status_code < 500 or answer.status_code == 501, f"{method} {path} {answer.text}"
            assert MARK not in answer.text or _echoes(body), f"{method} {path} told {answer.text[:300]}"
            asked += 1
    assert asked > 60
    assert site.state() == before


def _of_file(site: Site) -> str:
    return f"{site.ids['experiment']}/{site.ids['run']}/artifacts/a.txt"


def _filled(site: Site, body: type[msgspec.Struct] | None) -> dict[str, Any]:
    """A body with demo's ids and names wherever it has a field for them."""
    found: dict[str, Any] = {}
    for one in msgspec.structs.fields(body) if body is not None else ():
        name = one.encode_name
        if name in NAMED:
            found[name] = site.ids[NAMED[name]]
        elif name.removesuffix("s") in NAMED and name.endswith("s"):
            found[name] = [site.ids[NAMED[name.removesuffix("s")]]]
        elif name == "name":
            found[name] = "theirs"
        elif name in ("version", "alias", "key", "value"):
            found[name] = "1"
        elif name == "path":
            found[name] = _of_file(site)
    return found


def _echoes(body: dict[str, Any]) -> bool:
    return MARK in json.dumps(body)


@pytest.mark.parametrize("domain", ["demo", "demo2"])
def test_another_domains_ids_give_nothing_in_the_panels_api(site: Site, domain: str) -> None:
    run, model = site.ids["run"], site.ids["model"]
    found = 0
    for path in (
        f"runs/{run}",
        f"runs/{run}/artifacts",
        f"runs/{run}/artifacts/file?path=a.txt",
        f"runs/{run}/metrics/m",
        f"runs/{run}/card",
        f"runs/{run}/cost",
        f"logged-models/{model}/artifacts",
        f"logged-models/{model}/card",
        "models/theirs",
        "models/theirs/versions/1/card",
    ):
        answer = site.bob.get(REST + f"{domain}/{path}")
        assert answer.status_code == (403 if domain == "demo" else 404), f"{path} {answer.status_code} {answer.text}"
        assert MARK not in answer.text
        found += site.ann.get(REST + f"demo/{path}").status_code == 200
    assert found >= 5  # they are real paths
    answer = site.bob.post(REST + "demo2/runs/search", json={"experiment_ids": [site.ids["experiment"]]})
    assert answer.json()["runs"] == []
    assert site.bob.post(REST + "demo/runs/search", json={}).status_code == 403
