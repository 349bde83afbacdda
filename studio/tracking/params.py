"""Params of runs: written once; the same value again is fine, another one is refused."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from studio.errors import Invalid
from studio.store import signal
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.tracking import handles, limits
from studio.tracking.records import Pair

_NAMES = ("run", "key", "value")
_INSERT = Prepared(
    lambda insert: insert(t.params).values({name: bindparam(name) for name in _NAMES}).on_conflict_do_nothing(), _NAMES
)
_GET = Prepared(
    lambda _: select(t.params.c.value).where(t.params.c.run == bindparam("run"), t.params.c.key == bindparam("key")),
    ("run", "key"),
)


def log_one(db: Connection, domain: str, run_id: str, param: Pair) -> None:
    """Logs a param; `Invalid` if it has another value already."""
    handle = handles.active(db, domain, run_id)
    param = limits.clean_param(param)
    old = _GET.one(db, (handle.id, param.key)).first()
    if old is None:
        _INSERT.one(db, (handle.id, param.key, param.value))
        signal(db, "runs", domain, run_id)
    elif old.value != param.value:
        raise Invalid(
            f"Changing param values is not allowed. Param with key='{param.key}' was already logged with "
            f"value='{old.value}' for run ID='{run_id}'. Attempted logging new value '{param.value}'."
        )


def log_all(db: Connection, domain: str, run_id: str, given: Sequence[Pair]) -> None:
    """Logs params; `Invalid`, naming them all, if any has another value already."""
    handle = handles.active(db, domain, run_id)
    wanted = [limits.clean_param(param, f"params[{n}].key") for n, param in enumerate(given)]
    if not wanted:
        return
    query = select(t.params.c.key, t.params.c.value).where(t.params.c.run == handle.id)
    old = {row.key: row.value for row in db.execute(query)}
    changed = [
        {"key": param.key, "old_value": old[param.key], "new_value": param.value}
        for param in wanted
        if old.get(param.key, param.value) != param.value
    ]
    if changed:
        raise Invalid(
            f"Changing param values is not allowed. Params were already logged='{changed}' for run ID='{run_id}'."
        )
    _INSERT.many(db, [(handle.id, param.key, param.value) for param in wanted if param.key not in old])
    signal(db, "runs", domain, run_id)
