"""Attacks 1–6, 10, 11, 30, 39, 40, 51, 54–56 on tracking and registry, through the gateway of a running product."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import pytest

from studio.wire import mlflow as wire
from tests import leaks
from tests.live import Live

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
REST = "/api/v1/domains/"
SCRIPT = "<script>window.hit=1</script><img src=x onerror='window.hit=1'>\u202e"
MARK = "known-to-demo-alone"
OUT = [
    *("..", "../other", "../../studio.db", "a/../../other/x", "./../other"),
    *("%2e%2e", "%2e%2e/other", "%252e%252e/other", "..%2fother", "..%252fother", "%2e%2e%2f%2e%2e%2fstudio.db"),
    *("..;/other", "..;x=1/other", ";/../other", "a;/../../other"),
    *("/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "/", "file:///etc/passwd", "C:/x", "C:%5cx"),
    *("a%00.txt", "..%5cother", "a\\b", "%5c%5chost%5cshare", "\\\\host\\share", "a%0d%0ab"),
]


@dataclass
class Site:
    """demo with ann (editor), and its sibling by name demo2 with bob (admin); everything that demo has is marked."""

    live: Live
    address: str
    ann: httpx.Client
    bob: httpx.Client
    ids: dict[str, str] = field(default_factory=dict)

    def fill(self) -> None:
        """An experiment, a run with a file, a logged model, a registered model with a version, a trace."""
        experiment = self.made("experiments/create", {"name": MARK})["experiment_id"]
        info = self.made("runs/create", {"experiment_id": experiment, "run_name": MARK})["run"]["info"]
        run_id = info["run_id"]
        self.made("runs/log-batch", {"run_id": run_id, "params": [{"key": "p", "value": MARK}]})
        self.made("runs/log-metric", {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1})
        model = self.made("logged-models", {"experiment_id": experiment, "name": "model", "source_run_id": run_id})
        self.made("registered-models/create", {"name": "theirs", "description": MARK})
        source = f"runs:/{run_id}/model"
        self.made("model-versions/create", {"name": "theirs", "source": source, "run_id": run_id, "description": MARK})
        self.ids = {"experiment": experiment, "run": run_id, "model": model["model"]["info"]["model_id"]}
        assert self.ann.put(f"{FILES}/{experiment}/{run_id}/artifacts/a.txt", content=MARK).status_code == 200

    def made(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.ann.post(API + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> list[Any]:
        """What ann sees of what `fill` made."""
        run, files = self.ids["run"], {"path": f"{self.ids['experiment']}/{self.ids['run']}/artifacts"}
        return [
            self.ann.get(API + "runs/get", params={"run_id": run}).json(),
            self.ann.get(API + "experiments/get", params={"experiment_id": self.ids["experiment"]}).json(),
            self.ann.get(f"{API}logged-models/{self.ids['model']}").json(),
            self.ann.get(API + "registered-models/get", params={"name": "theirs"}).json(),
            self.ann.get(API + "model-versions/get", params={"name": "theirs", "version": "1"}).json(),
            self.ann.get(FILES, params=files).json(),
        ]

    def raw(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """(status, body) of a request whose target no client tidies up."""
        at = urlsplit(self.address)
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {at.netloc}",
            f"Authorization: {self.ann.headers['authorization']}",
        ]
        lines += [f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        with socket.create_connection((at.hostname, at.port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), rest


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    live = Live(tmp_path_factory.mktemp("home"))
    try:
        live.studio("up", "--detach", "--no-browser", "--port", "0")
        with live.operator() as api:
            api.post("domains", {"name": "demo2"})
            for user, domain, role in (("ann", "demo", "editor"), ("bob", "demo2", "admin")):
                api.post("users", {"name": user})
                api.post(f"domains/{domain}/members", {"user": user, "role": role})
        address = live.address
        with client(address, live.key("demo", "ann")) as ann, client(address, live.key("demo2", "bob")) as bob:
            found = Site(live, address, ann, bob)
            found.fill()
            yield found
    finally:
        pids = leaks.table(live.settings)
        live.stop()
        leaks.check(live.settings, pids)


def client(address: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=60)


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


# 39, 40: what a browser would run
def test_markup_is_kept_as_text_and_told_as_json(site: Site) -> None:
    experiment = site.made("experiments/create", {"name": f"x {SCRIPT}"})["experiment_id"]
    run = site.made("runs/create", {"experiment_id": experiment, "run_name": SCRIPT})["run"]["info"]["run_id"]
    tags = [{"key": "mlflow.note.content", "value": SCRIPT}, {"key": "own", "value": SCRIPT}]
    site.made("runs/log-batch", {"run_id": run, "params": [{"key": "p", "value": SCRIPT}], "tags": tags})
    site.made("registered-models/create", {"name": f"m {SCRIPT.split('/', maxsplit=1)[0]}", "description": SCRIPT})
    for path in (
        f"{API}runs/get?run_id={run}",
        f"{API}experiments/get?experiment_id={experiment}",
        f"{API}registered-models/search",
        f"{API}runs/get?run_id={quote(SCRIPT)}",
        f"{API}{quote(SCRIPT)}",
        f"{REST}demo/runs/{run}",
        f"{REST}demo/models",
        f"{REST}demo/runs/{quote(SCRIPT, safe='')}",
        f"/{quote(SCRIPT, safe='')}",
    ):
        for accept in ("*/*", "text/html"):
            answer = site.ann.get(path, headers={"accept": accept})
            kind = answer.headers["content-type"]
            assert kind.startswith("application/json") or "<script>window" not in answer.text, f"{path} {kind}"
    # A metric's key cannot hold markup at all.
    refused = site.ann.post(API + "runs/log-metric", json={"run_id": run, "key": SCRIPT, "value": 1, "timestamp": 1})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/json")


@pytest.mark.parametrize(
    "name", ["page.html", "picture.svg", "page.xhtml", "data.xml", "code.js", "book.pdf", "no-type", "MLmodel"]
)
def test_no_artifact_runs_in_a_page(site: Site, name: str) -> None:
    content = b"<svg xmlns='http://www.w3.org/2000/svg' onload='hit()'><script>hit()</script></svg>"
    path = f"{site.ids['experiment']}/{site.ids['run']}/artifacts/shown/{name}"
    assert site.ann.put(f"{FILES}/{path}", content=content).status_code == 200
    of_run = f"{REST}demo/runs/{site.ids['run']}/artifacts/file"
    for url, params in ((f"{FILES}/{path}", {}), (of_run, {"path": f"shown/{name}"})):
        for headers in ({}, {"range": "bytes=1-5"}, {"range": "bytes=9999-"}, {"accept": "text/html"}):
            answer = site.ann.get(url, params=params, headers=headers)
            assert answer.status_code in (200, 206, 416)
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("sandbox;")


def test_a_files_name_cannot_forge_headers(site: Site) -> None:
    for name in ('a";x="b.txt', "ä ö.txt", "a\u2028b.txt", "'; rm -rf.txt", "x" * 200 + ".txt"):
        path = f"{FILES}/named/{quote(name, safe='')}"
        assert site.ann.put(path, content=b"1").status_code == 200
        answer = site.ann.get(path)
        head = answer.headers["content-disposition"]
        assert answer.content == b"1" and head.count('"') == 2 and quote(name, safe="") in head


# 51, 54: models are files here, whatever they say
LINKED = "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
LOADER = """flavors:
  python_function: {loader_module: os, data: "; touch {hit}"}
  sklearn: {pickled_model: ../x}
"""
EVIL = {
    "tags": "!!python/object/apply:os.system ['touch {hit}']",
    "flavor": LOADER,
    "new": "!!python/object/new:subprocess.Popen [['touch', '{hit}']]",
    "module": "a: !!python/module:os\nb: !!python/name:os.system",
    "bomb": f"a: &a [x,x,x,x,x,x,x,x,x]\n{LINKED}flavors:\n  x:\n    data: *i\n",
    "deep": "[" * 20_000,
    "dashes": "- " * 20_000,
}


@pytest.mark.parametrize("kind", EVIL)
def test_an_evil_mlmodel_is_registered_and_read_as_text_only(site: Site, kind: str) -> None:
    hit = site.live.home / f"hit-{kind}"
    run = site.made("runs/create", {"experiment_id": site.ids["experiment"]})["run"]["info"]["run_id"]
    at = f"{FILES}/{site.ids['experiment']}/{run}/artifacts/model"
    for name, content in (
        ("MLmodel", EVIL[kind].replace("{hit}", str(hit))),
        ("model.pkl", "cos\nsystem\n(S'touch x'\ntR."),
    ):
        assert site.ann.put(f"{at}/{name}", content=content).status_code == 200
    name = f"evil-{kind}"
    site.made("registered-models/create", {"name": name})
    site.made("model-versions/create", {"name": name, "source": f"runs:/{run}/model", "run_id": run})
    for path in (f"models/{name}", "models", f"models/{name}/versions/1/card", f"runs/{run}/card?path=model"):
        answer = site.ann.get(REST + f"demo/{path}")
        assert answer.status_code in (200, 400, 404), f"{path} {answer.text}"
    assert not hit.exists()
    assert site.ann.get("/health").status_code == 200


# 55: too much
def test_bodies_beyond_reason_are_refused_and_the_server_goes_on(site: Site) -> None:
    run = site.ids["run"]
    before = site.state()
    deep = b'{"run_id":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    wide = json.dumps({"run_id": run, "params": [{"key": f"k{n}", "value": "v"} for n in range(5000)]}).encode()
    kind = {"content-type": "application/json"}
    for path, content, statuses in (
        ("runs/log-batch", b" " * (33 << 20), {413}),
        ("runs/log-batch", deep, {400}),
        ("runs/log-batch", wide, {400}),
        ("runs/set-tag", json.dumps({"run_id": run, "key": "k" * 251, "value": "v"}).encode(), {400}),
        ("runs/log-batch", b'{"run_id": "%s", "run_id": {}}' % run.encode(), {400}),
        ("runs/log-batch", b"\xff\xfe\x00", {400}),
    ):
        answer = site.ann.post(API + path, content=content, headers=kind)
        assert answer.status_code in statuses, f"{path} {answer.status_code} {answer.text[:200]}"
        assert answer.json()["error_code"]
    for content in (deep, b" " * (33 << 20)):
        answer = site.ann.post(REST + "demo/runs/search", content=content, headers=kind)
        assert answer.status_code in (400, 413, 422)
    assert site.state() == before


def test_a_body_without_an_end_is_cut_where_the_limit_is(site: Site) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * (1 << 20)

    for path in (API + "runs/log-batch", REST + "demo/runs/search"):
        try:
            answer = site.ann.post(path, content=endless(), headers={"content-type": "application/json"})
        except httpx.TransportError:
            continue  # cut while it was being sent
        assert answer.status_code == 413
    assert site.ann.get("/health").status_code == 200


def test_compressed_bodies_do_not_swell(site: Site) -> None:
    import gzip

    bomb = gzip.compress(b" " * (64 << 20))
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert site.ann.post(API + "runs/log-batch", content=bomb, headers=headers).status_code == 400
    assert site.ann.post(REST + "demo/runs/search", content=bomb, headers=headers).status_code in (400, 422)
    # What is not JSON is refused, or kept as it came.
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip", "x-mlflow-experiment-id": "0"}
    assert site.ann.post("/v1/traces", content=bomb, headers=headers).status_code in (200, 400, 413)
    assert site.ann.put(f"{FILES}/bomb.gz", content=bomb, headers={"content-encoding": "gzip"}).status_code == 200
    assert site.ann.get(f"{FILES}/bomb.gz").content == bomb


# 56: filters
PATHOLOGICAL: dict[str, Callable[[], str]] = {
    "long": lambda: "params.a = 'x' AND " * 20_000 + "params.a = 'x'",
    "parentheses": lambda: "(" * 50_000 + "params.a = 'x'" + ")" * 50_000,
    "quotes": lambda: "params.a = '" + "'" * 9_000,
    "list": lambda: "run_id IN (" + ",".join("'x'" for _ in range(100_000)) + ")",
    "backtracking": lambda: "params.`" + "a" * 9_000,
    "not": lambda: "NOT " * 2_000 + "params.a = 'x'",
    "numbers": lambda: "metrics.a > " + "9" * 9_000 + "." * 500,
    "injection": lambda: "params.a = 'x'; DROP TABLE runs --",
    "comment": lambda: "params.a = 'x' /* */ UNION SELECT * FROM keys",
}


@pytest.mark.parametrize("kind", PATHOLOGICAL)
def test_a_pathological_filter_is_refused_by_every_search(site: Site, kind: str) -> None:
    text = PATHOLOGICAL[kind]()
    experiments = [site.ids["experiment"]]
    for path, key, more in (
        ("runs/search", "filter", {"experiment_ids": experiments}),
        ("experiments/search", "filter", {"max_results": 10}),
        ("logged-models/search", "filter", {"experiment_ids": experiments}),
    ):
        answer = site.ann.post(API + path, json={key: text, **more})
        assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE", answer.text[:300]
    answer = site.ann.post(REST + "demo/runs/search", json={"filter": text})
    assert answer.status_code == 400
    for path in ("registered-models/search", "model-versions/search"):
        status, _ = site.raw("GET", f"{API}{path}?filter={quote(text[:4000], safe='')}")
        assert status == 400


def test_patterns_that_could_take_forever_do_not(site: Site) -> None:
    """LIKE with many wildcards against a long value: the answer comes, and nobody else waits for it."""
    run = site.made("runs/create", {"experiment_id": site.ids["experiment"]})["run"]["info"]["run_id"]
    site.made("runs/log-batch", {"run_id": run, "params": [{"key": "long", "value": "a" * 5_000}]})
    for op in ("LIKE", "ILIKE"):
        body = {"experiment_ids": [site.ids["experiment"]], "filter": f"params.long {op} '{'%a' * 1_000}%b'"}
        answer = site.ann.post(API + "runs/search", json=body, timeout=20)
        assert answer.status_code == 400 or "runs" not in answer.json()
