"""All code that runs inside a sandbox. Never imports the control plane; runs on any environment's Python from 3.10 on."""

LOWEST_PYTHON = (3, 10)
