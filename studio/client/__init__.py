"""The typed client of our REST: used by the command line, the lab and the dashboards."""

from studio.client.connect import connect
from studio.client.rest import Rest

__all__ = ["Rest", "connect"]
