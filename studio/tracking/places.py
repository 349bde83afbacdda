"""Where artifacts are: `mlflow-artifacts:/a/b`, below a domain's folder, decoded once, held to plain components."""

from dataclasses import dataclass
from urllib.parse import unquote

from studio.errors import Invalid

SCHEME = "mlflow-artifacts"
MAX_PATH = 2000
MAX_PART = 255  # bytes; what file systems take


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a domain's artifacts, as components, none of which is empty, `.`, `..` or hidden in another."""

    parts: tuple[str, ...]

    @property
    def uri(self) -> str:
        return f"{SCHEME}:/{self.path}"

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    def join(self, path: str) -> "Place":
        """The place `path` below this one."""
        return Place(self.parts + split(path))

    def is_within(self, root: "Place") -> bool:
        """Whether this is `root` or below it, component by component."""
        return self.parts[: len(root.parts)] == root.parts


def parse(uri: str) -> Place:
    """The place of an `mlflow-artifacts:` URI of this server; any other scheme or a host in it is refused."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != SCHEME:
        raise Invalid(
            f"Invalid artifact location '{uri}'.",
            f"Artifacts of a domain lie in Studio: use {SCHEME}:/<path>, or leave the location out.",
        )
    if rest.startswith("//") and not rest.startswith("///"):
        raise Invalid(f"Invalid artifact location '{uri}': it names a host.", f"Use {SCHEME}:/<path>.")
    if any(character in rest for character in "?#"):
        raise Invalid(f"Invalid artifact location '{uri}': it has a query or a fragment.", f"Use {SCHEME}:/<path>.")
    return Place(split(rest.strip("/")))


def split(path: str) -> tuple[str, ...]:
    """The components of a relative path; "" has none.

    The path must be decoded already: what still decodes to something else (%2e, %252f) is refused, and so are
    parameters, backslashes, drive letters, control characters and everything that climbs.
    """
    if path in ("", "."):
        return ()
    parts = tuple(path.split("/"))
    if len(path) > MAX_PATH or path.startswith("/") or any(_is_bad(part) for part in parts):
        raise Invalid(
            "Invalid path.", "Use a relative path of plain names: no '..', '%', backslash or control character."
        )
    return parts


def _is_bad(part: str) -> bool:
    return (
        part in ("", ".", "..")
        or unquote(part) != part
        or "\\" in part
        or (len(part) > 1 and part[1] == ":" and len(part) == 2)
        or part.split(";")[0] in ("", ".", "..")
        or any(ord(character) < 32 or ord(character) == 127 for character in part)
        or not _is_encodable(part)
    )


def _is_encodable(part: str) -> bool:
    try:
        return len(part.encode()) <= MAX_PART
    except UnicodeEncodeError:
        return False
