"""Labels that come later: taken in from a call as a file for the job, which joins them to the captured rows."""

import itertools
from pathlib import Path

import msgspec

from studio.clock import now_ms
from studio.errors import Invalid, TooLarge, TooMany
from studio.monitoring.results import TRUTH_BYTES, TRUTH_ROWS, Truth
from studio.runtime import beneath

WAITING_FILES = 256  # of one endpoint, until the job takes them in
WAITING_BYTES = 64 << 20
SPOOL = ("truth", "spool")
_count = itertools.count(1)
_decode = msgspec.json.Decoder(Truth).decode


def read(body: bytes) -> Truth:
    """The labels in a request's body; `Invalid` names the row that is wrong, and nothing is taken of such a call."""
    if len(body) > TRUTH_BYTES:
        raise TooLarge(f"The labels are over {TRUTH_BYTES >> 20} MiB.", f"Send at most {TRUTH_ROWS} at a time.")
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise Invalid(
            f"The labels are not what this path takes: {_place(str(error))}. Nothing was taken.",
            'A row is {"inference_id": "…", "row": 0, "label": …}; a label is one number, text, true or false.',
        ) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Invalid("The body is not JSON.", 'Send {"rows": [{"inference_id": "…", "label": …}]}.') from None


def _place(text: str) -> str:
    """msgspec's words with rows as people count them apart: "rows[3].label"."""
    what, _, where = text.partition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if where else what


def keep(root: Path, truth: Truth) -> None:
    """Leaves labels for the job in the endpoint's capture folder `root`. `TooMany` while too much waits there."""
    names = beneath.names(root, SPOOL, ".json", limit=WAITING_FILES)
    data = msgspec.json.encode(truth)
    if len(names) >= WAITING_FILES or _waiting(root) + len(data) > WAITING_BYTES:
        raise TooMany("More labels wait than are taken in at a time.", "Send these again in some seconds.")
    beneath.write(root, (*SPOOL, f"{now_ms()}-{next(_count)}.json"), data)


def _waiting(root: Path) -> int:
    if not beneath.exists(root, SPOOL):
        return 0
    return sum(entry.status.st_size for entry in beneath.walk(root, SPOOL, most=4 * WAITING_FILES) if entry.is_file)
