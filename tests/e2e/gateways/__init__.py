"""A really started gateway, replicas and fork server for tests; small stand-ins for the server and labs behind it."""

from tests.e2e.gateways.forker import Forker
from tests.e2e.gateways.gateway import Gateway
from tests.e2e.gateways.processes import alive, environment, until
from tests.e2e.gateways.scripted import scripted
from tests.e2e.gateways.upstream import Upstream

__all__ = ["Forker", "Gateway", "Upstream", "alive", "environment", "scripted", "until"]
