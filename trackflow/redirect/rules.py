"""A link's rules: which visitors go elsewhere, by what is known of them (RED-3). Pure.

Promises that words are compared whatever their case, and that a word which no visitor could ever match is told apart
(`check`). Never guesses: what is not known of a visitor fits no rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

DEVICES = ("Desktop", "Mobile", "Tablet")
# What people call a system, and what ua-parser calls it where that differs.
SYSTEMS: Mapping[str, tuple[str, ...]] = {
	"Android": (),
	"Chrome OS": (),
	"iOS": (),
	"Linux": (
		"Arch Linux",
		"CentOS",
		"Debian",
		"Fedora",
		"Gentoo",
		"Linux Mint",
		"Red Hat",
		"SUSE",
		"Ubuntu",
	),
	"macOS": ("Mac OS X",),
	"Windows": ("Windows Phone",),
}

_SYSTEM_OF = {family.lower(): name.lower() for name, all_ in SYSTEMS.items() for family in (name, *all_)}
_COUNTRY = re.compile(r"[a-z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_QUALITY = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
# A browser sends five or ten.
_MOST_LANGUAGES = 50


class RuleError(ValueError):
	"""A word of a rule fits nobody; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Traits:
	"""What rules and deep links look at; "" is not known. All lower-case: device, system, country (two letters), language."""

	device: str = ""
	system: str = ""
	country: str = ""
	language: str = ""


UNKNOWN = Traits()


@dataclass(frozen=True, slots=True)
class Rule:
	"""Whoever fits goes to `destination`. `kind` as in the Tracked Link Rule, `values` in any case."""

	kind: str
	destination: str
	values: frozenset[str] = frozenset()
	parameter: str = ""
	starts_on: datetime | None = None
	ends_on: datetime | None = None

	def __post_init__(self) -> None:
		object.__setattr__(self, "values", frozenset(value.lower() for value in self.values))
		object.__setattr__(self, "parameter", (self.parameter or "").strip().lower())


def fits(rule: Rule, traits: Traits, query: str, now: datetime) -> bool:
	"""Tell whether a visitor with these traits, who asks with this query, fits the rule."""
	if rule.kind == "Query":
		# A value may hold what the rule's author could not know to be escaped, so it is read as a form reads it.
		pairs = parse_qsl(query, keep_blank_values=True)
		return any(
			name.lower() == rule.parameter and value.strip().lower() in rule.values for name, value in pairs
		)
	if rule.kind == "Date":
		return (not rule.starts_on or rule.starts_on <= now) and (not rule.ends_on or now < rule.ends_on)
	if rule.kind == "Language":
		return any(traits.language == one or traits.language.startswith(f"{one}-") for one in rule.values)
	known = {"Device": traits.device, "OS": traits.system, "Country": traits.country}.get(rule.kind, "")
	return bool(known) and known in rule.values


def words_of(text: str | None) -> list[str]:
	"""The words of a rule's value, which commas part."""
	return [word for part in (text or "").split(",") if (word := part.strip())]


def check(kind: str, words: Iterable[str]) -> None:
	"""Raise RuleError for a word that no visitor can match."""
	for word in words:
		lowered = word.lower()
		if kind == "Device" and lowered not in map(str.lower, DEVICES):
			raise RuleError(f"{word} is no device. Known are {', '.join(DEVICES)}.")
		if kind == "OS" and lowered not in map(str.lower, SYSTEMS):
			raise RuleError(f"{word} is no operating system. Known are {', '.join(SYSTEMS)}.")
		if kind == "Country" and not _COUNTRY.fullmatch(lowered):
			raise RuleError(f"{word} is no country: write its two letters, such as DE.")
		if kind == "Language" and not _LANGUAGE.fullmatch(lowered):
			raise RuleError(f"{word} is no language: write it as browsers do, such as de or pt-BR.")


def system_of(family: str) -> str:
	"""The word by which rules know an operating system of that family."""
	return _SYSTEM_OF.get(family.lower(), family.lower())


def preferred_language(accept_language: str) -> str:
	"""The language a browser asks for first, lower-case; "" where it says none.

	The highest q decides, the earlier of equals. Others are not taken: who reads German a little did not ask for German.
	"""
	best, best_quality = "", 0.0
	for part in accept_language.split(",", _MOST_LANGUAGES)[:_MOST_LANGUAGES]:
		tag, _semicolon, parameters = part.strip().lower().partition(";")
		tag = tag.strip()
		if not _LANGUAGE.fullmatch(tag):
			continue
		found = _QUALITY.fullmatch(parameters.strip())
		quality = 1.0 if not parameters.strip() else float(found[1]) if found else 0.0
		if quality > best_quality:
			best, best_quality = tag, quality
	return best
