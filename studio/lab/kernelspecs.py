"""The kernels a lab offers: the domain's environments, from the host-owned folder, and nothing else."""

import json
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from traitlets import Unicode

from studio.errors import Invalid
from studio.ids import check_name

PROVISIONER = "studio-fork"


class StudioKernelSpecManager(KernelSpecManager):
    """Reads `<folder>/<environment>/kernel.json`; ignores the folders of user and system, and whatever would start
    without Studio's provisioner."""

    folder = Unicode("", config=True, help="Folder with one kernelspec per environment, written by Studio.")
    ensure_native_kernel = False

    def find_kernel_specs(self) -> dict[str, str]:
        """Name → folder of all that may be started here."""
        found = sorted(Path(self.folder).glob("*/kernel.json")) if self.folder else []
        return {path.parent.name: str(path.parent) for path in found if _forked(path)}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernelspec of one environment; `NoSuchKernel` for any other name."""
        try:
            path = Path(self.folder) / check_name(kernel_name, "environment") / "kernel.json"
        except Invalid:
            raise NoSuchKernel(kernel_name) from None
        if not self.folder or not _forked(path):
            raise NoSuchKernel(kernel_name)
        return KernelSpec.from_resource_dir(str(path.parent))

    def remove_kernel_spec(self, name: str) -> str:
        """Never: environments are removed in Studio."""
        raise PermissionError(f"{name} is an environment of Studio; remove it there.")


def _forked(path: Path) -> bool:
    try:
        spec: Any = json.loads(path.read_text())
        return bool(spec["metadata"]["kernel_provisioner"]["provisioner_name"] == PROVISIONER)
    except (OSError, ValueError, KeyError, TypeError):
        return False
