"""Scoring a file with a model version, in chunks, as a job in its owner's sandbox."""
