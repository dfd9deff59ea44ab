"""One suite for two hosts: the real bench and benchless."""

from hypothesis import settings

# How long an example takes says something of the machine, not of the code.
settings.register_profile("trackflow", deadline=None)
settings.load_profile("trackflow")
