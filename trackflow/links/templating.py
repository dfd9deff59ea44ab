"""Texts with `{variable}` in them: what they name, which values fit, and what they become (LNK-5). Pure.

Promises that a value stays one component of an address: it is percent-encoded, whatever it holds. Only a variable of
the type URL may be the beginning of an address. What is wrong raises TemplateError in plain English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import re2

from trackflow.links import destination

TYPES = ("Text", "Number", "Date", "Choice", "URL")
# By type, what its rules may say.
RULES: Mapping[str, frozenset[str]] = {
	"Text": frozenset({"min_length", "max_length", "pattern"}),
	"Number": frozenset({"min", "max"}),
	"Date": frozenset({"min", "max"}),
	"Choice": frozenset({"choices"}),
	"URL": frozenset(),
}
LONGEST_VALUE = 500
# Patterns are people's, so their engine is one whose time grows with the value's length and no faster. How long a
# pattern may become once its repeats are written out is bounded by the memory for it.
_PATTERNS = re2.Options()
_PATTERNS.max_mem = 2 * 1024 * 1024
_PATTERNS.log_errors = False
_PART = re.compile(r"\{([^{}]*)\}|([{}])")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


class TemplateError(ValueError):
	"""The template or a value does not fit; `variable` is the name of the one at fault, if it is one's."""

	def __init__(self, message: str, variable: str = "") -> None:
		super().__init__(message)
		self.variable = variable


@dataclass(frozen=True, slots=True)
class Variable:
	"""A variable: its default and rules are checked when it is made."""

	name: str
	type: str = "Text"
	required: bool = False
	default: str = ""
	rules: Mapping[str, Any] = field(default_factory=dict)

	def __post_init__(self) -> None:
		if not _NAME.fullmatch(self.name):
			raise TemplateError(
				f"{self.name or 'Nothing'} is no name of a variable: a letter, then letters, digits and _."
			)
		if self.type not in TYPES:
			raise TemplateError(f"{self.name}: the type is one of {', '.join(TYPES)}.", self.name)
		self._check_rules()
		if self.default:
			try:
				self.check(self.default)
			except TemplateError as error:
				raise TemplateError(f"The default does not fit. {error}", self.name) from None

	def _check_rules(self) -> None:
		known = RULES[self.type]
		if unknown := sorted(set(self.rules) - known):
			words = ", ".join(sorted(known)) or "none"
			text = f"a variable of the type {self.type} has no rule {unknown[0]}. It knows: {words}."
			raise self._error(text)
		for rule in ("min_length", "max_length"):
			value = self.rules.get(rule, 0)
			if not isinstance(value, int) or isinstance(value, bool) or value < 0:
				raise self._error(f"{rule} must be a whole number.")
		if "pattern" in self.rules:
			if not isinstance(self.rules["pattern"], str) or not is_whole(self.rules["pattern"]):
				raise self._error("the pattern must be a text.")
			self._pattern()
		read = _day if self.type == "Date" else _number
		for rule in ("min", "max"):
			if rule in self.rules and read(str(self.rules[rule])) is None:
				raise self._error(f"{rule} is no {self.type.lower()}.")
		choices = self.rules.get("choices")
		if self.type == "Choice" and not (
			isinstance(choices, list) and choices and all(isinstance(one, str) and one for one in choices)
		):
			raise self._error('a choice needs its rule, such as {"choices": ["red", "blue"]}.')

	def _pattern(self) -> Any:
		try:
			return re2.compile(self.rules["pattern"], _PATTERNS)
		except re2.error as error:
			said = error.args[0].decode(errors="replace")
			raise self._error(
				f"the pattern is no regular expression that can be used here ({said})."
				" Backreferences and look-around are not known."
			) from None

	def check(self, value: Any) -> str:
		"""The value as the text that goes into the link; raise where it does not fit."""
		text = "" if value is None else str(value).strip()
		if not text and self.default:
			text = self.default
		if not text:
			if self.required:
				raise self._error("a value is needed.")
			return ""
		if not is_whole(text):
			raise self._error("the value holds characters that no text can hold.")
		if len(text) > (destination.MAX_LENGTH if self.type == "URL" else LONGEST_VALUE):
			raise self._error("the value is too long.")
		getattr(self, f"_check_{self.type.lower()}")(text)
		return text

	def _check_text(self, text: str) -> None:
		if len(text) < self.rules.get("min_length", 0):
			raise self._error(f"at least {self.rules['min_length']} characters.")
		if len(text) > self.rules.get("max_length", LONGEST_VALUE):
			raise self._error(f"at most {self.rules['max_length']} characters.")
		if "pattern" in self.rules and not self._pattern().fullmatch(text):
			raise self._error(f"{text} does not fit the pattern {self.rules['pattern']}.")

	def _check_number(self, text: str) -> None:
		self._check_range(text, _number, "number")

	def _check_date(self, text: str) -> None:
		self._check_range(text, _day, "date such as 2026-03-31")

	def _check_range(self, text: str, read: Any, what: str) -> None:
		value = read(text)
		if value is None:
			raise self._error(f"{text} is no {what}.")
		if "min" in self.rules and value < read(str(self.rules["min"])):
			raise self._error(f"{text} is below {self.rules['min']}.")
		if "max" in self.rules and value > read(str(self.rules["max"])):
			raise self._error(f"{text} is above {self.rules['max']}.")

	def _check_choice(self, text: str) -> None:
		if text not in self.rules["choices"]:
			raise self._error(f"{text} is none of {', '.join(self.rules['choices'])}.")

	def _check_url(self, text: str) -> None:
		try:
			destination.check(text)
		except destination.DestinationError as error:
			raise self._error(str(error)) from None

	def _error(self, text: str) -> TemplateError:
		return TemplateError(f"{self.name}: {text}", self.name)


def names_in(text: str) -> list[str]:
	"""The variables that a text names, in order; raise where braces do not pair or hold no name."""
	found = []
	for name, lone in _PART.findall(text):
		if lone:
			raise TemplateError(
				"The braces do not pair: each { needs its }. A brace itself is written %7B or %7D."
			)
		if not _NAME.fullmatch(name):
			raise TemplateError(f"{{{name}}} names no variable: a letter, then letters, digits and _.")
		found.append(name)
	return found


def check(texts: Mapping[str, str], url: str, variables: Iterable[Variable]) -> None:
	"""Raise unless texts and address name listed variables alone, each is used, and the address begins as one may."""
	listed: dict[str, Variable] = {}
	for variable in variables:
		if variable.name in listed:
			raise TemplateError(f"Two variables are called {variable.name}.", variable.name)
		listed[variable.name] = variable
	used = names_in(url)
	for text in texts.values():
		used += names_in(text)
	if missing := sorted(set(used) - set(listed)):
		raise TemplateError(f"Variables that are named and not listed: {', '.join(missing)}.")
	if idle := [name for name in listed if name not in used]:
		raise TemplateError(f"Variables that nothing names: {', '.join(idle)}.")
	if url.startswith("{"):
		if listed[used[0]].type != "URL":
			text = "The address begins with a variable: that one must be of the type URL."
			raise TemplateError(text, used[0])
	elif not url.lower().startswith(("http://", "https://")):
		raise TemplateError(
			"The address must begin with http:// or https://, or with a variable of the type URL."
		)


def check_values(variables: Iterable[Variable], values: Mapping[str, Any]) -> dict[str, str]:
	"""The texts of all variables; raise at a value that does not fit, or that nobody asked for."""
	listed = {variable.name: variable for variable in variables}
	if unknown := sorted(str(name) for name in values if name not in listed):
		raise TemplateError(f"The template has no variable {unknown[0]}.", unknown[0])
	return {name: variable.check(values.get(name)) for name, variable in listed.items()}


def fill(text: str, values: Mapping[str, str]) -> str:
	"""A plain text with its variables replaced."""
	return _PART.sub(lambda found: values[found[1]], text)


def fill_url(url: str, values: Mapping[str, str]) -> str:
	"""An address with its variables replaced: each value as one component, but for one that the address begins with."""

	def value(found: re.Match[str]) -> str:
		text = values[found[1]]
		return text if found.start() == 0 else quote(text, safe="", errors="replace")

	return _PART.sub(value, url)


def is_whole(text: str) -> bool:
	"""Whether it holds no half of a surrogate pair, which JSON can say and nothing can store."""
	return not any("\ud800" <= char <= "\udfff" for char in text)


def _number(text: str) -> Decimal | None:
	try:
		return Decimal(text) if _NUMBER.fullmatch(text) else None
	except InvalidOperation:
		return None


def _day(text: str) -> date | None:
	try:
		return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
	except ValueError:
		return None
