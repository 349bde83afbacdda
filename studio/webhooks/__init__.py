"""Telling other programs what happened in a domain: who is told, and what is still to be sent."""
