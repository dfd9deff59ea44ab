"""`bench --site S trackflow …`: the app on the command line (CLI-1). Every command can answer as JSON, for scripts.

A module for each thing that is worked on; importing it puts its commands into the group.
"""

from trackflow.commands import (
	api_keys,
	benchmark,
	costs,
	credits,
	demo,
	edge,
	exports,
	links,
	privacy,
	retention,
	rollups,
	rows,
	site,
	sync,
	touch_points,
	webhooks,
)
from trackflow.commands.shell import trackflow

commands = [trackflow]
