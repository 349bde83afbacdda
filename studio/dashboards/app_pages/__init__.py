"""One file per page; each runs from top to bottom at every interaction."""
