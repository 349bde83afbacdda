"""Data sets: files of a domain under a name, versioned by content hash, profiled in their owner's sandbox."""
