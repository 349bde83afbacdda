"""Endpoints, variants, replicas: desired state, and the decisions that make it so."""
