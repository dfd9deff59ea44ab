"""One scope of an API key."""

from trackflow.records import TableRow


class APIKeyPermission(TableRow):
	pass
