"""A condition of a Tracked Link that sends those who fit elsewhere."""

from trackflow.records import TableRow


class TrackedLinkRule(TableRow):
	pass
