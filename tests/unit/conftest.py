"""What holds for all unit tests."""

from hypothesis import settings

# The machine may be busy: how long an example takes says nothing about what it shows.
settings.register_profile("studio", deadline=None)
settings.load_profile("studio")
