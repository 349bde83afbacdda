"""Environments: definitions, locks, builds, kernelspecs."""

from studio.environments.environments import DEFAULT, Environment, get, list_all

__all__ = ["DEFAULT", "Environment", "get", "list_all"]
