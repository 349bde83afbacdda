"""Versions made visible by content hash; requirements; files out of a sandbox; snippets."""

import os
from io import BytesIO
from pathlib import Path

import boto3
import pytest

from studio.errors import Invalid, NotFound
from studio.serving import requirements, snippets
from studio.serving.materialise import materialise, sweep


def model(folder: Path, text: str = "weights") -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}")
    (folder / "code" / "model.pkl").write_text(text)
    return folder


def test_same_content_is_one_folder_another_content_another(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first = materialise(model(tmp_path / "a"), store)
    assert materialise(model(tmp_path / "b"), store) == first
    other = materialise(model(tmp_path / "c", "other"), store)
    assert {path.name for path in store.iterdir()} == {first.digest, other.digest}
    made = store / first.digest
    assert (made / "code" / "model.pkl").read_text() == "weights"
    assert (made / "MLmodel").stat().st_mode & 0o222 == 0
    assert (first.files, len(first.digest)) == (2, 64)


def test_names_count_not_only_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    (tmp_path / "x" / "a").write_text("1")
    (tmp_path / "y" / "b").write_text("1")
    store = tmp_path / "store"
    assert materialise(tmp_path / "x", store).digest != materialise(tmp_path / "y", store).digest


@pytest.mark.parametrize("plant", ["link", "linked folder", "fifo"])
def test_links_and_special_files_are_refused_and_leave_nothing(tmp_path: Path, plant: str) -> None:
    source = model(tmp_path / "a")
    (tmp_path / "secret").mkdir()
    match plant:
        case "link":
            (source / "x").symlink_to("/etc/passwd")
        case "linked folder":
            (source / "x").symlink_to(tmp_path / "secret")
        case _:
            os.mkfifo(source / "x")
    with pytest.raises(Invalid, match="x in the version"):
        materialise(source, tmp_path / "store")
    assert not (tmp_path / "store").exists() or list((tmp_path / "store").iterdir()) == []


def test_nothing_to_copy_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent"):
        with pytest.raises(NotFound):
            materialise(tmp_path / name, tmp_path / "store")


def test_single_file_becomes_a_folder_with_it(tmp_path: Path) -> None:
    (tmp_path / "baseline.csv").write_text("a\n1\n")
    made = materialise(tmp_path / "baseline.csv", tmp_path / "store")
    assert (tmp_path / "store" / made.digest / "baseline.csv").read_text() == "a\n1\n"


def test_sweep_keeps_what_is_used(tmp_path: Path) -> None:
    store = tmp_path / "store"
    kept = materialise(model(tmp_path / "a"), store)
    gone = materialise(model(tmp_path / "b", "other"), store)
    (store / ".making-left-over").mkdir()
    assert set(sweep(store, {kept.digest})) == {gone.digest, ".making-left-over"}
    assert [path.name for path in store.iterdir()] == [kept.digest]
    assert sweep(tmp_path / "absent", set()) == []


def test_requirements_are_compared_by_name_and_never_installed(tmp_path: Path) -> None:
    wanted = requirements.parse(
        "mlflow==3.17.2\nscikit_learn==1.9.1 ; python_version > '3'\nxgboost[gpu]>=2\n# torch\n-e git+https://x/torch\n"
        "--index-url https://elsewhere\ntorch @ https://elsewhere/torch.whl\npytest==8\n"
    )
    assert wanted == {"mlflow": "3.17.2", "scikit-learn": "1.9.1", "xgboost": "", "pytest": "8"}
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("mlflow-3.17.2", "Scikit_Learn-1.8.0"):
        (site / f"{name}.dist-info").mkdir(parents=True)
    present = requirements.installed(tmp_path)
    assert requirements.missing(wanted, present) == ["xgboost"]
    assert requirements.absent(wanted, present) == ["pytest"]
    assert requirements.different(wanted, present) == ["scikit-learn 1.8.0 instead of 1.9.1"]
    assert "sklearn lacks xgboost" in requirements.why_not(["xgboost"], "sklearn")


def test_what_a_script_lists_must_be_there_and_a_library_may_have_two_names(tmp_path: Path) -> None:
    for name in ("numpy-2.4.6", "xgboost_cpu-3.2.0", "onnxruntime_gpu-1.32.0"):
        (tmp_path / "env" / "lib" / "python3.11" / "site-packages" / f"{name}.dist-info").mkdir(parents=True)
    folder = tmp_path / "script"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text("")
    (folder / "requirements.txt").write_text("numpy==1.0\n")
    (folder / "code" / "requirements.txt").write_text("polars\nxgboost>=2\nonnxruntime\n-r more.txt\n")
    found = requirements.compare(folder, tmp_path / "env")
    assert (found.missing, found.notes) == (["polars"], ["numpy 2.4.6 instead of 1.0"])
    # Of what MLflow found imported, only frameworks must be there.
    (folder / "MLmodel").write_text("flavors: {}")
    (folder / "requirements.txt").write_text("numpy==1.0\nlightgbm\npytest\nxgboost\n")
    found = requirements.compare(folder, tmp_path / "env")
    assert (found.missing, found.notes) == (["lightgbm"], ["numpy 2.4.6 instead of 1.0", "no pytest"])


def test_snippets_hold_no_secret_and_quote_what_the_model_gave() -> None:
    made = snippets.snippets("http://127.0.0.1:1", "rain", '{"inputs": [{"name": "it\'s"}]}')
    for text in (made.curl, made.python, made.javascript):
        assert "http://127.0.0.1:1/endpoints/rain/invocations" in text
        assert "STUDIO_TOKEN" in text
    compile(made.python, "snippet", "exec")
    assert "dataframe_split" in snippets.snippets("http://x", "rain", "").curl
    assert snippets.snippets("http://x", "rain", "{not json").python


def test_the_boto3_snippet_takes_id_and_secret_from_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    class Client:
        def invoke_endpoint(self, **given: object) -> dict[str, BytesIO]:
            asked.append(given)
            return {"Body": BytesIO(b"{}")}

    def client(service: str, **given: object) -> Client:
        asked.append({"service": service} | given)
        return Client()

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setenv("STUDIO_TOKEN", "studio_key-ab_c-d_e")
    exec(snippets.snippets("http://127.0.0.1:1", "rain", '{"inputs": [[1.0]]}').boto3, {})
    assert (asked[0]["aws_access_key_id"], asked[0]["aws_secret_access_key"]) == ("key-ab", "c-d_e")
    assert (asked[1]["EndpointName"], asked[1]["Body"]) == ("rain", '{"inputs": [[1.0]]}')


def test_the_open_inference_snippet_sends_the_example_or_says_where_to_look() -> None:
    """A matrix of numbers can be sent as one; of anything else the model's own description says how."""

    def made(example: str) -> str:
        return snippets.snippets("http://127.0.0.1:1", "rain", example).open_inference

    for example in ('{"dataframe_split": {"columns": ["a"], "data": [[1, 2.5]]}}', '{"inputs": [[1, 2.5]]}'):
        assert "rows = np.array([[1.0, 2.5]])" in made(example) and 'Client("127.0.0.1:1")' in made(example)
        compile(made(example), "snippet", "exec")
    words = '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"]]}}'
    for example in ("", "{", "[]", words, '{"inputs": {"a": [1]}}', '{"inputs": [[1], [1, 2]]}', '{"inputs": []}'):
        assert made(example).startswith("curl http://127.0.0.1:1/v2/models/rain ")
