"""Addresses of the own people, whose visits are not marketing's. Checked by the settings that hold it."""

from trackflow.records import TableRow


class InternalIPRange(TableRow):
	pass
