"""What may be scored where: the job's arguments, and what is refused before there is one."""

from dataclasses import replace

import pytest

from studio.errors import Denied, Invalid, StudioError
from studio.jobs import batch, scripts
from studio.jobs.batch import Scoring

SCORING = Scoring("rain", 3, "/volume/shared/rows.csv", "ada/out.parquet", hash="ab" * 32, dataset="scored")


def test_the_job_says_what_it_does() -> None:
    found = batch.wanted(SCORING, "ada", "", "sklearn", "std.small")
    assert (found.name, found.kind, found.script) == ("rain 3 on rows.csv", "batch", "batch.py")
    assert scripts.argv(found.params) == [
        *("--model", "rain", "--version", "3", "--input", "shared/rows.csv", "--output", "ada/out.parquet"),
        *("--chunk-rows", "10000", "--hash", "ab" * 32, "--dataset", "scored"),
    ]
    assert scripts.check_script(batch.SCRIPT, batch.SCRIPT_NAME) == batch.SCRIPT
    assert batch.beside("shared/a.b/rows.csv") == "shared/a.b/rows-predictions.csv"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"output": "shared/./rows.csv"}, Invalid, "input's place"),
        ({"output": "eve/out.csv"}, Denied, "neither the shared"),
        ({"input": "eve/rows.csv"}, Denied, "neither the shared"),
        ({"output": "shared/../../x.csv"}, Invalid, "climbs"),
        ({"output": "/etc/cron.d/x.csv"}, Invalid, "absolute"),
        ({"output": "ada/.studio/jobs/job-1/x.csv"}, Invalid, "Studio's own"),
        ({"output": "shared/out.xlsx"}, Invalid, "not known"),
        ({"input": "shared/rows"}, Invalid, "not known"),
        ({"format": "xlsx"}, Invalid, "no format"),
        ({"chunk_rows": 0}, Invalid, "chunk"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], error: type[StudioError], words: str) -> None:
    with pytest.raises(error, match=words):
        batch.wanted(replace(SCORING, **change), "ada", "", "", "")  # type: ignore[arg-type]
