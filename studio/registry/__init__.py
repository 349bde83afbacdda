"""Registered models, their versions and aliases; every function takes the domain and sees nothing of another one."""
