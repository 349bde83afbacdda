"""Forms of our own pages."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from starlette.requests import Request

from studio.errors import Invalid, TooLarge

MOST_BYTES = 16 * 1024
TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request, names: Sequence[str]) -> dict[str, str]:
    """The fields `names`, "" for a missing one; `Invalid` for any other, one that comes twice, or another type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TYPE:
        raise Invalid("This is not the form of the page.", "Open the page again, and send its form.")
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BYTES:
            raise TooLarge("The form is larger than 16 KiB.", "Send less.")
    try:
        fields = parse_qs(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=len(names))
    except ValueError as error:
        raise Invalid("The form cannot be read.", "Open the page again, and send its form.") from error
    if not set(fields) <= set(names) or any(len(values) > 1 for values in fields.values()):
        raise Invalid("This is not the form of the page.", "Open the page again, and send its form.")
    return {name: fields.get(name, [""])[0] for name in names}
