"""One column of a mapping of costs."""

from trackflow.records import TableRow


class CostImportColumn(TableRow):
	pass
