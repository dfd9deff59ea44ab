"""A rule of an Attribution Model that renames and weighs the channel of the touches that fit."""

from trackflow.records import TableRow


class AttributionChannelRule(TableRow):
	pass
