"""Reconcilers: observed and desired state → pure `decide` → apply; one per slice, level-triggered."""
