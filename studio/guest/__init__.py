"""All code that runs inside a sandbox. Never imports the control plane; runs on Python 3.10 and later."""

LOWEST_PYTHON = (3, 10)
