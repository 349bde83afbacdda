"""The input columns of a served version, from its MLmodel file; read inside the service sandbox."""

import json
from pathlib import Path


def read(folder: Path) -> list[str]:
    """Names in the signature's order; empty if the version has no signature, or one without names."""
    try:
        import yaml  # type: ignore[import-untyped]

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        inputs = yaml.load((folder / "MLmodel").read_text(), Loader=loader)["signature"]["inputs"]
        names = [item["name"] for item in json.loads(inputs)]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return []
    return names if all(isinstance(name, str) for name in names) else []
