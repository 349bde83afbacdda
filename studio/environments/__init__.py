"""Environments: definitions, versions, locks, builds, kernelspecs."""

from studio.environments.environments import DEFAULT, Environment, get, list_all, usable

__all__ = ["DEFAULT", "Environment", "get", "list_all", "usable"]
