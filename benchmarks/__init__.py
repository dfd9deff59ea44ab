"""Figures of TrackFlow's speed: one command each. See README.md. Nothing here is part of the app."""

from importlib.util import find_spec

ON_BENCH = bool(find_spec("frappe"))
if not ON_BENCH:
	# Not on a bench: the small host brings its own.
	from benchless import activate

	activate()
