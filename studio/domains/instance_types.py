"""What a kernel, job or replica may use, and its price per hour: an editable table."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from studio.errors import Invalid, NotFound
from studio.ids import check_name
from studio.store import signal
from studio.store.tables.domains import instance_types

DEFAULT = "std.small"


@dataclass(frozen=True, slots=True)
class InstanceType:
    """`cpu` in cores, `memory_mb` in MiB, `price_per_hour` in the installation's currency."""

    name: str
    cpu: float
    memory_mb: int
    gpu: int
    price_per_hour: float


FIRST = (
    InstanceType("std.small", 1, 2048, 0, 0.02),
    InstanceType("std.medium", 2, 4096, 0, 0.04),
    InstanceType("std.large", 4, 8192, 0, 0.08),
)


def get(db: Connection, name: str = DEFAULT) -> InstanceType:
    """The instance type `name` ("" means the default), or `NotFound` naming those that exist."""
    row = db.execute(select(instance_types).where(instance_types.c.name == (name or DEFAULT))).one_or_none()
    if row is None:
        known = ", ".join(item.name for item in list_all(db))
        raise NotFound(f"There is no instance type {name!r}.", f"Choose one of {known}.")
    return InstanceType(**row._mapping)


def list_all(db: Connection) -> list[InstanceType]:
    """All, cheapest first."""
    order = (instance_types.c.price_per_hour, instance_types.c.name)
    return [InstanceType(**row._mapping) for row in db.execute(select(instance_types).order_by(*order))]


def put(db: Connection, item: InstanceType) -> InstanceType:
    """Makes or changes an instance type; what already runs keeps what it was started with."""
    for part in item.name.split("."):
        check_name(part, "instance type")
    if not (0 < item.cpu <= 1024 and 64 <= item.memory_mb <= 16_777_216 and 0 <= item.gpu <= 64):
        raise Invalid(
            "That is no size of a machine.", "cpu > 0 and at most 1024, memory_mb at least 64, gpu from 0 to 64."
        )
    if not 0 <= item.price_per_hour <= 1_000_000:
        raise Invalid("A price per hour is 0 or more.", "Give it in the installation's currency.")
    values = {"cpu": item.cpu, "memory_mb": item.memory_mb, "gpu": item.gpu, "price_per_hour": item.price_per_hour}
    changed = db.execute(update(instance_types).where(instance_types.c.name == item.name).values(values))
    if not changed.rowcount:
        db.execute(insert(instance_types).values(name=item.name, **values))
    signal(db, "instance-types", "", item.name)
    return item


def ensure(db: Connection) -> None:
    """Fills the table at the first start; never changes what people have set."""
    if not list_all(db):
        for item in FIRST:
            put(db, item)
