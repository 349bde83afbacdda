"""Exit codes and tracebacks of scripts."""

import sys
from pathlib import Path

import pytest

from studio.guest import job


@pytest.fixture(autouse=True)
def _same_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        *[("", 0), ("raise SystemExit", 0), ("raise SystemExit(4)", 4), ("import sys; sys.exit('no')", 1)],
        *[("1/0", 1), ("def (", 1), ("raise KeyboardInterrupt", 130), ("import sys; sys.exit(len(sys.argv))", 3)],
    ],
)
def test_exit_code_is_a_shells(tmp_path: Path, source: str, code: int) -> None:
    script = tmp_path / "train.py"
    script.write_text(source)
    assert job.main({"script": str(script), "argv": ["-p", "depth=6"]}) == code


def test_traceback_begins_at_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "beside.py").write_text("def work():\n    raise ValueError('broken')\n")
    script = tmp_path / "train.py"
    script.write_text("import beside\nprint('first')\nbeside.work()\n")
    assert job.main({"script": str(script)}) == 1
    said = capsys.readouterr()
    assert said.out == "first\n"
    lines = said.err.splitlines()
    assert lines[0].startswith("Traceback") and "train.py" in lines[1] and lines[-1] == "ValueError: broken"
    assert "runpy" not in said.err
    sys.modules.pop("beside", None)
