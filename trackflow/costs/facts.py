"""One cost fact: what a campaign, ad set or ad cost on one day, and what can be wrong with it. Pure.

The key is day, platform, campaign, ad set and ad: each by its id on the platform, or by its name where there is no id. Wherever
texts come from, `tidy` makes them what is stored, so that the same name has the same key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from trackflow.costs.wrong import RowRefused
from trackflow.inert import inert
from trackflow.naming import key_name

# Millionths of a unit, as the platforms count; a float still tells them apart.
PLACES = Decimal("0.000001")
# Of one row. A database keeps less than 10 ** 12 of an amount, and a day's daily figures are sums of all its rows: a hundred rows
# of so much still fit, and in the currencies of smallest value it is some 200,000 euros a day.
MOST_SPEND = Decimal(10) ** 10
MOST_COUNT = 2**31 - 1
LONGEST = 140
# By its field in the DocType, what a fact calls it.
KEY = {
	"date": "day",
	"platform": "platform",
	"external_campaign_id": "campaign_id",
	"external_adset_id": "adset_id",
	"external_ad_id": "ad_id",
}
NAMES = {"campaign_name": "campaign", "adset_name": "adset", "ad_name": "ad"}
FIGURES = {"impressions": "impressions", "clicks": "clicks", "spend": "spend", "currency": "currency"}
# What an import may change of a row that is there.
CHANGEABLE = FIGURES | NAMES
_WORDS = {"campaign": "campaign", "adset": "ad set", "ad": "ad"}
_MANGLED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fact:
	"""`row` is its number in the file. A figure that is None was not told, and stays as it is."""

	row: int
	day: date
	platform: str
	currency: str = ""
	campaign_id: str = ""
	adset_id: str = ""
	ad_id: str = ""
	campaign: str = ""
	adset: str = ""
	ad: str = ""
	impressions: int | None = None
	clicks: int | None = None
	spend: Decimal | None = None
	rows: int = 1

	@property
	def entities(self) -> tuple[str, str, str]:
		"""Campaign, ad set, ad: the ids, or the names where there is no id."""
		return (self.campaign_id or self.campaign, self.adset_id or self.adset, self.ad_id or self.ad)

	@property
	def name(self) -> str:
		return name_of(self.day, self.platform, *self.entities)

	@property
	def level(self) -> int:
		return level_of(self.entities)


def tidy(text: str) -> str:
	"""A text as it is stored: it begins no tag, since reports show it as HTML; an é is one letter, and blanks are single ones."""
	return " ".join(unicodedata.normalize("NFC", inert(text)).split())


def name_of(day: date, platform: str, campaign: str, adset: str, ad: str) -> str:
	"""The name of the row that holds this key."""
	return key_name(day, platform, campaign, adset, ad)


def level_of(entities: tuple[str, str, str]) -> int:
	"""How fine a fact is: 3 for an ad, 2 an ad set, 1 a campaign, 0 a platform as a whole."""
	return next((level for level in (3, 2, 1) if entities[level - 1]), 0)


def as_row(fact: Fact, name: str, entered_by: str) -> dict[str, Any]:
	"""A new row of the DocType."""
	row = {field: getattr(fact, part) for field, part in (KEY | CHANGEABLE).items()}
	for field in ("impressions", "clicks", "spend"):
		row[field] = row[field] or 0
	return {"name": name, **row, "entered_by": entered_by}


def changes(fact: Fact, stored: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
	"""By field, what the row says and what it will say."""
	found = {}
	for field, part in CHANGEABLE.items():
		new = getattr(fact, part)
		if new is None or new == "":
			continue
		old = value_of(field, stored.get(field))
		if old != new:
			found[field] = (old, new)
	return found


def value_of(field: str, stored: Any) -> Any:
	"""What a database holds in a field, as facts say it."""
	if field == "spend":
		return Decimal(str(stored or 0)).quantize(PLACES)
	if field in ("impressions", "clicks"):
		return int(stored or 0)
	return stored or ""


def checked(fact: Fact, currencies: Collection[str], latest: date) -> Fact:
	"""The fact as it is stored; what cannot be is said. `currencies` are those of the site."""
	if fact.day > latest:
		raise RowRefused(f"The day {fact.day} lies ahead: costs are of days that were.")
	if not fact.platform:
		raise RowRefused("The row names no platform.")
	if not fact.currency:
		raise RowRefused("The row has no currency.")
	if fact.currency not in currencies:
		raise RowRefused(f"There is no currency {fact.currency[:LONGEST]} on this site.")
	if len(fact.platform) > LONGEST:
		raise RowRefused(f"The platform's name is longer than {LONGEST} characters.")
	for part, word in _WORDS.items():
		if external_id := getattr(fact, f"{part}_id"):
			_check_id(external_id, word)
		elif len(getattr(fact, part)) > LONGEST:
			raise RowRefused(
				f"The name of the {word} is longer than {LONGEST} characters, and there is no id."
			)
	for part in ("impressions", "clicks"):
		_check_count(getattr(fact, part), part)
	different = {part: name[:LONGEST] for part in _WORDS if len(name := getattr(fact, part)) > LONGEST}
	if fact.spend is not None and (spend := _checked_spend(fact.spend)) != fact.spend:
		different["spend"] = spend
	return replace(fact, **different) if different else fact


def _check_id(external_id: str, word: str) -> None:
	if _MANGLED.fullmatch(external_id):
		raise RowRefused(
			f"The id of the {word}, {external_id[:LONGEST]}, was rounded by a spreadsheet. Take the file as the platform wrote it."
		)
	if len(external_id) > LONGEST:
		raise RowRefused(f"The id of the {word} is longer than {LONGEST} characters.")


def _check_count(value: int | None, word: str) -> None:
	if value is not None and value < 0:
		raise RowRefused(f"The {word} are negative: {value}.")
	if value is not None and value > MOST_COUNT:
		raise RowRefused(f"The {word} are more than can be: {value}.")


def _checked_spend(spend: Decimal) -> Decimal:
	if spend < 0:
		raise RowRefused(f"The spend is negative: {spend}.")
	if spend >= MOST_SPEND:
		raise RowRefused(
			f"The spend is more than a row can have: {spend:f}. It must be below {MOST_SPEND:,}."
		)
	return spend.quantize(PLACES)


def added(one: Fact, other: Fact) -> Fact:
	"""Two parts of one fact, such as its devices, as a whole. They have one currency."""
	figures = {}
	for part in ("impressions", "clicks", "spend"):
		values = [value for value in (getattr(one, part), getattr(other, part)) if value is not None]
		figures[part] = sum(values) if values else None
	return replace(one, rows=one.rows + other.rows, **figures)


@dataclass(slots=True)
class Levels:
	"""Which facts there are of a day and platform, by campaign: whoever adds a campaign as a whole where its ads are, or by
	name where its id is, counts money twice."""

	_levels: dict[tuple[Any, ...], set[int]]

	@classmethod
	def of(cls, facts: Iterable[Fact]) -> Levels:
		found: dict[tuple[Any, ...], set[int]] = {}
		for fact in facts:
			for key, level in _scopes(fact):
				found.setdefault(key, set()).add(level)
		return cls(found)

	def clash(self, fact: Fact, but_for_finer: bool = False) -> str:
		"""Why the fact cannot stand beside those that there are; "" if it can. `but_for_finer` lets the finest stand."""
		for key, level in _scopes(fact):
			others = [one for one in self._levels.get(key, ()) if one != level]
			if but_for_finer:
				others = [one for one in others if one > level]
			if others:
				return _CLASHES[key[0]].format(_WORDS.get(key[-1]))
		return ""


_CLASHES = {
	"all": "costs of this day and platform as a whole and by campaign would be counted twice",
	"campaign": "costs of this campaign and day would be counted twice: as a whole, and by ad set or ad",
	"named": "costs of this {0} and day would be counted twice: by its id, and by its name alone",
	"parent": "costs of this ad and day would be counted twice: with its ad set, and without",
}


def _scopes(fact: Fact) -> Iterator[tuple[tuple[Any, ...], int]]:
	"""Of what the fact is a part, and at which level: facts of one such whole must be of one level."""
	level, (campaign, adset, ad) = fact.level, fact.entities
	yield ("all", fact.day, fact.platform), min(level, 1)
	if campaign:
		yield ("campaign", fact.day, fact.platform, campaign), level
	if campaign and ad:
		yield ("parent", fact.day, fact.platform, campaign, ad), int(bool(adset))
	above: tuple[str, ...] = ()
	for part, entity in zip(_WORDS, fact.entities, strict=True):
		if name := getattr(fact, part):
			key = ("named", fact.day, fact.platform, *above, name.casefold(), part)
			yield key, int(bool(getattr(fact, f"{part}_id")))
		above = (*above, entity)


def without_totals(facts: Iterable[Fact]) -> tuple[list[Fact], list[tuple[int, str]]]:
	"""Facts that come together, and (row, reason) of those that are refused: a campaign as a whole, where others of them are its
	parts, would count these twice."""
	facts = list(facts)
	levels, kept, refused = Levels.of(facts), [], []
	for fact in facts:
		if clash := levels.clash(fact, but_for_finer=True):
			refused.append((fact.row, f"Finer rows are its parts: {clash}."))
		else:
			kept.append(fact)
	return kept, refused
