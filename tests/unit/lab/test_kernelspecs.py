import json
from pathlib import Path

import pytest
from jupyter_client.kernelspec import NoSuchKernel

from studio.lab.kernelspecs import StudioKernelSpecManager


def write(folder: Path, name: str, provisioner: str) -> None:
    (folder / name).mkdir(parents=True)
    metadata = {"kernel_provisioner": {"provisioner_name": provisioner}}
    spec = {"argv": ["python"], "display_name": name, "language": "python", "metadata": metadata}
    (folder / name / "kernel.json").write_text(json.dumps(spec))


@pytest.mark.parametrize("name", ["local", "python3", "..", "", "../sklearn", "SKLEARN", "user"])
def test_only_environments_of_studio_are_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write(tmp_path / "in", "sklearn", "studio-fork")
    write(tmp_path / "in", "local", "local-provisioner")
    write(tmp_path / "home" / "kernels", "user", "studio-fork")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "home"))
    manager = StudioKernelSpecManager(folder=str(tmp_path / "in"))
    assert list(manager.get_all_specs()) == ["sklearn"]
    assert manager.get_kernel_spec("sklearn").display_name == "sklearn"
    with pytest.raises(NoSuchKernel):
        manager.get_kernel_spec(name)
    with pytest.raises(PermissionError):
        manager.remove_kernel_spec("sklearn")
