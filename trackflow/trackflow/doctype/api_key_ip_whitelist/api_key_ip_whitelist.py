"""An address or range from which an API key may be used."""

from trackflow.records import TableRow


class APIKeyIPWhitelist(TableRow):
	pass
