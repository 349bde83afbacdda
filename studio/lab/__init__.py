"""JupyterLab of one (domain, user) inside their sandbox, and the same server extension in anybody else's Jupyter."""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where Jupyter finds the extension (jupyter_server's discovery protocol)."""
    return [{"module": "studio.lab.extension"}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the prebuilt half in an editable install."""
    return [{"src": "../labextension", "dest": "jupyterlab-studio"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """For Jupyter servers that load the package instead of its extension point."""
    from studio.lab.extension import _load_jupyter_server_extension as load

    load(app)
