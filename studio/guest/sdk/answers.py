"""What REST answered about one thing, with its fields as attributes."""

from typing import Any


class Answer:
    """Attributes are the fields of the REST answer, as they were when read."""

    noun = "An answer"

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["found"][name]
        except KeyError:
            known = ", ".join(self.__dict__.get("found", ()))
            raise AttributeError(f"{self.noun} has no {name!r}; it has {known}.") from None
