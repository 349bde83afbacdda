"""The `studio` command: one file per group; `--json` on every read."""
