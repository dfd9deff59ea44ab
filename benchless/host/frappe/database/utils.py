"""Small things that the database modules share."""

from typing import Any

EmptyQueryValues = object()
DefaultOrderBy = "KEEP_DEFAULT_ORDERING"
FallBackDateTimeStr = "0001-01-01 00:00:00.000000"


class TypedQuery(str):
	"""Text of a query whose values are already written for the database, with what is known of its columns."""

	__slots__ = ("columns",)

	columns: dict[int | str, str]


def is_query_type(query: str, query_type: str | tuple[str, ...]) -> bool:
	return query.lstrip().split(maxsplit=1)[0].lower().startswith(query_type)
