"""What is wrong with a file of costs or rates, in plain English for the person who brought it. Pure."""

from trackflow.inert import inert
from trackflow.links.csv_text import CsvError


class FileRefused(CsvError):
	"""The file as a whole cannot be taken; nothing of it is. What is quoted of it begins no tag, since the desk shows messages as
	HTML."""

	def __init__(self, message: str) -> None:
		super().__init__(inert(message))


class RowRefused(ValueError):
	"""One row cannot be taken; the others can."""

	def __init__(self, message: str) -> None:
		super().__init__(inert(message))
