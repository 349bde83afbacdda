"""The two names of everything, and the command line that makes them so."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.errors import Denied, Invalid
from studio.runtime import bubblewrap, sandbox
from studio.runtime.specs import Mount, SandboxSpec
from studio.settings import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    # Short, as the real one is: a unix socket's path ends at 107 bytes.
    with tempfile.TemporaryDirectory(prefix="studio") as sockets:
        yield Paths(tmp_path / "home", Path(sockets), tmp_path / "home" / "environments")


def _command(paths: Paths, spec: SandboxSpec) -> list[str]:
    layout = sandbox.layout_of(paths, spec)
    fds = {"info_fd": 5, "status_fd": 6, "block_fd": 7}
    return bubblewrap.command("bwrap", spec, layout, ["/bin/true"], env={"A": "b"}, **fds)


def test_names_inside_and_on_the_host(paths: Paths) -> None:
    layout = sandbox.Layout(paths, "demo", "ann", "bubblewrap")
    assert layout.id == "demo.ann" and layout.inside_home == "/volume/ann"
    assert layout.inside(layout.host_shared / "a" / "b.csv") == "/volume/shared/a/b.csv"
    assert layout.host("/volume/ann/x") == paths.home / "domains/demo/users/ann/x"
    assert layout.host("/studio/out/lab.sock") == layout.host_out / "lab.sock"
    for odd in ("/etc/passwd", "relative", "/volume/shared/../bob", "/volume/bob/x", "/volume/shared\0"):
        with pytest.raises(Invalid):
            layout.host(odd)
    for hidden in (paths.database, paths.shared("other") / "x", paths.keys):
        with pytest.raises(Invalid):
            layout.inside(hidden)
    bare = sandbox.Layout(paths, "demo", "ann", "none")
    assert bare.inside_shared == str(layout.host_shared)
    assert bare.host(bare.inside(bare.host_home / "x")) == bare.host_home / "x"


@pytest.mark.parametrize("domain", ["", ".", "..", "../b", "a/b", "A", "a b", "a\0", "a."])
def test_odd_names_never_become_paths(paths: Paths, domain: str) -> None:
    with pytest.raises(Invalid):
        sandbox.build_spec(paths, domain, "ann", isolation="bubblewrap")
    with pytest.raises(Invalid):
        sandbox.build_spec(paths, "demo", domain, isolation="bubblewrap")


def test_person_sees_their_own_and_the_service_neither(paths: Paths) -> None:
    person = sandbox.build_spec(paths, "demo", "ann", isolation="bubblewrap", token="t")
    targets = {mount.target: mount for mount in person.mounts}
    assert targets["/volume/shared"].writable and targets["/volume/ann"].writable
    assert not targets["/studio/in"].writable and targets["/studio/out"].writable
    assert "/models" not in targets and "/capture" not in targets
    viewer = sandbox.build_spec(paths, "demo", "ann", isolation="bubblewrap", read_only=True)
    assert [mount.target for mount in viewer.mounts if mount.writable] == ["/studio/out", "/volume/ann"]
    service = sandbox.build_spec(paths, "demo", "service", isolation="bubblewrap")
    names = {mount.target: mount.writable for mount in service.mounts}
    assert not [name for name in names if name.startswith("/volume")]
    assert names["/models"] is False and names["/capture"] is True


def test_environment_names_the_api_by_network(paths: Paths) -> None:
    for network, api in (("studio", "http://127.0.0.1:8500"), ("open", "http://127.0.0.1:8600"), ("none", None)):
        spec = sandbox.build_spec(
            *(paths, "demo", "ann"),
            isolation="bubblewrap",
            network=network,  # type: ignore[arg-type]  # the three literals above
            token="t",
            address="http://127.0.0.1:8600",
        )
        assert spec.env.get("STUDIO_API") == api
        # Without a network its place is taken by what says why.
        assert spec.env["MLFLOW_TRACKING_URI"] == (api or "http://127.0.0.1:8500")
        assert spec.env["MLFLOW_DISABLE_TELEMETRY"] == "true" and spec.env["OMP_NUM_THREADS"] == "1"
    assert sandbox.build_spec(paths, "demo", "ann", isolation="none", address="x").network == "open"


def test_command_has_the_namespaces_and_hides_itself(paths: Paths) -> None:
    spec = sandbox.build_spec(paths, "demo", "ann", isolation="bubblewrap")
    sandbox.prepare(sandbox.layout_of(paths, spec))
    command = _command(paths, spec)
    for word in ("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--as-pid-1"):
        assert word in command
    assert "--die-with-parent" not in command and "--clearenv" in command
    assert command[-2:] == ["--", "/bin/true"]
    opened = sandbox.build_spec(paths, "demo", "ann", isolation="bubblewrap", network="open")
    assert "--unshare-net" not in _command(paths, opened)


def test_mounts_of_others_and_of_everything_are_refused(paths: Paths) -> None:
    spec = sandbox.build_spec(paths, "demo", "ann", isolation="bubblewrap")
    sandbox.prepare(sandbox.layout_of(paths, spec))
    paths.shared("other").mkdir(parents=True)
    wrong = ["/", "/etc", "/root", str(paths.home), str(paths.home.parent), str(paths.keys), str(paths.shared("other"))]
    for source in [*wrong, str(paths.sockets), "relative", str(paths.shared("demo") / ".." / "..")]:
        odd = SandboxSpec(spec.id, "demo", "ann", "bubblewrap", "studio", [Mount(source, "/x")])
        with pytest.raises((Denied, Invalid)):
            _command(paths, odd)
    with pytest.raises(Invalid, match="does not exist"):
        _command(paths, SandboxSpec(spec.id, "demo", "ann", "bubblewrap", "studio", [Mount("/absent", "/x")]))


def test_volume_that_is_a_link_is_refused(paths: Paths, tmp_path: Path) -> None:
    layout = sandbox.Layout(paths, "demo", "ann", "bubblewrap")
    layout.host_shared.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    layout.host_shared.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Denied, match="link"):
        sandbox.prepare(layout)
