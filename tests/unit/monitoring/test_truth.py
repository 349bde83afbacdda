"""Labels that come later: refused whole or kept, joined to their rows in any order, figures against an oracle."""

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from sklearn import metrics

from studio.errors import Invalid, TooLarge, TooMany
from studio.guest import frames
from studio.monitoring import captures, collect, figures, ground_truth, lake
from studio.monitoring.captures import Wanted
from studio.monitoring.collect import Task
from studio.monitoring.figures import Figures
from studio.monitoring.quality import CLASSES, MOST_STRETCHES
from studio.monitoring.results import TRUTH_BYTES, Result
from tests.unit.monitoring.test_collect import baseline

HOUR = 3_600_000
NOW = time.time_ns() // 1_000_000 // HOUR * HOUR - HOUR  # the beginning of the last hour
_numbers = itertools.count(1)


def answer(
    root: Path, id: str, predictions: list[Any], *, at_ms: int = NOW, variant: str = "v1", status: int = 200
) -> None:
    """A captured request of one row per prediction, in a segment of its own."""
    spool = root / "spool"
    spool.mkdir(exist_ok=True)
    request = json.dumps({"dataframe_records": [{"x": at} for at in range(len(predictions))]}).encode()
    head = {"id": id, "at_ms": at_ms, "variant": variant, "version": variant[1:], "status": status, "latency_us": 1}
    head |= {"content_type": "application/json", "request_bytes": len(request)}
    body = request + json.dumps({"predictions": predictions}).encode()
    data = frames.encode(frames.CAPTURE, 1, json.dumps(head).encode(), body)
    (spool / f"{at_ms}-{next(_numbers)}.frames").write_bytes(data)


def say(root: Path, *labels: tuple[str, int, Any]) -> None:
    rows = [{"inference_id": id, "row": row, "label": label} for id, row, label in labels]
    ground_truth.keep(root, ground_truth.read(json.dumps({"rows": rows}).encode()))


def run(root: Path, id: str = "run-a", **more: Any) -> Result:
    return collect.run(Task(root, id, **more))


def quality(root: Path, from_ms: int = 0, to_ms: int = 0) -> list[Figures]:
    found = captures.quality(root)
    return figures.figures(found, figures.span(found, from_ms, to_ms))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no", "not JSON"),
        (b"[]", "object"),
        (b'{"rows": []}', "length"),
        (b'{"rows": [{"inference_id": "a", "label": 1}, {"inference_id": "b"}]}', r"rows\[1\].*label"),
        (b'{"rows": [{"inference_id": "a", "label": [1]}]}', r"rows\[0\]\.label"),
        (b'{"rows": [{"inference_id": "a", "label": 1e999}]}', "range"),
        (b'{"rows": [{"inference_id": "", "label": 1}]}', r"rows\[0\]\.inference_id"),
        (b'{"rows": [{"inference_id": "' + b"a" * 65 + b'", "label": 1}]}', r"rows\[0\]\.inference_id"),
        (b'{"rows": [{"inference_id": "a", "label": 1, "row": -1}]}', r"rows\[0\]\.row"),
        (b'{"rows": [{"inference_id": "a", "label": 1, "weight": 2}]}', "weight"),
        (json.dumps({"rows": [{"inference_id": "a", "label": 1}] * 10_001}).encode(), "10000"),
        (b'{"rows": ' + b"[" * 100_000, "not JSON|array"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_taken(body: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        ground_truth.read(body)


def test_too_much_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        ground_truth.read(b" " * (TRUTH_BYTES + 1))
    monkeypatch.setattr(ground_truth, "WAITING_FILES", 2)
    for _ in range(2):
        say(tmp_path, ("a", 0, 1))
    with pytest.raises(TooMany):
        say(tmp_path, ("a", 0, 1))
    run(tmp_path)
    say(tmp_path, ("a", 0, 1))


def test_labels_and_rows_meet_in_any_order(tmp_path: Path) -> None:
    answer(tmp_path, "early", [1, 0])
    run(tmp_path)
    say(tmp_path, ("early", 0, 1), ("early", 1, 1), ("late", 0, 0), ("never", 0, 0))
    run(tmp_path)
    assert captures.quality(tmp_path).waiting == 2
    [found] = quality(tmp_path)
    assert (found.n, found.accuracy) == (2, 0.5)
    answer(tmp_path, "late", [0])
    answer(tmp_path, "other", [0])
    run(tmp_path)
    [found] = quality(tmp_path)
    assert (found.n, found.kind, captures.quality(tmp_path).waiting) == (3, "classification", 1)
    truth = {row.id: row.truth for row in captures.rows(tmp_path, Wanted(9)).rows}
    assert truth == {"early.0": 1, "early.1": 1, "late.0": 0, "other.0": None}
    assert len(captures.rows(tmp_path, Wanted(9, truth=True)).rows) == 3
    wrong = next(cell for cell in found.matrix if (cell.label, cell.prediction) == ("1", "0"))
    assert (wrong.n, wrong.row_ids) == (1, ["early.1"])


def test_the_last_word_counts_and_null_takes_it_back(tmp_path: Path) -> None:
    answer(tmp_path, "a", ["rain", "dry"])
    say(tmp_path, ("a", 0, "dry"), ("a", 1, "dry"))
    run(tmp_path)
    assert quality(tmp_path)[0].accuracy == 0.5
    for _ in range(2):
        say(tmp_path, ("a", 0, "rain"))
        run(tmp_path)
        assert (quality(tmp_path)[0].n, quality(tmp_path)[0].accuracy) == (2, 1.0)
    say(tmp_path, ("a", 0, None), ("a", 1, None))
    run(tmp_path)
    assert quality(tmp_path) == []
    assert captures.rows(tmp_path, Wanted(9)).rows[0].truth is None


def test_killed_anywhere_it_goes_on(tmp_path: Path) -> None:
    answer(tmp_path, "a", [1, 0])
    say(tmp_path, ("a", 0, 1))
    [call] = (tmp_path / "truth" / "spool").iterdir()
    kept = call.read_bytes()
    run(tmp_path)
    # Before it could delete the call; after the labels were stored and before the figures were.
    call.write_bytes(kept)
    (tmp_path / "quality.json").unlink()
    (tmp_path / "truth" / "seen.json").unlink()
    (tmp_path / "truth" / "parquet" / "2020-01-01T00").mkdir()
    (tmp_path / "truth" / "parquet" / "2020-01-01T00" / "000000000001-000000000009.making").write_bytes(b"half")
    run(tmp_path)
    assert quality(tmp_path)[0].n == 1
    assert lake.parts(tmp_path / "truth" / "parquet")[-1].last == 1


def test_windows_learn_what_their_rows_turned_out_to_be(tmp_path: Path) -> None:
    known = baseline(tmp_path)
    answer(tmp_path, "a", [at % 2 for at in range(250)])
    [window] = run(tmp_path, baseline=known).windows
    assert captures.window(tmp_path, window.id).truth == [None] * 250
    before = (tmp_path / "windows" / f"{window.id}.json").stat().st_mtime
    say(tmp_path, ("a", 7, 0))
    run(tmp_path, "run-b", after=250, baseline=known)
    truth = captures.window(tmp_path, window.id).truth
    assert (truth[7], truth.count(None)) == (0, 249)
    assert (tmp_path / "windows" / f"{window.id}.json").stat().st_mtime == pytest.approx(before, abs=0.01)


def test_what_code_in_the_sandbox_leaves_there_does_no_harm(tmp_path: Path) -> None:
    spool = tmp_path / "truth" / "spool"
    spool.mkdir(parents=True)
    (spool / "1-1.json").write_bytes(b"no")
    (spool / "9999999999999999999-1.json").write_bytes(b'{"rows": [{"inference_id": "a", "label": 1}]}')
    (spool / "2-1.json").symlink_to("/etc/passwd")
    answer(tmp_path, "a", [1])
    assert run(tmp_path).error == ""
    assert quality(tmp_path)[0].accuracy == 1.0
    (tmp_path / "quality.json").unlink()
    (tmp_path / "quality.json").symlink_to("/etc/passwd")
    with pytest.raises(Exception, match="is a link"):
        captures.quality(tmp_path)


def test_figures_of_classes_equal_scikit_learn(tmp_path: Path) -> None:
    kinds = ["dry", "rain", "snow"]
    guesses = [kinds[at * 7 % 3] for at in range(90)]
    truth = [kinds[at * at % 3] for at in range(90)]
    answer(tmp_path, "a", guesses)
    say(tmp_path, *(("a", at, label) for at, label in enumerate(truth)))
    run(tmp_path)
    [found] = quality(tmp_path)
    precision, recall, _, support = metrics.precision_recall_fscore_support(
        truth, guesses, labels=kinds, zero_division=0
    )
    assert [one.name for one in found.classes] == kinds
    assert [one.precision or 0 for one in found.classes] == pytest.approx(precision)
    assert [one.recall or 0 for one in found.classes] == pytest.approx(
        [value if n else 0 for value, n in zip(recall, support, strict=True)]
    )
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, guesses))
    matrix = {(cell.label, cell.prediction): cell.n for cell in found.matrix}
    for at, row in enumerate(metrics.confusion_matrix(truth, guesses, labels=kinds)):
        assert [matrix.get((kinds[at], kind), 0) for kind in kinds] == row.tolist()
    assert all(len(cell.row_ids) == cell.n for cell in found.matrix)


def test_figures_of_numbers_equal_scikit_learn(tmp_path: Path) -> None:
    guesses = [at * 1.5 - 3 for at in range(50)] + [None, [1, 2], 1e200]
    truth = [at * 1.25 for at in range(50)] + [1, 1, 1]
    answer(tmp_path, "a", guesses)
    say(tmp_path, *(("a", at, label) for at, label in enumerate(truth)))
    run(tmp_path)
    [found] = quality(tmp_path)
    assert (found.kind, found.n, found.incomparable) == ("regression", 50, 3)
    assert found.mae == pytest.approx(metrics.mean_absolute_error(truth[:50], guesses[:50]))
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(truth[:50], guesses[:50]))
    assert found.bias == pytest.approx(sum(g - t for g, t in zip(guesses[:50], truth[:50], strict=True)) / 50)


@pytest.mark.parametrize(
    ("guess", "label", "right"),
    [
        (1, "1", True),
        (1.0, 1, True),
        (1, True, True),
        (0, True, False),
        ("true", True, True),
        ({"rain": 1}, 1, True),
        ([[1]], 1, True),
        ("rain", "Rain", False),
    ],
)
def test_the_same_class_in_other_words(tmp_path: Path, guess: Any, label: Any, right: bool) -> None:
    answer(tmp_path, "a", [guess, guess])
    say(tmp_path, ("a", 1, label))
    run(tmp_path)
    assert quality(tmp_path)[0].accuracy == float(right)


def test_variants_are_told_apart_and_shadows_are_in_no_window(tmp_path: Path) -> None:
    known = baseline(tmp_path)
    answer(tmp_path, "a", [1] * 250, variant="v1")
    answer(tmp_path, "a", [0] * 250, variant="v2")
    answer(tmp_path, "a", [1] * 250, variant="s1")  # another variant of version 1, which gets copies
    say(tmp_path, ("a", 0, 1), ("a", 1, 0))
    result = run(tmp_path, baseline=known, shadows=frozenset({"s1", "v2"}))
    assert [window.rows for window in result.windows] == [250]
    assert [(one.variant, one.n, one.accuracy) for one in quality(tmp_path)] == [
        ("s1", 2, 0.5),
        ("v1", 2, 0.5),
        ("v2", 2, 0.5),
    ]
    both = captures.rows(tmp_path, Wanted(9, ids=frozenset({"a.0"}))).rows
    assert {(row.variant, row.shadow, row.output) for row in both} == {
        ("v1", False, 1),
        ("v2", True, 0),
        ("s1", True, 1),
    }


def test_refused_requests_have_no_quality(tmp_path: Path) -> None:
    answer(tmp_path, "a", [1], status=400)
    say(tmp_path, ("a", 0, 1))
    run(tmp_path)
    assert quality(tmp_path) == []


def test_figures_of_a_time(tmp_path: Path) -> None:
    for hour in range(3):
        answer(tmp_path, f"h{hour}", [1] * (hour + 1), at_ms=NOW - hour * HOUR)
        say(tmp_path, *((f"h{hour}", at, 1) for at in range(hour + 1)))
    run(tmp_path)
    assert quality(tmp_path)[0].n == 6
    assert quality(tmp_path, from_ms=NOW)[0].n == 1
    assert quality(tmp_path, from_ms=NOW - HOUR + 5)[0].n == 3
    assert quality(tmp_path, to_ms=NOW)[0].n == 5
    assert quality(tmp_path, from_ms=NOW - 2 * HOUR, to_ms=NOW - HOUR - 1)[0].n == 3
    assert quality(tmp_path, to_ms=NOW - 9 * HOUR) == []


def test_many_classes_keep_what_is_right_and_the_file_small(tmp_path: Path) -> None:
    count = 3 * CLASSES
    answer(tmp_path, "a", [f"c{at}" for at in range(count)])
    answer(tmp_path, "b", [f"c{at + 1}" for at in range(count)])
    for id in "ab":
        say(tmp_path, *((id, at, f"c{at}") for at in range(count)))
    run(tmp_path)
    [found] = quality(tmp_path)
    assert (found.n, found.accuracy) == (2 * count, 0.5)
    assert len(found.classes) <= CLASSES + 2
    assert sum(len(one.cells) for one in captures.quality(tmp_path).variants) <= MOST_STRETCHES


def test_long_texts_are_the_same_only_if_they_are(tmp_path: Path) -> None:
    texts = ["wörter " * 60 + end for end in ("one", "two")]
    answer(tmp_path, "a", texts)
    say(tmp_path, ("a", 0, texts[0]), ("a", 1, texts[0]))
    run(tmp_path)
    [found] = quality(tmp_path)
    assert (found.accuracy, len(found.classes)) == (0.5, 2)
    assert max(len(one.name) for one in found.classes) < 100


def test_more_variants_than_fit_lose_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.monitoring.quality.RESULT_BYTES", 3000)
    for at in range(1, 40):
        answer(tmp_path, f"q{at}", [1], at_ms=NOW - at * HOUR, variant=f"v{at}")
        say(tmp_path, (f"q{at}", 0, 1))
    run(tmp_path)
    kept = [one.version for one in captures.quality(tmp_path).variants]
    assert kept == list(range(1, len(kept) + 1))
    assert 0 < len(kept) < 39
    assert (tmp_path / "quality.json").stat().st_size < 3000


def test_labels_grow_old_like_the_rows(tmp_path: Path) -> None:
    day = 24 * HOUR
    known = baseline(tmp_path)
    answer(tmp_path, "old", [1] * 250, at_ms=NOW - 3 * day)
    say(tmp_path, ("old", 0, 1))
    [call] = (tmp_path / "truth" / "spool").iterdir()
    call.rename(call.with_name(f"{NOW - 3 * day}-1.json"))
    first = run(tmp_path, baseline=known, days=7)
    assert quality(tmp_path)[0].n == 1
    answer(tmp_path, "new", [1])
    second = run(tmp_path, "run-b", baseline=known, days=2, after=first.to_seq)
    assert quality(tmp_path) == []
    assert [row.id for row in captures.rows(tmp_path, Wanted(9)).rows] == ["new.0"]
    assert captures.rows(tmp_path, Wanted(9, truth=True)).rows == []
    assert list((tmp_path / "windows").iterdir()) == []
    assert lake.parts(tmp_path / "truth" / "parquet") == []
    assert (second.last_seq, second.pending) == (251, 1)
    # Everything is gone, and the numbers go on: what a window took is never counted again.
    for part in lake.parts(tmp_path / "parquet"):
        part.path.unlink()
    answer(tmp_path, "newer", [1])
    assert run(tmp_path, "run-c", baseline=known, days=2, after=251).last_seq == 252
