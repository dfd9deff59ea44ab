"""Hypothesis as this suite uses it: no time limit for a single example, since tests may run on a busy machine.

Import `given`, `settings` and `st` from here, so that the profile is loaded whichever test runs first.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

settings.register_profile("trackflow", deadline=None)
settings.load_profile("trackflow")

__all__ = ["given", "settings", "st"]
