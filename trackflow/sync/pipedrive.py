"""Pipedrive by version 2 of its API (SYN-1): persons searched and updated, never created.

https://developers.pipedrive.com/docs/api/v1 (Persons, PersonFields; /api/v2). Own fields of persons have keys of 40 hex digits and
stand in `custom_fields`; of a person's other fields none is written. Pages follow by cursor.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import frappe
from frappe import _

from trackflow.sync.mapping import DAY, NUMBER, Kind, RemoteField
from trackflow.sync.matching import Person
from trackflow.sync.provider import Budget, Clock, PassingError, Rejected
from trackflow.sync.state import Breaker
from trackflow.sync.transport import Transport

Row = dict[str, Any]
Read = TypeVar("Read")

NAME = "Pipedrive"
# In site_config.json: where Pipedrive stands instead, such as a test's server.
ADDRESS = "trackflow_pipedrive_address"
COMPANY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
OWN_KEY = re.compile(r"[0-9a-f]{40}")
PERSON_ID = re.compile(r"[0-9]{1,18}")
PAGE, MOST_PAGES = 100, 10
FIELDS_PAGE = 500


class Pipedrive:
	"""One company's Pipedrive."""

	name = NAME
	searched = frozenset({"name", "first_name", "last_name", "email", "emails"})
	# By the type of a field there.
	kinds: ClassVar[Mapping[str, Kind]] = {
		"varchar": Kind(),
		"varchar_auto": Kind(),
		"text": Kind(most=65_000),
		"int": Kind(NUMBER),
		"double": Kind(NUMBER),
		"date": Kind(DAY),
	}

	def __init__(self, company: str, token: str, breaker: Breaker, clock: Clock = time) -> None:
		headers = {"x-api-token": token, "Accept": "application/json"}
		self._transport = Transport(NAME, address_of(company), headers, breaker, clock)

	def search_email(self, email: str, budget: Budget) -> list[Person]:
		return self._search({"term": email, "fields": "email", "exact_match": "true"}, budget)

	def search_name(self, name: str, budget: Budget) -> list[Person]:
		return self._search({"term": name, "fields": "name", "exact_match": "true"}, budget)

	def update(self, person: str, values: Mapping[str, str | int | float], budget: Budget) -> None:
		if not PERSON_ID.fullmatch(person) or not all(map(OWN_KEY.fullmatch, values)):
			raise Rejected(_("Only own fields of persons are written."))
		path = f"/api/v2/persons/{person}"
		self._transport.ask("PATCH", path, budget, bool, json={"custom_fields": dict(values)})

	def fields(self, budget: Budget) -> list[RemoteField]:
		return self._all("/api/v2/personFields", {"limit": FIELDS_PAGE}, _fields, budget)

	def _search(self, wanted: dict[str, str], budget: Budget) -> list[Person]:
		return self._all("/api/v2/persons/search", {**wanted, "limit": PAGE}, _persons, budget)

	def _all(
		self, path: str, parameters: Row, read: Callable[[Row], list[Read]], budget: Budget
	) -> list[Read]:
		"""What there is, page after page."""
		found: list[Read] = []
		cursor = None
		for _number in range(MOST_PAGES):
			asked = {**parameters, "cursor": cursor} if cursor else parameters
			some, cursor = self._transport.ask(
				"GET", path, budget, lambda answer: (read(answer), _cursor(answer)), params=asked
			)
			found += some
			if not cursor:
				return found
		# Persons of whom nobody looked at all cannot be told apart.
		raise Rejected(_("{0} finds more than can be looked at.").format(NAME))


def address_of(company: str) -> str:
	"""Where the company's Pipedrive is asked; the general address serves all, as the token says whose it is."""
	return frappe.conf.get(ADDRESS) or f"https://{company or 'api'}.pipedrive.com"


def _persons(answer: Row) -> list[Person]:
	data = answer.get("data")
	items = (one.get("item") for one in _objects(data.get("items") if isinstance(data, dict) else None))
	return [
		Person(str(one["id"]), str(one.get("name") or ""), _texts(one.get("emails")))
		for one in items
		if isinstance(one, dict) and isinstance(one.get("id"), int)
	]


def _texts(value: Any) -> tuple[str, ...]:
	return tuple(map(str, value)) if isinstance(value, list) else ()


def _fields(answer: Row) -> list[RemoteField]:
	return [
		RemoteField(
			key=key,
			label=str(one.get("field_name") or key),
			type=str(one.get("field_type") or ""),
			is_writable=bool(OWN_KEY.fullmatch(key)) and one.get("field_type") in Pipedrive.kinds,
			is_searched=key in Pipedrive.searched,
		)
		for one in _objects(answer.get("data"))
		if isinstance(key := one.get("field_code"), str)
	]


def _cursor(answer: Row) -> str | None:
	more = answer.get("additional_data")
	cursor = more.get("next_cursor") if isinstance(more, dict) else None
	return cursor if isinstance(cursor, str) else None


def _objects(value: Any) -> list[Row]:
	if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
		raise PassingError(_("{0} answered with something that is no answer.").format(NAME))
	return value
