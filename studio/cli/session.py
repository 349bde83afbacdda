"""Settings and connection of one command."""

from pathlib import Path

from studio.client import Rest, connect
from studio.settings import Settings

_home: list[Path] = []


def use_home(home: Path | None) -> None:
    """The global option `--home`."""
    _home[:] = [home] if home is not None else []


def settings(**options: object) -> Settings:
    """The settings in force: options given, then `STUDIO_*`, then defaults."""
    given = {name: value for name, value in options.items() if value is not None}
    if _home:
        given.setdefault("home", _home[0])
    return Settings(**given)  # type: ignore[arg-type]


def rest(timeout: float = 120.0) -> Rest:
    """A client of the Studio that this command means."""
    return connect(settings(), timeout)
