"""Which places serving needs before anybody asks: warmth is what makes deploying fast."""

from sqlalchemy import Connection, select

from studio.domains import sandboxes
from studio.domains.sandboxes import SERVICE
from studio.environments import environments
from studio.environments.defaults import get_default
from studio.serving.states import VariantState
from studio.store.tables.registry import model_versions, registered_models
from studio.store.tables.serving import endpoints, variants
from studio.store.tenancy import EVERY, scope_query

Place = tuple[str, str]  # domain, environment


def missing_places(db: Connection) -> list[Place]:
    """Fork servers of service sandboxes that ought to be wanted and are not.

    For an endpoint always; for a domain that has a registered version once, so that who stops it has it stopped.
    """
    asked = {item.domain: item for item in sandboxes.list_all(db) if item.owner == SERVICE}
    defined = environments.list_all(db)
    used = (
        scope_query(select(endpoints.c.domain, variants.c.environment), endpoints, EVERY)
        .distinct()
        .join_from(variants, endpoints)
    )
    live = used.where(endpoints.c.deleting.is_(False), variants.c.state != VariantState.failed)
    wanted: set[Place] = {(row.domain, row.environment) for row in db.execute(live)}
    with_models = (
        scope_query(select(registered_models.c.domain), registered_models, EVERY)
        .distinct()
        .join_from(model_versions, registered_models)
    )
    wanted |= {(domain, get_default(db, domain)) for domain in db.execute(with_models).scalars() if domain not in asked}

    def is_ready(place: Place) -> bool:
        return place[1] in environments.usable(defined, place[0])

    def is_there(place: Place) -> bool:
        found = asked.get(place[0])
        return found is not None and found.wanted and place[1] in found.environments

    return sorted(place for place in wanted if is_ready(place) and not is_there(place))
