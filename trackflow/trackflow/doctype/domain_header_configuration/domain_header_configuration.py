"""A header that a domain sends along with its redirects."""

from trackflow.records import TableRow


class DomainHeaderConfiguration(TableRow):
	pass
