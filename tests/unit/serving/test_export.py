"""An endpoint as a folder: what is in it, what must not be, and that KServe knows every word of its manifest."""

import ast
import io
import re
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Connection, update

from studio.cli.endpoint_export import export_endpoint, unpack
from studio.domains.instance_types import InstanceType
from studio.environments import environments
from studio.environments.store import lock_of
from studio.errors import Conflict, Invalid, NotFound, StudioError
from studio.serving import endpoints, export, export_host, export_plan, export_tar, export_texts, variants
from studio.serving.export_plan import Part, Plan
from studio.serving.states import VariantState
from studio.store.tables import serving as tables

SMALL = InstanceType("std.small", 1, 2048, 0, 0.02)
PART = Part("v1", 1, 100, SMALL, 1, 1, "d" * 64, "sklearn", "f" * 64)
PLAN = Plan("rain", "rain", False, False, 60.0, 16 << 20, True, 4.0, (PART,), ())
LOCK = "numpy==2.4.6 \\\n    --hash=sha256:" + "0" * 64 + "\nlightgbm==4.6.0 \\\n    --hash=sha256:" + "1" * 64 + "\n"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / PART.digest
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "code" / f"{'long' * 40}.py").write_text("x = 1\n")
    (folder / "empty").write_bytes(b"")
    return tmp_path / "models"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = lock_of(tmp_path / "environments", PART.fingerprint)
    path.parent.mkdir(parents=True)
    path.write_text(LOCK)
    return tmp_path / "environments"


def packed(plan: Plan, target: str, models: Path, store: Path, registry: str = "") -> bytes:
    return b"".join(export_tar.stream(export.items(plan, target, registry, models, store)))


def canary(*percents: int) -> Plan:
    parts = tuple(replace(PART, name=f"v{at}", version=at, percent=share) for at, share in enumerate(percents, 1))
    return replace(PLAN, parts=parts)


def test_the_same_endpoint_gives_the_same_bytes(models: Path, store: Path) -> None:
    first = packed(PLAN, "kserve", models, store)
    for path in models.rglob("*"):
        path.touch()
    assert packed(PLAN, "kserve", models, store) == first
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        infos = tar.getmembers()
    assert [info.name for info in infos] == sorted(info.name for info in infos)
    assert {(info.mtime, info.uid, info.uname, info.mode, info.isreg()) for info in infos} == {(0, 0, "", 0o644, True)}


def test_the_folder_holds_what_it_takes_and_nothing_of_this_machine(models: Path, store: Path, tmp_path: Path) -> None:
    data = packed(canary(60, 40), "kserve", models, store)
    (tmp_path / "out").mkdir()
    written = unpack(io.BytesIO(data), tmp_path / "out")
    for variant in ("v1", "v2"):
        top = tmp_path / "out" / variant
        assert (top / "model" / "code" / f"{'long' * 40}.py").read_text() == "x = 1\n"
        assert (top / "model" / "empty").read_bytes() == b"" and (top / "requirements.txt").read_text() == LOCK
        assert {"Dockerfile", "LICENSE", "inferenceservice.yaml"} <= {path.name for path in top.iterdir()}
        assert all(path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644) for path in top.rglob("*"))
    assert "README.md" in written and len(written) == len(set(written))
    for place in (tmp_path, Path(export_host.__file__).parents[2], sys.prefix, Path.home()):
        assert str(place).encode() not in data


def test_the_host_imports_nothing_that_is_not_in_the_folder() -> None:
    """Of ours all, of others' only what every environment has, and what the model itself needs."""
    files = export_host.files()
    names = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files}
    assert "studio.guest.serving.models" in names and not any("/gateway/" in path for path in files)
    outside: set[str] = set()
    for path, source in files.items():
        if not path.endswith(".py"):
            continue
        # At the top of a module: what is imported within functions is the model's.
        for node in ast.parse(source).body:
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            outside |= {name.partition(".")[0] for name in found}
    assert outside - set(sys.stdlib_module_names) <= {"studio", "msgspec", "httptools"}


def test_the_image_is_nobodys_root_and_exactly_the_environment() -> None:
    text = export_texts.dockerfile(replace(PLAN, model="a\nUSER root", fast_path=False), PART, LOCK)
    instructions = [line.partition(" ")[0] for line in text.splitlines() if not line.startswith(("#", " "))]
    assert instructions[0] == "FROM" and instructions.count("USER") == 1 and instructions[-2:] == ["ENTRYPOINT", "CMD"]
    assert re.search(r"^FROM python:3\.\d+\.\d+\w*-slim$", text, re.M) and "USER 10001:10001" in text
    assert "--require-hashes" in text and "libgomp1" in text and "/v2/health/ready" in text
    assert 'CMD ["--name", "rain", "--version", "1", "--max-body", "16777216", "--no-fast-path"]' in text
    assert "apt-get" not in export_texts.dockerfile(PLAN, PART, "numpy==2.4.6\n")


# Of serving.kserve.io/v1beta1 (ComponentExtensionSpec) and of Kubernetes' own Container what a manifest may say here.
PREDICTOR: dict[str, type] = {
    "minReplicas": int,
    "maxReplicas": int,
    "scaleMetric": str,
    "scaleTarget": int,
    "canaryTrafficPercent": int,
    "timeout": int,
    "containers": list,
}
CONTAINER = {"name", "image", "args", "env", "ports", "resources", "readinessProbe", "livenessProbe", "securityContext"}


def service(plan: Plan, part: Part, registry: str = "") -> dict[str, Any]:
    """The manifest, every field of which KServe knows."""
    found: dict[str, Any] = yaml.safe_load(export_texts.manifest(plan, part, registry))
    assert (found["apiVersion"], found["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert set(found) == {"apiVersion", "kind", "metadata", "spec"} and set(found["spec"]) == {"predictor"}
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", found["metadata"]["name"])
    predictor = found["spec"]["predictor"]
    assert all(isinstance(value, PREDICTOR[key]) for key, value in predictor.items())
    assert predictor["minReplicas"] <= predictor["maxReplicas"]
    [container] = predictor["containers"]
    assert set(container) == CONTAINER and container["name"] == "kserve-container"
    assert container["env"] == [{"name": "PROTOCOL", "value": "v2"}]
    assert all(isinstance(word, str) for word in container["args"])
    return found


def test_kserve_always_on_and_from_zero() -> None:
    always = service(PLAN, PART, "registry.example:5000/team")
    predictor = always["spec"]["predictor"]
    assert "annotations" not in always["metadata"] and "scaleMetric" not in predictor
    assert predictor["containers"][0]["image"] == "registry.example:5000/team/rain:v1"
    assert predictor["containers"][0]["resources"]["limits"] == {"cpu": "1", "memory": "2048Mi"}
    large = replace(PART, kind=InstanceType("gpu.half", 0.5, 4096, 1, 1.0), min_replicas=0, max_replicas=3)
    zero = service(replace(PLAN, serverless=True, parts=(large,), endpoint="1-rain"), large)
    assert zero["metadata"]["annotations"] == {"serving.kserve.io/deploymentMode": "Serverless"}
    assert zero["metadata"]["name"] == "m-1-rain"
    predictor = zero["spec"]["predictor"]
    assert (predictor["minReplicas"], predictor["maxReplicas"], predictor["scaleTarget"]) == (0, 3, 4)
    assert predictor["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert predictor["containers"][0]["resources"]["requests"]["cpu"] == "0.5"


def test_kserves_canary_is_the_younger_of_two() -> None:
    plan = canary(90, 10)
    stable, younger = (service(plan, part) for part in plan.parts)
    assert stable["metadata"]["name"] == younger["metadata"]["name"] == "rain"
    assert "canaryTrafficPercent" not in stable["spec"]["predictor"]
    assert younger["spec"]["predictor"]["canaryTrafficPercent"] == 10
    three = canary(50, 30, 20)
    assert [service(three, part)["metadata"]["name"] for part in three.parts] == ["rain-v1", "rain-v2", "rain-v3"]
    assert not any("canaryTrafficPercent" in service(three, part)["spec"]["predictor"] for part in three.parts)


def test_capture_is_a_hint_that_changes_nothing() -> None:
    plan = replace(PLAN, capture=True)
    text = export_texts.manifest(plan, PART, "")
    assert "# logger:" in text and yaml.safe_load(text) == yaml.safe_load(export_texts.manifest(PLAN, PART, ""))
    # As it says: with the signs taken away it is one that KServe reads.
    open_ = yaml.safe_load(re.sub(r"^    # (logger|  )", r"    \1", text, flags=re.M))
    assert open_["spec"]["predictor"]["logger"]["mode"] == "all"


def test_the_readme_says_the_split_and_what_is_left_out() -> None:
    plan = replace(canary(90, 10), shadows=("v9",))
    for target in export.TARGETS:
        text = export_texts.readme(plan, target, "r.example")
        assert "v1 90 %, v2 10 %" in text and "Not exported: v9" in text and "docker build -t r.example/rain:v2" in text
    assert "kubectl apply -f v1" in export_texts.readme(plan, "kserve", "") and "In Studio the traffic" in text
    assert "In Studio the traffic" not in export_texts.readme(PLAN, "docker", "")


@pytest.mark.parametrize(
    ("weights", "percents"),
    [
        ([100.0], [100]),
        ([1, 1, 1], [34, 33, 33]),
        ([1, 2, 4], [14, 29, 57]),
        ([90, 10], [90, 10]),
        ([995, 5], [100, 0]),
        ([1e6, 1], [100, 0]),
    ],
)
def test_shares_add_up(weights: list[float], percents: list[int]) -> None:
    assert export_plan.shares(weights) == percents


@pytest.mark.parametrize(
    "registry", ["UPPER/x", "a b", "x/", "/x", "x:y", "x\nUSER root", "-x", "a/../b", "x" + "/y" * 9]
)
def test_odd_places_for_images_are_refused(registry: str) -> None:
    with pytest.raises(Invalid, match="no place for images"):
        export.check("docker", registry)
    with pytest.raises(Invalid, match="docker, kserve"):
        export.check("podman", "")


def test_what_is_gone_is_said(models: Path, store: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="files of the version"):
        export.items(PLAN, "docker", "", tmp_path / "none", store)
    with pytest.raises(NotFound, match="lock of the environment sklearn"):
        export.items(PLAN, "docker", "", models, tmp_path / "none")
    found = export.items(PLAN, "docker", "", models, store)
    (models / PART.digest / "MLmodel").write_text("")
    with pytest.raises(Conflict, match="shorter"):
        list(export_tar.stream(found))


@pytest.mark.parametrize("name", ["top/../../x", "/etc/x", "top/a//../b", "top"])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    data.seek(0)
    (tmp_path / "out").mkdir()
    with pytest.raises(Invalid):
        unpack(data, tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


def test_a_link_and_half_a_tar_are_refused(models: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        link = tarfile.TarInfo("top/x")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    data.seek(0)
    with pytest.raises(Invalid, match="no file of an exported endpoint"):
        unpack(data, tmp_path / "a")
    whole = packed(PLAN, "docker", models, store)
    with pytest.raises(StudioError, match="not whole"):
        unpack(io.BytesIO(whole[: len(whole) // 2]), tmp_path / "b")


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "folder/mine", "link"):
        with pytest.raises(Invalid, match="is there already"):
            export_endpoint("rain", "docker", tmp_path / name)


def test_the_plan_is_what_answers_callers(db: Connection) -> None:
    endpoints.create(db, "demo", "ada", endpoints.Wanted("wet", "models:/rain/1"))
    with pytest.raises(Conflict, match="Nothing of wet serves"):
        export_plan.plan(db, "demo", "wet")
    id = endpoints.get(db, "demo", "wet").id
    more = {"joins": True, "max_replicas": 3}
    variants.add(db, id, variants.Wanted(2, "sklearn", "std.large", "b", 25.0, **more))
    variants.add(db, id, variants.Wanted(2, "sklearn", "std.large", "s", 50.0, shadow=True, joins=True))
    variants.add(db, id, variants.Wanted(2, "sklearn", "std.large", "z", 0.0, joins=True))
    given = {"state": VariantState.serving, "digest": "d" * 64}
    db.execute(update(tables.variants).where(tables.variants.c.endpoint == id).values(given))
    db.execute(update(tables.variants).where(tables.variants.c.version == 1).values(weight=75.0))
    plan = export_plan.plan(db, "demo", "wet")
    assert [(part.name, part.percent, part.kind.name) for part in plan.parts] == [
        ("v1", 75, "std.small"),
        ("b", 25, "std.large"),
    ]
    assert plan.shadows == ("s",) and plan.parts[1].max_replicas == 3
    environment = environments.get(db, "demo", "sklearn")
    assert plan.parts[0].fingerprint == environment.used.fingerprint
    with pytest.raises(NotFound):
        export_plan.plan(db, "demo", "none")
