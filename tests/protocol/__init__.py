"""Protocols, driven by the clients that people have."""
