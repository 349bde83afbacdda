"""What doctor says about isolation: only what was tried."""

from studio.runtime import isolation


def test_probe_names_a_cause_and_a_cure_or_what_worked() -> None:
    found = isolation.probe()
    assert found.level in ("bubblewrap", "none")
    if found.level == "bubblewrap":
        assert found.binary and "bubblewrap" in found.detail and not found.cause
    else:
        assert found.cause and found.cure
    assert all(bool(attempt.error) != (found.binary == attempt.binary) for attempt in found.attempts)


def test_broken_binary_is_an_attempt_with_its_own_words() -> None:
    refusal = (1, "bwrap: Creating new namespace failed: Operation not permitted")

    def run(argv: list[str]) -> tuple[int, str]:
        return (0, "bubblewrap 9") if argv[-1] == "--version" else refusal

    attempt = isolation.try_binary("/x/bwrap", "test", run)
    assert attempt.error.endswith("Operation not permitted") and attempt.version == "bubblewrap 9"
    for error in (attempt.error, "Can't mount proc on /newroot/proc: Permission denied", "something else"):
        cause, cure = isolation.explain(error)
        assert cause.endswith((".", error))
        assert cure
    absent = isolation.try_binary("/does/not/exist", "test")
    assert absent.error
