"""Figures of TrackFlow's speed: one command each. See README.md. Nothing here is part of the app."""

from importlib.util import find_spec

if not find_spec("frappe"):
	# Not on a bench: the small host brings its own.
	from benchless import activate

	activate()
