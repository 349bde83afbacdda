"""Deploy, predict, wake from zero, traffic: the endpoint as its callers see it, with an access key."""

from typing import Any

import httpx

from studio.cli.demo.model import MODEL
from studio.cli.demo.story import Evidence, Story, check
from studio.clock import monotonic

ROWS_PER_REQUEST = 10


def deploy(story: Story) -> Evidence:
    """One call; InService only after a real prediction on the logged input example."""
    begun = monotonic()
    body = {"name": story.endpoint, "model": f"models:/{MODEL}@champion", "mode": "always"}
    story.api("POST", "endpoints", body)
    made = story.api("GET", f"endpoints/{story.endpoint}?wait=InService&timeout_s=60")
    check(made["state"] == "InService", f"{made['state']}: {made['reason']} {made['events'][:3]}")
    answer = invoke(story, story.endpoint, example_rows(story, 1))
    seconds = round(monotonic() - begun, 3)
    return {"url": made["url"], "version": made["version"], "first_prediction_s": seconds, "prediction": answer}


def example_rows(story: Story, count: int, which: str = "quiet") -> dict[str, Any]:
    """`count` rows in MLflow's dataframe_split form; `which` of the notebook's samples."""
    rows: dict[str, Any] = story.kernel.value(f"traffic({which!r}, {count}).to_dict('split')")
    return {"columns": rows["columns"], "data": rows["data"]}


def invoke(story: Story, endpoint: str, split: dict[str, Any], client: httpx.Client | None = None) -> list[Any]:
    """POST /endpoints/NAME/invocations as any program would; the predictions."""
    url = f"{story.address}/endpoints/{endpoint}/invocations"
    headers = {"authorization": f"Bearer {story.token}"}
    post = client.post if client is not None else httpx.post
    response = post(url, json={"dataframe_split": split}, headers=headers, timeout=30)
    check(response.status_code == 200, f"{url} answered {response.status_code}: {response.text[:300]}")
    predictions: list[Any] = response.json()["predictions"]
    check(len(predictions) == len(split["data"]), f"{len(split['data'])} rows, {len(predictions)} predictions")
    return predictions


def predict(story: Story) -> Evidence:
    """The endpoint's answer is the model's own; without a key there is none; a missing column is named."""
    split = example_rows(story, 5)
    served = invoke(story, story.endpoint, split)
    code = f"mlflow.sklearn.load_model('models:/{MODEL}@champion').predict(traffic('quiet', 5)).tolist()"
    own = story.kernel.value(code)
    check(served == own, f"The endpoint says {served}, the model {own}.")
    url = f"{story.address}/endpoints/{story.endpoint}/invocations"
    refused = httpx.post(url, json={"dataframe_split": split})
    check(refused.status_code == 401, f"Without a key: {refused.status_code}")
    narrow = {"columns": split["columns"][1:], "data": [row[1:] for row in split["data"]]}
    headers = {"authorization": f"Bearer {story.token}"}
    wrong = httpx.post(url, json={"dataframe_split": narrow}, headers=headers)
    named = split["columns"][0] in wrong.text
    check(wrong.status_code == 400 and named, f"A missing column: {wrong.status_code} {wrong.text[:200]}")
    return {"predictions": served, "model_says": own, "without_key": refused.status_code}


def wake(story: Story) -> Evidence:
    """A serverless endpoint goes to zero and is woken by its first request."""
    name = f"{story.endpoint}-idle"
    body = {"name": name, "model": f"models:/{MODEL}@champion", "mode": "serverless", "idle_s": 1}
    story.api("POST", "endpoints", body)

    def asleep() -> bool:
        shown = story.api("GET", f"endpoints/{name}")
        check(shown["state"] != "Failed", f"{name}: {shown['reason']}")
        return bool(shown["state"] == "Idle")

    story.until(f"{name} at zero", asleep)
    split = example_rows(story, 1)
    begun = monotonic()
    answer = invoke(story, name, split)
    seconds = round(monotonic() - begun, 3)
    story.api("DELETE", f"endpoints/{name}")
    return {"endpoint": name, "woken_and_answered_s": seconds, "prediction": answer}


def traffic(story: Story) -> Evidence:
    """Requests of a winter like the training data; each is captured."""
    sent = send(story, "quiet", 300)

    def captured() -> bool:
        return bool(len(story.api("GET", f"endpoints/{story.endpoint}/captures?limit=500")["rows"]) >= 300)

    story.until("300 captured rows", captured)
    stats = story.api("GET", f"endpoints/{story.endpoint}")["stats"]
    return {"rows": sent, "stats": stats}


def send(story: Story, which: str, rows: int) -> int:
    """`rows` rows in requests of ten; how many were answered."""
    split = example_rows(story, rows, which)
    answered = 0
    with httpx.Client() as client:
        for start in range(0, rows, ROWS_PER_REQUEST):
            part = {"columns": split["columns"], "data": split["data"][start : start + ROWS_PER_REQUEST]}
            answered += len(invoke(story, story.endpoint, part, client))
    return answered
