"""Which sandboxes are wanted, with which lab and fork servers: desired state; the sandbox loop makes it so."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from studio import signing
from studio.clock import now_ms
from studio.errors import Conflict, Denied, NotFound
from studio.ids import check_name
from studio.store import signal
from studio.store.tables.access import memberships
from studio.store.tables.domains import domains, fork_servers, sandboxes
from studio.store.tenancy import EVERY, FOUND, Domain, scope_query

SERVICE = "service"
_OF_DOMAIN = ("network_mode", "memory_mb", "cpu", "processes", "required_isolation", "idle_minutes", "removing_ms")
KEY = "box-"  # before a sandbox's id: the id of its token among the access keys


@dataclass(frozen=True, slots=True)
class Sandbox:
    """`role` is the owner's role now ("" if they are no member any more; "service" for the service's own sandbox).
    `applied_…`: with what it was last started; `restart`: it shall end and start anew; the last ones: its domain's."""

    id: str
    domain: str
    owner: str
    wanted: bool
    lab_wanted: bool
    nonce: str
    applied_role: str
    role: str
    reason: str
    network_mode: str
    wanted_ms: int
    environments: tuple[str, ...]
    applied_network: str = ""
    restart: bool = False
    memory_mb: int | None = None
    cpu: float | None = None
    processes: int | None = None
    required_isolation: str = "none"
    idle_minutes: int = 0
    removing_ms: int | None = None

    @property
    def network(self) -> str:
        """The network mode of the sandbox that runs, or of the one that will be started."""
        return self.applied_network or self.network_mode

    def token(self, secret: str) -> str:
        """What its code shows to Studio; another one after each start. `secret`: the master key. It has the form of an
        access key, so that the gateway can check it too, for code that has the host's network."""
        return f"studio_{KEY}{self.id}_{signing.keyed(secret, f'token {self.id} {self.nonce}')}"

    def lab_secret(self, secret: str) -> str:
        """What the gateway shows to its lab."""
        return signing.keyed(secret, f"lab {self.id} {self.nonce}")


def want(db: Connection, domain: str, owner: str, *, lab: bool = False, environment: str | None = None) -> str:
    """Asks for the sandbox of (domain, owner) and, if given, its lab and a fork server of `environment`.

    Returns the sandbox's id; writes nothing if all of it is wanted already. `owner` is a member or "service".
    """
    sandbox = _ensure_row(db, domain, owner)
    if lab and owner == SERVICE:
        raise Denied("The service sandbox has no lab.", "Open your own.")
    found = get(db, sandbox)
    if found.removing_ms is not None:
        raise Conflict(f"The domain {domain} is being removed.", "Nothing starts in it any more.")
    changes: dict[str, object] = {}
    if not found.wanted:
        changes |= {"wanted": True, "wanted_ms": now_ms(), "reason": ""}
    if lab and (not found.lab_wanted or found.reason):
        # Somebody waits for it: what went wrong before is tried again at once.
        changes |= {"lab_wanted": True, "reason": ""}
    if changes:
        db.execute(scope_query(update(sandboxes), sandboxes, FOUND).where(sandboxes.c.id == sandbox).values(changes))
    if environment is not None and environment not in found.environments:
        check_name(environment, "environment")
        db.execute(insert(fork_servers).values(sandbox=sandbox, environment=environment, wanted_ms=now_ms()))
        changes["environment"] = environment
    if changes:
        signal(db, "sandboxes", domain, sandbox)
    return sandbox


def unwant(db: Connection, sandbox: str) -> None:
    """The sandbox shall end, with everything in it; asked for again, it starts again."""
    found = get(db, sandbox)
    values = {"wanted": False, "lab_wanted": False, "reason": ""}
    db.execute(scope_query(update(sandboxes), sandboxes, FOUND).where(sandboxes.c.id == sandbox).values(values))
    db.execute(delete(fork_servers).where(fork_servers.c.sandbox == sandbox))
    signal(db, "sandboxes", found.domain, sandbox)


def unwant_lab(db: Connection, sandbox: str) -> None:
    """The lab shall end; kernels, jobs and replicas go on."""
    found = get(db, sandbox)
    db.execute(
        scope_query(update(sandboxes), sandboxes, FOUND).where(sandboxes.c.id == sandbox).values(lab_wanted=False)
    )
    signal(db, "sandboxes", found.domain, sandbox)


def unwant_fork_server(db: Connection, sandbox: str, environment: str) -> None:
    """The fork server shall end; what it forked goes on."""
    found = get(db, sandbox)
    which = (fork_servers.c.sandbox == sandbox) & (fork_servers.c.environment == environment)
    if db.execute(delete(fork_servers).where(which)).rowcount:
        signal(db, "sandboxes", found.domain, sandbox)


def renew(db: Connection, sandbox: str, role: str) -> Sandbox:
    """To be called before a start: a new nonce makes the tokens of the last one void; notes with what it starts."""
    found = get(db, sandbox)
    values = {"nonce": signing.new_secret(), "applied_role": role, "applied_network": found.network_mode}
    db.execute(
        scope_query(update(sandboxes), sandboxes, FOUND)
        .where(sandboxes.c.id == sandbox)
        .values(**values, restart=False)
    )
    signal(db, "labs", found.domain, sandbox)
    return get(db, sandbox)


def request_restart(db: Connection, domain: str) -> None:
    """Those of `domain` that are wanted shall end and start anew; who has none that runs is not woken by it."""
    wanted = sandboxes.c.wanted
    db.execute(scope_query(update(sandboxes), sandboxes, domain).where(wanted).values(restart=True))
    signal(db, "sandboxes", domain)


def set_reason(db: Connection, sandbox: str, reason: str) -> None:
    """Why it does not run ("": nothing is wrong), for people who wait for it."""
    found = get(db, sandbox)
    if found.reason != reason[:1000]:
        db.execute(
            scope_query(update(sandboxes), sandboxes, FOUND)
            .where(sandboxes.c.id == sandbox)
            .values(reason=reason[:1000])
        )
        signal(db, "running", found.domain, sandbox)


def get(db: Connection, sandbox: str) -> Sandbox:
    """The sandbox's desired state, or `NotFound`."""
    row = db.execute(_query(FOUND).where(sandboxes.c.id == sandbox)).one_or_none()
    if row is None:
        raise NotFound(f"No sandbox {sandbox} was ever asked for.", "Open the lab first.")
    return _sandbox(db, row)


def list_all(db: Connection, domain: str | None = None) -> list[Sandbox]:
    """All that were ever asked for (of one domain)."""
    rows = db.execute(_query(EVERY if domain is None else domain).order_by(sandboxes.c.id)).all()
    return [_sandbox(db, row) for row in rows]


def _query(domain: Domain) -> Select[Any]:
    member = (memberships.c.domain == sandboxes.c.domain) & (memberships.c.user == sandboxes.c.owner)
    joined = sandboxes.join(domains, domains.c.name == sandboxes.c.domain).outerjoin(memberships, member)
    query = select(sandboxes, memberships.c.role, *(domains.c[name] for name in _OF_DOMAIN)).select_from(joined)
    return scope_query(query, sandboxes, domain)


def _sandbox(db: Connection, row: Row[Any]) -> Sandbox:
    values = dict(row._mapping)
    values["role"] = SERVICE if values["owner"] == SERVICE else values["role"] or ""
    forks = select(fork_servers.c.environment).where(fork_servers.c.sandbox == values["id"])
    names = tuple(db.execute(forks.order_by(fork_servers.c.environment)).scalars())
    return Sandbox(**values, environments=names)


def _ensure_row(db: Connection, domain: str, owner: str) -> str:
    sandbox = f"{check_name(domain, 'domain')}.{check_name(owner, 'user')}"
    if owner != SERVICE:
        member = memberships.c.user == owner
        if db.execute(scope_query(select(memberships.c.role), memberships, domain).where(member)).one_or_none() is None:
            raise Denied(f"{owner} is no member of {domain}.", "Ask one of its admins to add them.")
    elif db.execute(select(domains.c.name).where(domains.c.name == domain)).one_or_none() is None:
        raise NotFound(f"There is no domain {domain!r}.", "See `studio domain list`.")
    found = scope_query(select(sandboxes.c.id), sandboxes, domain).where(sandboxes.c.id == sandbox)
    if db.execute(found).one_or_none() is None:
        given = {"id": sandbox, "domain": domain, "owner": owner, "wanted": False, "lab_wanted": False}
        empty = {"applied_role": "", "reason": "", "wanted_ms": now_ms(), "nonce": signing.new_secret()}
        db.execute(insert(sandboxes).values(**given, **empty))
    return sandbox
