"""Writes extensions/lab/openapi.json from the server's routes; `--check` fails if it is not up to date."""

import json
import sys
from pathlib import Path

from studio.server.app import openapi

TARGET = Path(__file__).resolve().parents[2] / "extensions" / "lab" / "openapi.json"


def main() -> int:
    """0 if written or up to date."""
    text = json.dumps(openapi(), indent=1, sort_keys=True) + "\n"
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text() != text:
            print("extensions/lab/openapi.json is not up to date: run make types", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
