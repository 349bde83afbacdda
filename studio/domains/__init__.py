"""Domains, their volumes, the sandboxes wanted in them, and the instance types."""
