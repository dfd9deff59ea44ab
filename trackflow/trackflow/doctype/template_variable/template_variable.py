"""A variable of a Link Template: its type, default and rules."""

from trackflow.records import TableRow


class TemplateVariable(TableRow):
	pass
