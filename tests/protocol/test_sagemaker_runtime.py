"""SageMaker's runtime by `boto3`, unchanged: signed requests, its headers, its exceptions; real replicas behind."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.e2e.gateways import Gateway
from tests.e2e.gateways.serving import with_models
from tests.unit.gateway.test_aws_signature import SECRET

COLUMNS = ["rain", "wind", "temp max"]
BODY = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [[1.0, 2.0, 3.0]]}})

SCRIPT = """
def model_fn(model_dir):
    return 2

def predict_fn(data, model):
    return data * model
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with with_models(tmp_path_factory) as (one, models):
        both = [("v1", 1.0, [one.replica(models / "linear", "l")]), ("v2", 0.0, [one.replica(models / "negated", "n")])]
        one.endpoint("rain", both)
        code = models.parent / "script" / "code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(SCRIPT)
        one.endpoint("script", [("v1", 1.0, [one.replica(code.parent, "script")])])
        yield one


def runtime(gateway: Gateway, secret: str = "", key_id: str = "key-test") -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://{gateway.host}",
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret or gateway.secret_of_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Any]:
    found = runtime(gateway)
    yield found
    found.close()


def refused(client: Any, **given: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        client.invoke_endpoint(**{"EndpointName": "rain", "ContentType": "application/json", "Body": BODY} | given)
    client.close()
    return caught.value


def test_invoke_endpoint(client: Any) -> None:
    answer = client.invoke_endpoint(
        EndpointName="rain", ContentType="application/json", Body=BODY, InferenceId="mine-7", CustomAttributes="a b  c"
    )
    assert json.load(answer["Body"])["predictions"] == pytest.approx([23.0])
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", "v1")
    pinned = client.invoke_endpoint(EndpointName="rain", TargetVariant="v2", Body=BODY, ContentType="application/json")
    assert json.load(pinned["Body"])["predictions"] == pytest.approx([-23.0])
    table = "rain,wind,temp max\n1,2,3\n0,0,1\n"
    csv = client.invoke_endpoint(EndpointName="rain", ContentType="text/csv", Body=table.encode())
    assert json.load(csv["Body"])["predictions"] == pytest.approx([23.0, 5.0])


def test_each_error_is_the_exception_that_boto3_knows(gateway: Gateway, client: Any) -> None:
    wrong = refused(client, Body=b'{"inputs": 1}')
    assert type(wrong).__name__ == "ModelError"
    assert wrong.response["OriginalStatusCode"] == 400 and "missing inputs" in wrong.response["OriginalMessage"]
    assert type(refused(runtime(gateway), EndpointName="none")).__name__ == "ValidationError"
    for given, code in (
        ({"secret": SECRET}, "UnrecognizedClientException"),
        ({"key_id": "key-none"}, "UnrecognizedClientException"),
    ):
        error = refused(runtime(gateway, **given))
        assert error.response["Error"]["Code"] == code and error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    gateway.endpoint("empty", [])
    assert type(refused(runtime(gateway), EndpointName="empty")).__name__ == "ServiceUnavailable"


def test_what_the_key_may_not_is_denied_and_only_after_the_proof(gateway: Gateway) -> None:
    """Who knows an id and no secret learns nothing: neither which endpoints there are, nor what is denied."""
    before = dict(gateway.table["keys/key-test"])
    gateway.set({"keys/key-test": before | {"actions": ["tracking.*"]}})
    assert refused(runtime(gateway)).response["Error"]["Code"] == "AccessDeniedException"
    unproven = [refused(runtime(gateway, SECRET), EndpointName=name).response["Error"] for name in ("rain", "none")]
    assert unproven[0] == unproven[1] and unproven[0]["Code"] == "UnrecognizedClientException"
    for change in ({"secret": None}, {"expires_ms": 1}):
        gateway.set({"keys/key-test": before | change})
        assert refused(runtime(gateway)).response["Error"]["Code"] == "UnrecognizedClientException"
    gateway.set({"keys/key-test": before})


def test_a_body_that_was_swapped_or_never_ends_is_refused(gateway: Gateway) -> None:
    """What boto3 would send, sent by hand with another body."""
    caught: list[Any] = []
    client = runtime(gateway)
    client.meta.events.register("before-send", lambda request, **_: caught.append(request) or None)
    client.invoke_endpoint(EndpointName="rain", ContentType="application/json", Body=BODY)
    client.close()
    headers = {name: value if isinstance(value, str) else value.decode() for name, value in caught[0].headers.items()}
    headers.pop("Content-Length", None)
    assert httpx.post(caught[0].url, content=BODY, headers=headers).status_code == 200
    other = httpx.post(caught[0].url, content=BODY.replace("3.0", "4.0"), headers=headers)
    assert other.status_code == 403 and "signature" in other.json()["Message"]

    def zeros() -> Iterator[bytes]:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            yield bytes(1 << 20)

    try:
        endless = httpx.post(caught[0].url, content=zeros(), headers=headers, timeout=60)
        assert endless.status_code == 400 and "33554432 bytes" in endless.json()["Message"]
    except httpx.WriteError:
        pass  # the connection was closed on what went on
    assert httpx.post(caught[0].url, content=BODY, headers=headers).status_code == 200


def test_the_key_signs_whatever_else_it_may_do(gateway: Gateway) -> None:
    """The figures, and the other protocol: one proof, then the same rules as for a bearer."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    for path in ("/metrics", "/v2/models/rain/ready"):
        made = AWSRequest(method="GET", url=f"http://{gateway.host}{path}")
        SigV4Auth(Credentials("key-test", gateway.secret_of_key), "sagemaker", "us-east-1").add_auth(made)
        assert httpx.get(made.url, headers=dict(made.headers.items())).status_code == 200


@pytest.mark.parametrize("accept", ["text/csv", "text/csv;q=0.9, application/json;q=0.1"])
def test_predictions_as_csv(client: Any, accept: str) -> None:
    given = {"ContentType": "text/csv", "Body": "rain,wind,temp max\n1,2,3\n0,0,1\n", "Accept": accept}
    answer = client.invoke_endpoint(EndpointName="rain", **given)
    assert answer["ContentType"] == "text/csv"
    assert [float(line) for line in answer["Body"].read().decode().splitlines()] == pytest.approx([23.0, 5.0])


def test_an_answer_that_cannot_be_given_is_refused_with_what_can(client: Any) -> None:
    error = refused(client, Accept="image/png")
    assert error.response["Error"]["Code"] == "ModelError"
    assert error.response["OriginalStatusCode"] == 406
    assert "application/json or text/csv" in error.response["OriginalMessage"]


def test_a_script_with_sagemaker_s_functions(client: Any) -> None:
    for body, kind, accept, expected in (
        ("[[1, 2]]", "application/json", "application/json", b"[[2,4]]"),
        ("1,2\n3,4.5\n", "text/csv", "text/csv", b"2.0,4.0\n6.0,9.0\n"),
    ):
        answer = client.invoke_endpoint(EndpointName="script", Body=body, ContentType=kind, Accept=accept)
        assert (answer["Body"].read(), answer["ContentType"]) == (expected, accept)
    error = refused(client, EndpointName="script", Body="x", ContentType="image/png")
    assert error.response["OriginalStatusCode"] == 415
