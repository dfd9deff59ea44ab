"""What clicks on a link are told apart by: country, device, browser, system and the page that they came from. A rollup keeps it with the
link's day, since a row for each value of each would be about as many rows as there are clicks.

A breakdown has, by field and value ("" is not known), the clicks of people and those of robots.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import frappe

from trackflow import bulk
from trackflow.tracking import click_figures, texts

Numbers = tuple[int, int]
Breakdown = dict[str, dict[str, Numbers]]

FIELDS = ("country", "device_type", "browser", "os", "referrer")
# Values of a field that a link's day keeps: those with most clicks.
KEPT = 200
# Values of all links that are looked at, those with most clicks first.
GROUPS = 100_000


def read(query: Any, keys: Mapping[str, Any]) -> dict[tuple[str, ...], Breakdown]:
	"""The breakdowns of the clicks of a query over Click Event, by keys (terms), of one spelling each. A statement for each field."""
	click = frappe.qb.DocType("Click Event")
	human, robot = click_figures.is_human(click), click_figures.is_robot(click)
	groups = [bulk.as_hex(term) for term in keys.values()]
	query = query.where(human | robot)
	found: dict[tuple[str, ...], Breakdown] = defaultdict(lambda: {field: {} for field in FIELDS})
	for field in FIELDS:
		value = bulk.as_hex(texts.host(click.referrer) if field == "referrer" else click[field])
		columns = [*groups, value, click_figures.number(human), click_figures.number(robot)]
		lines = query.select(*columns).groupby(*groups, value)
		lines = lines.orderby(columns[-2], order=frappe.qb.desc).orderby(*groups, value).limit(GROUPS)
		for *key, text, people, robots in lines.run():
			text = bulk.of_hex(text)
			of = found[tuple(map(bulk.of_hex, key))][field]
			_add(of, texts.plain_host(text) if field == "referrer" else text, (int(people), int(robots)))
	return found


def merge(into: Breakdown, other: Breakdown) -> None:
	"""Add one breakdown to another."""
	for field, values in other.items():
		of = into.setdefault(field, {})
		for value, numbers in values.items():
			_add(of, value, numbers)


def text_of(breakdown: Breakdown) -> str:
	"""For `of_text`: of each field the KEPT values with most clicks."""
	lines = {
		field: [[value, *numbers] for value, numbers in ordered(breakdown[field])[:KEPT]] for field in FIELDS
	}
	return json.dumps(lines, separators=(",", ":"))


def of_text(text: str | None) -> Breakdown:
	"""The breakdown that a text is of."""
	fields = json.loads(text) if text else {}
	return {
		field: {value: (people, robots) for value, people, robots in lines} for field, lines in fields.items()
	}


def ordered(values: Mapping[str, Numbers]) -> list[tuple[str, Numbers]]:
	"""Values with their numbers: most people first, then most robots."""
	return sorted(values.items(), key=lambda line: (-line[1][0], -line[1][1], line[0]))


def _add(of: dict[str, Numbers], value: str, numbers: Numbers) -> None:
	people, robots = of.get(value, (0, 0))
	of[value] = (people + numbers[0], robots + numbers[1])
