"""Reasons for people, and records that survive."""

from pathlib import Path

import msgspec

from studio.runtime.exits import Exits, explain
from studio.runtime.specs import ExitRecord


def _record(name: str) -> ExitRecord:
    return ExitRecord(0, "a.ann", name, "job", 5, 0, None, "completed", "", 1, 2)


def test_every_reason_says_what_to_do_next() -> None:
    cases = {
        "completed": explain("job", 0, None),
        "exit code 2": explain("job", 2, None),
        "out of memory": explain("kernel", None, 9, oom=True, limit_bytes=512 << 20, peak_bytes=510 << 20),
        "stopped": explain("job", 130, None, stopped=True),
        "sandbox ended": explain("job", None, None, sandbox_ended=True),
        "killed": explain("replica", None, 9),
        "segmentation fault (SIGSEGV)": explain("kernel", None, 11),
        "import error": explain("job", 1, None, last_words="ModuleNotFoundError: No module named 'polars'\n"),
        "ended by SIGTERM": explain("job", None, 15),
        "refused system call (SIGSYS)": explain("job", None, 31),
        "lost": explain("job", None, None),
        "not admitted": explain("job", 75, None),
        "ended by signal 63": explain("job", None, 63),
    }
    for expected, (reason, message) in cases.items():
        assert reason == expected
        assert message.endswith(".")
    assert "512 MiB" in cases["out of memory"][1] and "510 MiB" in cases["out of memory"][1]


def test_numbers_go_on_after_a_restart_and_a_torn_line(tmp_path: Path) -> None:
    first = Exits(tmp_path)
    assert [first.add(_record(name)).seq for name in ("a", "b")] == [1, 2]
    with (tmp_path / "exits.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(_record("torn"))[:30])
    second = Exits(tmp_path)
    assert [record.name for record in second.since(1)] == ["b"]
    assert second.add(_record("c")).seq == 3
    assert [record.name for record in Exits(tmp_path).since(0)] == ["a", "b", "c"]


CRASH = """Fatal Python error: Segmentation fault

Current thread 0x00007f4c5a7fc740 (most recent call first):
  File "/volume/ann/model.py", line 7 in predict
  File "/volume/ann/model.py", line 12 in <module>

Extension modules: numpy._core._multiarray_umath (total: 1)
"""


def test_a_crash_names_the_line_that_was_running() -> None:
    message = explain("job", None, 11, last_words=CRASH)[1]
    assert "in predict (/volume/ann/model.py, line 7)" in message


def test_an_import_error_names_the_package_and_only_where_it_was_the_end() -> None:
    traceback = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n'
    ended = traceback + "ModuleNotFoundError: No module named 'polars.lazy'\nlast output of another thread\n"
    assert "provides 'polars' to the environment" in explain("replica", 1, None, last_words=ended)[1]
    other = traceback + "ImportError: cannot import name 'a' from 'b'\n"
    assert "cannot import name 'a' from 'b'" in explain("kernel", 1, None, last_words=other)[1]
    caught = ended + traceback + "mylib.errors.DataError: no rows\n"
    assert explain("job", 1, None, last_words=caught)[0] == "exit code 1"
    assert explain("job", 3, None, last_words=ended)[0] == "exit code 3"
    assert explain("job", None, 9, oom=True, last_words=ended)[0] == "out of memory"


def test_a_sandbox_without_memory_is_not_the_fault_of_what_it_ended() -> None:
    """Of two the kernel ends one; far below its own limit it is told about the sandbox and not about a larger size."""
    _, own = explain("job", None, 9, oom=True, limit_bytes=2048 << 20, peak_bytes=2047 << 20)
    _, shared = explain("job", None, 9, oom=True, limit_bytes=2048 << 20, peak_bytes=18 << 20)
    assert "2048 MiB" in own and "larger instance type" in own
    assert "its sandbox has no more" in shared and "domain set" in shared and "2048" not in shared
