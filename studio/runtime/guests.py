"""The services that Studio itself starts in a sandbox, as the supervisor is asked for them."""

import sys
from collections.abc import Sequence
from pathlib import Path

from studio.ids import check_name
from studio.runtime.sandbox import FORWARDER_PORT, Layout
from studio.runtime.specs import ServiceSpec

# In this order, as far as an environment has them. All stay single-threaded, mlflow included, as long as Arrow's
# allocator is told not to start its background thread (JE_ARROW_MALLOC_CONF in `sandbox.environment`).
# First what a replica needs: a request that comes to a cold endpoint waits for it.
PRELOAD = (
    "numpy",
    "pandas",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.metrics",
    # What scikit-learn imports when it first sees a DataFrame: on the way of every first prediction.
    "narwhals.stable.v2",
    "narwhals._pandas_like.dataframe",
    "narwhals._pandas_like.namespace",
    "msgspec",
    "uvloop",
    "httptools",
    "studio.guest.replica",
    "studio.guest.warmed",
)
THEN = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    # A kernel imports these at its start; debugpy alone takes 0.3 s.
    "ipykernel.debugger",
    "IPython.core.debugger",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "jedi",
    # How mlflow.sklearn keeps models by default; 0.3 s of every deploy otherwise.
    "skops.io",
    "pyarrow.pandas_compat",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "mlflow",
    "mlflow.sklearn",
    "mlflow.pyfunc",
)


def fork_service(environment: str) -> str:
    """Name of an environment's fork server among the services; its socket is `out/<name>.sock`."""
    return f"fork-{check_name(environment, 'environment')}"


def init_argv(layout: Layout) -> list[str]:
    """Pid 1."""
    return [sys.executable, "-I", "-S", f"{layout.inside_guest}/studio/guest/init.py"]


def forwarder(layout: Layout) -> ServiceSpec:
    """127.0.0.1:8500 inside → the server's socket of this sandbox."""
    script = f"{layout.inside_guest}/studio/guest/forwarder.py"
    argv = [sys.executable, "-I", "-S", script, "--port", str(FORWARDER_PORT), "--to", f"{layout.inside_in}/api.sock"]
    return ServiceSpec("forwarder", argv)


def refuser(layout: Layout) -> ServiceSpec:
    """127.0.0.1:8500 inside a sandbox without a network: says why nothing is reached."""
    script = f"{layout.inside_guest}/studio/guest/refuser.py"
    return ServiceSpec("refuser", [sys.executable, "-I", "-S", script, "--port", str(FORWARDER_PORT)])


def fork_server(
    layout: Layout,
    environment: str,
    prefix: Path,
    preload: Sequence[str] = PRELOAD,
    then: Sequence[str] = (),
    env: dict[str, str] | None = None,
) -> ServiceSpec:
    """The fork server of the environment whose virtualenv is `prefix` (the same path inside and outside)."""
    name = fork_service(environment)
    argv = [
        f"{prefix}/bin/python",
        "-m",
        "studio.guest.forkserver",
        "--name",
        environment,
        "--preload",
        ",".join(preload),
        "--then",
        ",".join(then),
    ]
    own = {
        "PYTHONPATH": layout.inside_guest,
        "VIRTUAL_ENV": str(prefix),
        "STUDIO_ENVIRONMENT": environment,
        "STUDIO_ENVIRONMENT_HASH": prefix.name,
        "PATH": f"{prefix}/bin:/usr/local/bin:/usr/bin:/bin",
    }
    # A person's page comes before their first kernel; of a cold endpoint the fork server is what is waited for.
    nice = 0 if layout.is_service else 10
    return ServiceSpec(
        name, argv, {**own, **(env or {})}, cwd=layout.inside_out, revision=prefix.name, starts_nice=nice
    )
