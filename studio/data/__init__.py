"""Data sets: files of a domain under a name, versioned by the hash of their content, profiled inside their owner's sandbox."""
