"""Attacks 39, 40, 51 and 54–56 on tracking and registry: what is logged, and how much; through a running product."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.security.tracked_site import API, FILES, REST, SCRIPT, Site, site

__all__ = ["site"]  # the fixture


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
