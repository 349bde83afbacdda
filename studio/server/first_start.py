"""What an empty installation begins with: instance types, the catalogue, the operator, the first domain."""

import getpass

from sqlalchemy import Connection

from studio.access import memberships, users
from studio.access.principals import Role
from studio.domains import domains, instance_types, volumes
from studio.environments import versions
from studio.environments.definitions import Definition, load
from studio.errors import Invalid
from studio.settings import Settings
from studio.store import Store


def operator_name() -> str:
    """The user of the operating system's account that runs this."""
    try:
        return users.name_of_account(getpass.getuser())
    except (KeyError, OSError):
        return "me"  # an account without a name, as in some containers


async def ensure(store: Store, settings: Settings) -> str:
    """Makes what is missing; the name of the operator's user. Nothing that people changed is changed back."""
    operator = operator_name()

    catalogue = _catalogue(settings)

    def write(db: Connection) -> bool:
        instance_types.ensure(db)
        if catalogue:
            versions.define(db, catalogue)
        if not any(user.name == operator for user in users.list_all(db)):
            users.create_user(db, operator)
        if domains.list_all(db):
            return False
        domains.create_domain(db, settings.first_domain, settings.first_domain.capitalize())
        memberships.put(db, settings.first_domain, operator, Role.admin)
        return True

    # The folders first: a domain never is without its volume, a folder without its domain does no harm.
    if not await store.read(domains.list_all):
        volumes.create(settings.paths, settings.first_domain)
        volumes.create_home(settings.paths, settings.first_domain, operator)
    await store.write(write)
    return operator


def _catalogue(settings: Settings) -> list[Definition]:
    """Empty if a file of it is wrong: the loop says so, and what is built goes on being used."""
    try:
        return load(settings.assets / "environments")
    except Invalid:
        return []
