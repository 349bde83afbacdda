"""Logged models, registered models, versions, aliases, stages: the same conversation with Studio and with MLflow."""

from collections.abc import Callable

import pytest
from mlflow.entities import LoggedModelStatus

from tests.protocol.conformance import Meet
from tests.protocol.conversation import Conversation

pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]

# Scenario → step → why Studio answers otherwise there.
_OWN = "a version's files are the domain's own, and the message says how"
DIFFERENT: dict[str, dict[str, str]] = {
    "logged_models": {
        "of no run": "a model's source is a run of this domain",
        "long tag key": "as long as any other tag's key; MLflow's own column is shorter than what it lets through",
        "long param": "after the long key, which MLflow has let through",
        "odd status": "refused; MLflow makes LOGGED_MODEL_STATUS_UNSPECIFIED of it",
    },
    "registered_models": {
        f"named {'x' * 8}": "256 characters, as MLflow's own column has it",
        "search 0": "refused; MLflow answers with pages that never end",
        "search -1": "refused; MLflow answers with pages that never end",
    },
    "versions": {"source relative": _OWN, "source http": _OWN, "source other server": _OWN, "source s3": _OWN},
    "stages": {
        "archive from none": "400 instead of 500, on which clients try again for minutes",
        "archive from archived": "400 instead of 500, on which clients try again for minutes",
    },
}


def logged_models(talk: Conversation) -> None:
    client = talk.client
    e = talk("experiment", client.create_experiment, talk.name("logged"))
    run = talk("run", client.create_run, e, start_time=5).info.run_id
    model = talk(
        "create", client.create_logged_model, e, "mine", run, {"tag": "v"}, {"p": "1"}, model_type="forest"
    ).model_id
    talk("unnamed", client.create_logged_model, e)
    talk("of none", client.create_logged_model, "99999999", "m")
    talk("of no run", client.create_logged_model, e, "m", "0" * 32)
    for name in ("a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "x" * 500, "ü"):
        talk(f"named {name[:9]}", client.create_logged_model, e, name)
    talk("get", client.get_logged_model, model)
    talk("get none", client.get_logged_model, "m-" + "0" * 32)
    talk("tags", client.set_logged_model_tags, model, {"a": "b", "c": "d"})
    talk("long tag", client.set_logged_model_tags, model, {"a": "v" * 8001})
    odd = talk("odd", client.create_logged_model, e, "odd", run).model_id
    talk("long tag key", client.set_logged_model_tags, odd, {"k" * 251: "v"})
    talk("tags of none", client.set_logged_model_tags, "m-nope", {"a": "b"})
    talk("untag", client.delete_logged_model_tag, model, "a")
    talk("untag again", client.delete_logged_model_tag, model, "a")
    talk("untag none", client.delete_logged_model_tag, "m-nope", "a")
    talk("params", client.log_model_params, model, {"q": "2"})
    talk("params again", client.log_model_params, model, {"r": "3"})
    talk("long param", client.log_model_params, odd, {"long": "v" * 6001})
    talk("params of none", client.log_model_params, "m-nope", {"q": "2"})
    talk("ready", client.finalize_logged_model, model, LoggedModelStatus.READY)
    talk("failed", client.finalize_logged_model, model, LoggedModelStatus.FAILED)
    talk("ready again", client.finalize_logged_model, model, "READY")
    talk("ready none", client.finalize_logged_model, "m-nope", "READY")
    talk.raw("odd status", "PATCH", f"/api/2.0/mlflow/logged-models/{odd}", json={"model_id": odd, "status": "NOPE"})
    talk.raw("no status", "PATCH", f"/api/2.0/mlflow/logged-models/{model}", json={"model_id": model})
    talk(
        "metric",
        client.log_metric,
        run,
        "score",
        0.5,
        timestamp=3,
        step=2,
        dataset_name="d",
        dataset_digest="1",
        model_id=model,
    )
    talk("another", client.log_metric, run, "score", 0.75, timestamp=4, step=3, model_id=model)
    talk("get with metrics", client.get_logged_model, model)
    talk("search", client.search_logged_models, [e], filter_string="name = 'mine'")
    talk("search by metric", client.search_logged_models, [e], filter_string="metrics.score > 0.7")
    talk(
        "search ordered",
        client.search_logged_models,
        [e],
        "name = 'mine'",
        order_by=[{"field_name": "metrics.score"}],
        max_results=2,
    )
    talk(
        "search of data",
        client.search_logged_models,
        [e],
        datasets=[{"dataset_name": "d", "dataset_digest": "1"}],
        filter_string="metrics.score > 0.1",
    )
    talk.post("search nowhere", "logged-models/search", experiment_ids=[])
    talk.get("files", f"logged-models/{model}/artifacts/directories")
    talk.get("files of none", "logged-models/m-nope/artifacts/directories")
    talk.get("files below", f"logged-models/{model}/artifacts/directories", artifact_directory_path="a/b")
    talk.get("files climbing", f"logged-models/{model}/artifacts/directories", artifact_directory_path="../..")
    talk("delete", client.delete_logged_model, model)
    talk("delete again", client.delete_logged_model, model)
    talk("delete none", client.delete_logged_model, "m-nope")
    talk("get deleted", client.get_logged_model, model)
    talk.get("get deleted all the same", f"logged-models/{model}", allow_deleted="true")
    talk("tag deleted", client.set_logged_model_tags, model, {"a": "b"})
    talk("ready deleted", client.finalize_logged_model, model, "READY")
    talk("search deleted", client.search_logged_models, [e], filter_string="name = 'mine'")
    talk("delete experiment", client.delete_experiment, e)
    talk("in deleted", client.create_logged_model, e, "m")


def registered_models(talk: Conversation) -> None:
    client, name = talk.client, talk.name("rm")
    talk("create", client.create_registered_model, name, {"a": "b"}, "about")
    talk("create again", client.create_registered_model, name)
    for odd in ("a/b", "a:b", "..", "  ", talk.name("x" * 300), talk.name("ü 😀"), "."):
        talk(f"named {odd[:8]}", client.create_registered_model, odd)
    talk("tagged badly", client.create_registered_model, talk.name("bad"), {"../k": "v"})
    talk("tagged long", client.create_registered_model, talk.name("bad"), {"k": "v" * 100_001})
    talk("get", client.get_registered_model, name)
    talk("get none", client.get_registered_model, talk.name("nope"))
    talk("describe", client.update_registered_model, name, "anew")
    talk("describe none", client.update_registered_model, talk.name("nope"), "anew")
    talk("undescribe", client.update_registered_model, name, "")
    talk("tag", client.set_registered_model_tag, name, "k", "v")
    talk("long tag", client.set_registered_model_tag, name, "k", "v" * 100_001)
    talk("long key", client.set_registered_model_tag, name, "k" * 251, "v")
    talk("odd key", client.set_registered_model_tag, name, "a?", "v")
    talk("tag of none", client.set_registered_model_tag, talk.name("nope"), "k", "v")
    talk("untag", client.delete_registered_model_tag, name, "k")
    talk("untag again", client.delete_registered_model_tag, name, "k")
    talk("untag none", client.delete_registered_model_tag, talk.name("nope"), "k")
    talk("search", client.search_registered_models, f"name = '{name}'")
    talk("search nothing", client.search_registered_models, f"name = '{talk.name('nope')}'")
    for most in (0, 1001, -1):
        talk.get(f"search {most}", "registered-models/search", max_results=most)
    talk("rename", client.rename_registered_model, name, name + "2")
    talk("rename to itself", client.rename_registered_model, name + "2", name + "2")
    talk("rename the old", client.rename_registered_model, name, name + "3")
    talk("rename oddly", client.rename_registered_model, name + "2", "a/b")
    talk("other", client.create_registered_model, name)
    talk("rename to the other", client.rename_registered_model, name, name + "2")
    talk("latest of none", client.get_latest_versions, name)
    talk("delete", client.delete_registered_model, name)
    talk("delete again", client.delete_registered_model, name)
    talk("create the deleted one's name", client.create_registered_model, name)


def versions(talk: Conversation) -> None:
    client, name = talk.client, talk.name("mv")
    e = talk("experiment", client.create_experiment, talk.name("versions"))
    run = talk("run", client.create_run, e, start_time=5)
    run_id, uri = run.info.run_id, run.info.artifact_uri
    model = talk("logged", client.create_logged_model, e, "mine", run_id).model_id
    talk("register", client.create_registered_model, name)
    talk(
        "create",
        client.create_model_version,
        name,
        f"{uri}/m",
        run_id,
        {"a": "b"},
        "link",
        "about",
        await_creation_for=0,
    )
    talk(
        "of a logged model", client.create_model_version, name, f"models:/{model}", model_id=model, await_creation_for=0
    )
    talk("of a version", client.create_model_version, name, f"models:/{name}/1", await_creation_for=0)
    talk("of a run", client.create_model_version, name, f"runs:/{run_id}/m", run_id, await_creation_for=0)
    talk("for sources", client.create_registered_model, talk.name("src"))
    for label, source, more in (
        ("file", "file:///etc", {}), ("path", "/etc/passwd", {}), ("relative", "../x", {}),
        ("http", "http://127.0.0.1/x", {}), ("climbing", f"{uri}/../../x", {"run_id": run_id}),
        ("encoded", f"{uri}/%2e%2e/x", {"run_id": run_id}),
        ("other server", "mlflow-artifacts://host:1/x", {"run_id": run_id}),
        ("no such run", "runs:/" + "0" * 32 + "/m", {}), ("no such logged model", "models:/m-" + "0" * 32, {}),
        ("no such version", f"models:/{talk.name('nope')}/1", {}),
        ("another run's", f"{uri}/m", {"run_id": "0" * 32}), ("s3", "s3://bucket/m", {}), ("empty", "", {}),
    ):  # fmt: skip
        talk.post(f"source {label}", "model-versions/create", name=talk.name("src"), source=source, **more)
    talk.post("of no model", "model-versions/create", name=talk.name("nope"), source=uri, run_id=run_id)
    talk.post("without source", "model-versions/create", name=name)
    talk.post(
        "bad tag", "model-versions/create", name=name, source=uri, run_id=run_id, tags=[{"key": "../k", "value": "v"}]
    )
    talk("get", client.get_model_version, name, "1")
    talk("get none", client.get_model_version, name, "99")
    talk("get of none", client.get_model_version, talk.name("nope"), "1")
    for odd in ("x", "-1", "1.0", "0", ""):
        talk.get(f"get {odd}", "model-versions/get", name=name, version=odd)
    talk("where", client.get_model_version_download_uri, name, "1")
    talk("where none", client.get_model_version_download_uri, name, "99")
    talk("describe", client.update_model_version, name, "1", "anew")
    talk("describe none", client.update_model_version, name, "99", "anew")
    talk("tag", client.set_model_version_tag, name, "1", "k", "v")
    talk("tag none", client.set_model_version_tag, name, "99", "k", "v")
    talk("long tag", client.set_model_version_tag, name, "1", "k", "v" * 100_001)
    talk("odd tag", client.set_model_version_tag, name, "1", "a?", "v")
    talk("untag", client.delete_model_version_tag, name, "1", "k")
    talk("untag again", client.delete_model_version_tag, name, "1", "k")
    talk("untag none", client.delete_model_version_tag, name, "99", "k")
    talk("search", client.search_model_versions, f"name = '{name}'", order_by=["version_number ASC"])
    talk("search by run", client.search_model_versions, f"run_id = '{run_id}' and name = '{name}'")
    for most in (0, 200_001):
        talk.get(f"search {most}", "model-versions/search", max_results=most)
    talk("alias", client.set_registered_model_alias, name, "champion", "1")
    talk("move alias", client.set_registered_model_alias, name, "champion", "2")
    talk("second alias", client.set_registered_model_alias, name, "second", "1")
    for odd in ("latest", "LATEST", "v1", "V22", "a b", "a/b", "x" * 256, "größe", ""):
        talk(f"alias {odd[:9]}", client.set_registered_model_alias, name, odd, "1")
    talk("alias to none", client.set_registered_model_alias, name, "x", "99")
    talk("alias of none", client.set_registered_model_alias, talk.name("nope"), "x", "1")
    talk("by alias", client.get_model_version_by_alias, name, "champion")
    talk("by latest", client.get_model_version_by_alias, name, "latest")
    talk("by no alias", client.get_model_version_by_alias, name, "nope")
    talk("by alias of none", client.get_model_version_by_alias, talk.name("nope"), "champion")
    talk("get with alias", client.get_model_version, name, "2")
    talk("model with aliases", client.get_registered_model, name)
    talk("unalias", client.delete_registered_model_alias, name, "champion")
    talk("unalias again", client.delete_registered_model_alias, name, "champion")
    talk("unalias of none", client.delete_registered_model_alias, talk.name("nope"), "champion")


def stages(talk: Conversation) -> None:
    client, name = talk.client, talk.name("st")
    run = talk("run", client.create_run, "0", start_time=5)
    talk("register", client.create_registered_model, name)
    for number in ("1", "2", "3"):
        talk(
            f"version {number}",
            client.create_model_version,
            name,
            run.info.artifact_uri,
            run.info.run_id,
            await_creation_for=0,
        )
    rule = "model-versions/transition-stage"
    talk("to production", client.transition_model_version_stage, name, "1", "Production")
    talk("in capitals", client.transition_model_version_stage, name, "2", "PRODUCTION")
    talk("and archive", client.transition_model_version_stage, name, "3", "Production", True)
    talk("all", client.search_model_versions, f"name = '{name}'", order_by=["version_number ASC"])
    talk("to an odd one", client.transition_model_version_stage, name, "1", "Nope")
    talk("to none", client.transition_model_version_stage, name, "1", "None")
    talk("archive from none", client.transition_model_version_stage, name, "1", "None", True)
    talk("archive from archived", client.transition_model_version_stage, name, "2", "Archived", True)
    talk("no version", client.transition_model_version_stage, name, "99", "Staging")
    talk("no model", client.transition_model_version_stage, talk.name("nope"), "1", "Staging")
    talk.post("without stage", rule, name=name, version="1")
    talk("latest", client.get_latest_versions, name)
    talk("latest of stages", client.get_latest_versions, name, ["Production", "archived"])
    talk("latest of an odd one", client.get_latest_versions, name, ["Nope"])
    talk("latest of no model", client.get_latest_versions, talk.name("nope"))
    talk.get("latest by GET", "registered-models/get-latest-versions", name=name, stages="Production")
    talk("model", client.get_registered_model, name)
    talk("stages of one", client.get_model_version_stages, name, "1")
    talk("alias", client.set_registered_model_alias, name, "a", "3")
    talk("delete version", client.delete_model_version, name, "3")
    talk("delete version again", client.delete_model_version, name, "3")
    talk("alias of the deleted", client.get_model_version_by_alias, name, "a")
    talk("get deleted", client.get_model_version, name, "3")
    talk("next number", client.create_model_version, name, run.info.artifact_uri, run.info.run_id, await_creation_for=0)
    talk("rename", client.rename_registered_model, name, name + "2")
    talk("version of the renamed", client.get_model_version, name + "2", "1")
    talk("delete", client.delete_registered_model, name + "2")
    talk("version of the deleted", client.get_model_version, name + "2", "1")


SCENARIOS = (logged_models, registered_models, versions, stages)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_answers_are_mlflows(scenario: Callable[[Conversation], None], meet: Meet) -> None:
    meet(scenario, DIFFERENT.get(scenario.__name__, {}))
