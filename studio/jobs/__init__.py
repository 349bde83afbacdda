"""Jobs: scripts with parameters, run to their end in their owner's sandbox."""
