"""Identifiers and the one rule for names."""

import re
import secrets

from studio.errors import Invalid

# Lower case without the letters that are mistaken for digits, so that an id can be read aloud.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def new_id(prefix: str) -> str:
    """`prefix` and 12 random characters (59 bits), such as `job-7k3…`."""
    return prefix + "-" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def hex32() -> str:
    """32 hexadecimal digits: the form of MLflow's run ids."""
    return secrets.token_hex(16)


def is_name(name: str) -> bool:
    """Whether `name` is a DNS label of at most 40 characters in lower case."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str, what: str) -> str:
    """`name` itself, or `Invalid`; a name becomes a folder and a host name, so nothing but a DNS label passes."""
    if not is_name(name):
        raise Invalid(
            f"{name!r} cannot be the name of a {what}.",
            "Use 1 to 40 of a-z, 0-9 and '-', beginning and ending with a letter or digit.",
        )
    return name
