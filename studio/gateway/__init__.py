"""The one door: the only TCP listener. Checks who it is, then moves bytes; no database, no web framework."""
