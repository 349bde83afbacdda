"""What the server does not load at its start, so that it is small while nobody asks for what needs it."""

import subprocess
import sys

HEAVY = "numpy polars pandas pyarrow scipy sklearn matplotlib plotly streamlit mlflow IPython jupyter_server jupyterlab"


def test_the_server_starts_without_what_computes_and_draws() -> None:
    program = f"import sys, studio.server.__main__\nprint(*sorted(set({HEAVY!r}.split()) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("", "")
