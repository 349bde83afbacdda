"""The Open Inference Protocol by an official client of it, Triton's, against real replicas behind the gateway, and
against hosts as endpoints are exported, where they have no gateway before them."""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.e2e.gateways import Gateway
from tests.e2e.gateways.serving import with_models
from tests.protocol.exported import hosts

COLUMNS = ["rain", "wind", "temp max"]
ROWS = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5], [4.0, 0.0, 0.0]])
TRUTH = ROWS @ [2.0, 3.0, 5.0]
MODELS = ("linear", "tensor", "mixed", "unsigned", "proba", "foreign")
EXPORTED = ("linear", "mixed", "foreign")  # each kind of loading; a process each takes a second or two


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Path]]:
    """Each model as an endpoint of its name; `linear` in versions 1 and, with all weights negated, 2."""
    with with_models(tmp_path_factory) as (one, models):
        for name in MODELS:
            one.endpoint(name, [("v1", 1.0, [one.replica(models / name, name)])])
        both = [("v1", 1.0, [one.replica_socket("linear")]), ("v2", 0.0, [one.replica(models / "negated", "negated")])]
        one.endpoint("linear", both)
        yield one, models


@pytest.fixture(scope="module")
def gateway(served: tuple[Gateway, Path]) -> Gateway:
    return served[0]


@pytest.fixture(scope="module")
def keyed(gateway: Gateway) -> Iterator["Client"]:
    """Studio's wire."""
    headers = {"Authorization": f"Bearer {gateway.token}"}
    with Client({"": f"http://{gateway.host}"}, headers) as found:
        yield found


@pytest.fixture(scope="module", params=["Studio", "exported host"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Client"]:
    """Both wires: what holds in one holds in the other."""
    if request.param == "Studio":
        yield request.getfixturevalue("keyed")
        return
    models = request.getfixturevalue("served")[1]
    with hosts(models, EXPORTED, tmp_path_factory.mktemp("exported")) as found:
        with Client({name: host.url for name, host in found.items()}, {}) as one:
            yield one


class Client:
    """Triton's client, with headers sent along: every call of it takes them (and writes into them); `plain` is HTTP
    alone. `urls`: of each model's host, "": of all others."""

    def __init__(self, urls: dict[str, str], headers: dict[str, str]) -> None:
        from tritonclient import http

        self._headers = headers
        self._clients = {name: http.InferenceServerClient(url.removeprefix("http://")) for name, url in urls.items()}
        self.plain = httpx.Client(transport=ByModel(urls), base_url="http://host", headers=headers, timeout=60)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.plain.close()
        for one in self._clients.values():
            one.close()

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **more: Any) -> Any:
            first = next(iter(self._clients))
            one = self._clients[given[0] if given and given[0] in self._clients else first]
            return getattr(one, name)(*given, **more, headers=dict(self._headers))

        return call


class ByModel(httpx.HTTPTransport):
    """Sends each request to the host of the model that its path names."""

    def __init__(self, urls: dict[str, str]) -> None:
        super().__init__()
        self._urls = {name: httpx.URL(url) for name, url in urls.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        named = [part for part in request.url.path.split("/") if part in self._urls]
        at = self._urls[named[0] if named else next(iter(self._urls))]
        request.url = request.url.copy_with(host=at.host, port=at.port)
        request.headers["host"] = f"{at.host}:{at.port}"
        return super().handle_request(request)


@pytest.fixture
def plain(client: Client) -> httpx.Client:
    return client.plain


def tensor(name: str, array: Any, datatype: str, *, binary: bool) -> Any:
    from tritonclient import http

    found = http.InferInput(name, list(array.shape), datatype)
    found.set_data_from_numpy(array, binary_data=binary)
    return found


def test_health_and_metadata(client: Client) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("linear") and client.is_model_ready("linear", "1")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    said = client.get_model_metadata("linear")
    assert (said["name"], said["versions"], said["platform"]) == ("linear", ["1"], "mlflow_sklearn")
    assert said["inputs"] == [{"name": name, "datatype": "FP64", "shape": [-1]} for name in COLUMNS]
    assert said["outputs"] == [{"name": "predict", "datatype": "FP64", "shape": [-1]}]
    assert client.get_model_metadata("mixed")["inputs"][0] == {"name": "city", "datatype": "BYTES", "shape": [-1]}


def test_metadata_of_a_tensor(keyed: Client) -> None:
    assert keyed.get_model_metadata("tensor")["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 3]}]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("model", ["tensor", "unsigned"])
def test_numbers_where_no_columns_are_named(keyed: Client, model: str, binary: bool) -> None:
    test_numbers_as_columns_and_as_one_matrix(keyed, "matrix", binary, model)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("kind", ["columns", "matrix"])
def test_numbers_as_columns_and_as_one_matrix(client: Client, kind: str, binary: bool, model: str = "linear") -> None:
    from tritonclient import http

    if kind == "matrix":
        inputs = [tensor("input-0", ROWS, "FP64", binary=binary)]
    else:
        inputs = [
            tensor(name, ROWS[:, [at]] if at else ROWS[:, at], "FP64", binary=binary) for at, name in enumerate(COLUMNS)
        ]
    outputs = [http.InferRequestedOutput("predict", binary_data=binary)]
    answer = client.infer(model, inputs, outputs=outputs, request_id="mine")
    assert answer.as_numpy("predict") == pytest.approx(TRUTH)
    said = answer.get_response()
    assert (said["model_name"], said["model_version"], said["id"]) == (model, "1", "mine")


def test_singles_become_what_the_model_takes(client: Client) -> None:
    single = ROWS.astype("float32")
    assert client.infer("linear", [tensor("x", single, "FP32", binary=True)]).as_numpy("predict") == pytest.approx(
        TRUTH, rel=1e-6
    )


def test_whole_numbers_become_what_the_model_takes(keyed: Client) -> None:
    whole = np.array([[1, 2, 3]], dtype="int64")
    assert keyed.infer("tensor", [tensor("x", whole, "INT64", binary=False)]).as_numpy("predict") == pytest.approx(
        [23.0]
    )


@pytest.mark.parametrize("binary", [True, False])
def test_columns_of_several_types(client: Client, plain: httpx.Client, binary: bool) -> None:
    inputs = [
        tensor("city", np.array(["Oslo", "Rome"], dtype=object), "BYTES", binary=binary),
        tensor("days", np.array([3, 50], dtype="int64"), "INT64", binary=binary),
        tensor("dry", np.array([True, False]), "BOOL", binary=binary),
        tensor("mm", np.array([0.5, -0.25]), "FP64", binary=binary),
    ]
    found = client.infer("mixed", inputs).as_numpy("predict")
    table = {"columns": ["city", "days", "dry", "mm"], "data": [["Oslo", 3, True, 0.5], ["Rome", 50, False, -0.25]]}
    same = plain.post("/endpoints/mixed/invocations", json={"dataframe_split": table}).json()["predictions"]
    assert found == pytest.approx(same)


def test_a_matrix_as_output(keyed: Client) -> None:
    proba = keyed.infer("proba", [tensor("x", ROWS, "FP64", binary=True)])
    assert proba.as_numpy("predict").shape == (3, 2) and proba.as_numpy("predict").sum(axis=1) == pytest.approx([1] * 3)


def test_a_table_and_words_as_output(client: Client, plain: httpx.Client) -> None:
    """`foreign`, which only MLflow's pyfunc can load, gives a table with a column of words."""
    from tritonclient import http

    inputs = [tensor(name, ROWS[:, at], "FP64", binary=True) for at, name in enumerate(COLUMNS)]
    both = client.infer("foreign", inputs)
    assert both.as_numpy("sum") == pytest.approx(ROWS.sum(axis=1))
    assert both.as_numpy("word").tolist() == [b"rain 1.0", b"rain 0.0", b"rain 4.0"]
    one = client.infer("foreign", inputs, outputs=[http.InferRequestedOutput("word", binary_data=False)])
    assert one.get_response()["outputs"][0]["data"] == ["rain 1.0", "rain 0.0", "rain 4.0"]
    matrix = {"inputs": [{"name": "all", "shape": [3, 3], "datatype": "FP64", "data": ROWS.tolist()}]}
    said = plain.post("/v2/models/foreign/infer", json=matrix).json()
    assert [output["name"] for output in said["outputs"]] == ["sum", "word"]


def test_a_version_is_asked_for_by_its_number(keyed: Client) -> None:
    inputs = [tensor("x", ROWS, "FP64", binary=True)]
    for version, sign in (("1", 1), ("2", -1)):
        answer = keyed.infer("linear", inputs, model_version=version)
        assert answer.as_numpy("predict") == pytest.approx(sign * TRUTH)
        assert answer.get_response()["model_version"] == version
    with pytest.raises(Exception, match=r"does not serve version '7'. It serves 1, 2"):
        keyed.infer("linear", inputs, model_version="7")


WRONG: list[tuple[Any, str]] = [
    ([], "not one of the Open Inference Protocol"),
    ({"inputs": []}, "has no inputs"),
    ({"inputs": [{"name": "rain", "shape": [1], "datatype": "FP65", "data": [1]}]}, "none of the protocol's"),
    ({"inputs": [{"name": "rain", "shape": [2], "datatype": "FP64", "data": [1]}]}, "has 1 values.* wants 2"),
    ({"inputs": [{"name": "rain", "shape": [-1], "datatype": "FP64", "data": [1]}]}, "the shape"),
    ({"inputs": [{"name": "rain", "shape": [1], "datatype": "INT8", "data": [300]}]}, "not INT8"),
    ({"inputs": [{"name": "rain", "shape": [1], "datatype": "INT64", "data": [1.5]}]}, "ot whole numbers"),
    ({"inputs": [{"name": "rain", "shape": [1], "datatype": "FP64", "data": ["a"]}]}, "'rain'.*not FP64"),
    ({"inputs": [{"name": "rain", "shape": [1], "datatype": "FP64"}]}, "no data"),
    ({"inputs": [{"name": "rain", "shape": [1], "datatype": "FP64", "data": [1]}]}, r"missing inputs \['wind'"),
    ({"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}, "the model has 3 columns"),
    (
        {"inputs": [{"name": n, "shape": [1], "datatype": "FP64", "data": [1]} for n in ("rain", "rain")]},
        "occurs twice",
    ),
    (
        {"inputs": [{"name": "rain", "shape": [9], "datatype": "FP64", "parameters": {"binary_data_size": 72}}]},
        "binary_data_size 72",
    ),
    (
        {
            "inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}],
            "outputs": [{"name": "other"}],
        },
        "no output 'other'",
    ),
]


@pytest.mark.parametrize(("body", "said"), WRONG)
def test_what_is_wrong_is_said_in_the_protocols_form(plain: httpx.Client, body: Any, said: str) -> None:
    answer = plain.post("/v2/models/linear/infer", json=body)
    assert answer.status_code == 400 and list(answer.json()) == ["error"]

    assert re.search(said, answer.json()["error"]), answer.text


def test_binary_data_that_does_not_add_up(plain: httpx.Client) -> None:
    """Sizes that lie, a length beyond the body, texts whose lengths lead out: refused, and the replica lives."""

    def ask(inputs: list[dict[str, Any]], data: bytes, length: int | str | None = None) -> httpx.Response:
        head = json.dumps({"inputs": inputs}).encode()
        headers = {"inference-header-content-length": str(len(head) if length is None else length)}
        return plain.post("/v2/models/mixed/infer", content=head + data, headers=headers)

    def one(size: int, **more: Any) -> list[dict[str, Any]]:
        return [{"name": "mm", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": size}} | more]

    bad = struct.pack("<I", 2**31) + b"x"
    for inputs, data, length in (
        (one(8), b"1234567", None),
        (one(8), b"123456789", None),
        (one(-8), b"12345678", None),
        (one(8), b"12345678", 10**6),
        (one(8), b"12345678", "9" * 13),
        (one(8), b"12345678", "+5"),
        (one(8, shape=[2**40, 2**40]), b"12345678", None),
        (one(len(bad), datatype="BYTES"), bad, None),
    ):
        answer = ask(inputs, data, length)
        assert answer.status_code == 400 and list(answer.json()) == ["error"], answer.text
    assert plain.post("/v2/models/mixed/infer", content=b"x", headers={"content-encoding": "gzip"}).status_code == 415
    assert plain.get("/v2/models/mixed/ready").json() == {"name": "mixed", "ready": True}


def test_who_may_and_what_is_not_there(gateway: Gateway, keyed: Client) -> None:
    plain = keyed.plain
    assert httpx.get(f"http://{gateway.host}/v2/health/live").status_code == 401
    for path in ("/v2/models/none", "/v2/models/none/ready", "/v2/repository/index"):
        answer = plain.get(path)
        assert answer.status_code == 404 and list(answer.json()) == ["error"]
    assert plain.get("/v2/models/linear/infer").status_code == 400
    gateway.endpoint("empty", [("v1", 1.0, [])])
    assert plain.get("/v2/models/empty/ready").json() == {"name": "empty", "ready": False}
    gateway.set({"endpoints/demo/empty": None})
