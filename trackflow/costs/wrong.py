"""What is wrong with a file of costs or rates, in plain English for the person who brought it. Pure."""

from trackflow.links.csv_text import CsvError


class FileRefused(CsvError):
	"""The file as a whole cannot be taken; nothing of it is."""


class RowRefused(ValueError):
	"""One row cannot be taken; the others can."""
