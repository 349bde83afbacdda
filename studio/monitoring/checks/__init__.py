"""Statistics of drift, one file each; pure functions of counts."""
