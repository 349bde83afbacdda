"""Experiments, runs, metrics, artifacts, search; every function takes the domain and sees nothing of another one."""
