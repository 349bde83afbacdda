"""Environments, their versions, what uses them."""

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body


class ProgressAnswer(Answer):
    """`done` of `total`; `text` says what is being done."""

    done: int
    total: int
    text: str


class EnvironmentVersion(Answer):
    """One definition and what became of it: `state` NotBuilt, Queued, Building, Ready or Failed, then `error`. `hash`
    names its folder once it was built; `size_bytes` 0: not known; `note`: what changed."""

    number: int
    state: str
    hash: str
    python: str
    packages: list[str]
    preload: list[str]
    size_bytes: int
    progress: ProgressAnswer
    error: str
    note: str
    created_by: str
    created_ms: int
    built_ms: int | None


class EnvironmentAnswer(Answer):
    """An environment. `is_own`: the domain's, not the catalogue's. `is_ready`: version `current` can be used, and
    `hash`, `packages`, `preload` are its (else the newest's); `state`, `progress` and `error` are those of version
    `newest`, which is used once it is ready. `python` is the path of its interpreter once it is ready."""

    name: str
    title: str
    about: str
    is_own: bool
    is_default: bool
    is_ready: bool
    state: str
    current: int | None
    newest: int
    hash: str
    python: str
    packages: list[str]
    preload: list[str]
    size_bytes: int
    progress: ProgressAnswer
    error: str
    created_by: str
    created_ms: int
    built_ms: int | None


class UseAnswer(Answer):
    """Something that uses an environment: `kind` kernel, job, replica, fork server, endpoint or default; `hash`: of
    what it runs from, "" if nothing runs."""

    kind: str
    name: str
    owner: str
    hash: str


class EnvironmentInDomain(EnvironmentAnswer):
    """With how many things of the domain use it."""

    used_by: int


class EnvironmentDetail(EnvironmentAnswer):
    """With its versions, newest first, what uses it in the domain, and the end of the newest version's build log."""

    versions: list[EnvironmentVersion]
    uses: list[UseAnswer]
    log: str


class PinAnswer(Answer):
    """A package of a lock. In a comparison `before` is the other version's; "" in one of both: it is not there."""

    name: str
    version: str
    before: str = ""


class EnvironmentVersionDetail(EnvironmentVersion):
    """With its lock, and what differs in it from the lock of version `against` (0: nothing to compare with)."""

    locked: list[PinAnswer]
    against: int
    changes: list[PinAnswer]


class EnvironmentBody(Body):
    """A new environment of the domain: from nothing, or a clone of `source` (at `source_version`, else the one in use)
    with what is given here in place of what that has, and `add` added."""

    name: str
    title: str = ""
    python: str = Field("", description='Such as "3.11"; default: the one that Studio runs on.')
    packages: list[str] | None = Field(None, description="Such as pandas>=2.2; options, URLs and paths are not taken.")
    preload: list[str] | None = Field(None, description="Modules that are imported once, before kernels are forked.")
    add: list[str] = []
    source: str = ""
    source_version: int = 0


class ChangeBody(Body):
    """Makes a new version. `packages`: the whole list; `add`, `remove`: changes of it."""

    packages: list[str] | None = None
    add: list[str] = []
    remove: list[str] = []
    preload: list[str] | None = None


class AddBody(Body):
    """Packages to add. To one of the catalogue: a clone in the domain is made, called `name`."""

    packages: list[str]
    name: str = Field("", description="Name of the clone; default: made from the domain's and the environment's.")


class RollbackBody(Body):
    """Back to what version `number` had, as a new version."""

    number: int


class DefaultBody(Body):
    """The environment that the domain begins with."""

    name: str


class CollectBody(Body):
    """`days`: how long nothing may have used what is removed; `dry_run`: only says what would go."""

    days: float = Field(0.0, ge=0)
    dry_run: bool = False
    shared: bool = Field(False, description="Also where the store may be another installation's too.")


class CollectAnswer(Answer):
    """What was removed (or would be), and its size as far as it is known."""

    hashes: list[str]
    bytes: int
