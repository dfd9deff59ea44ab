"""What the website script is told: the options of its tag, by what settings and domain say (COL-5). Pure.

Options are named as the tag's `data-` attributes are. What decides over privacy (key, consent) follows from the
settings and is no option.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from trackflow.links.templating import is_whole
from trackflow.policy import Config, Domain

MOST_EVENTS = 100
LONGEST_INTERVAL = 60_000
MOST_FIELDS, LONGEST_TEXT = 20, 140

# Never forms of other websites, nor those whose fields become part of an address (RED-6).
OWN_POSTED_FORMS = 'form[method=post i]:not([action*="//"])'

# What the script can leave out; its source looks for these words in the tag's attribute.
CAPTURES = ("pages", "outbound", "downloads", "clicks", "engagement", "scroll", "focus", "forms")


# A path, or an address without a user.
_ENDPOINT = re.compile(r"/[^/\\\s][^\s\\]*|https?://[^\s/\\@]+(/[^\s\\]*)?")


class OptionError(ValueError):
	"""An option is not known or cannot be; the message is for the person who wrote it."""


def checked(options: Mapping[str, Any]) -> dict[str, str]:
	"""These options as the values of the tag's attributes. Raises OptionError."""
	if unknown := sorted(set(options) - _OPTIONS.keys()):
		raise OptionError(f"{unknown[0]} is no option of the script. Known are {', '.join(_OPTIONS)}.")
	return {name: _OPTIONS[name](name, value) for name, value in options.items()}


def usable(options: Mapping[str, Any]) -> dict[str, str]:
	"""Those of stored options that can be, as the values of the tag's attributes: an older app may have taken others.

	A word that is none does not bring back what the others switch off."""
	found: dict[str, str] = {}
	for name, value in options.items():
		with suppress(OptionError):
			found |= checked({name: _known(value) if name == "off" else value})
	return found


def attributes(domain: Domain, config: Config) -> dict[str, str]:
	"""All that the script of a domain is told, by attribute without `data-`."""
	return {
		"key": domain.public_key,
		"consent": "required" if asks_first(domain, config) else "none",
		**dict(domain.script_options),
	}


def asks_first(domain: Domain, config: Config) -> bool:
	"""Whether nothing may be sent until the visitor has agreed."""
	return config.consent_required and domain.consent_required and domain.consent_default != "Opt-out"


def dataset_name(attribute: str) -> str:
	"""An attribute as scripts know it: batch-size is batchSize."""
	first, *more = attribute.split("-")
	return first + "".join(word.capitalize() for word in more)


def _endpoint(name: str, value: Any) -> str:
	if not (isinstance(value, str) and _ENDPOINT.fullmatch(value) and is_whole(value)):
		raise OptionError(
			f"{name} is neither a path nor an address such as https://events.example.com/collect."
		)
	return value


def _number(highest: int) -> Callable[[str, Any], str]:
	def check(name: str, value: Any) -> str:
		if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
			raise OptionError(f"{name} is a whole number from 1 to {highest}.")
		return str(value)

	return check


def _words(name: str, value: Any) -> str:
	words = value.split() if isinstance(value, str) else value
	if not isinstance(words, list):
		raise OptionError(f'{name} is a list of words such as ["scroll", "downloads"].')
	if unknown := [one for one in words if one not in CAPTURES]:
		raise OptionError(f"{name} does not know {unknown[0]}. Known are {', '.join(CAPTURES)}.")
	if len(words) > len(set(words)):
		raise OptionError(f"{name} says a word more than once.")
	return " ".join(words)


def _known(value: Any) -> Any:
	words = value.split() if isinstance(value, str) else value
	return [one for one in CAPTURES if one in words] if isinstance(words, list) else value


def _forms(name: str, value: Any) -> str:
	# Without it, forms that are marked. The tag itself takes any selector.
	if value != "all":
		raise OptionError(f"{name} can only be all.")
	return OWN_POSTED_FORMS


def _fields(name: str, value: Any) -> str:
	is_small = isinstance(value, Mapping) and len(value) <= MOST_FIELDS
	if not is_small or not all(_is_field(key, text) for key, text in value.items()):
		raise OptionError(
			f"{name} is an object of up to {MOST_FIELDS} texts and finite numbers, none longer than {LONGEST_TEXT} "
			"characters nor with half of one."
		)
	return json.dumps(dict(value), ensure_ascii=False)


def _is_field(key: Any, value: Any) -> bool:
	if isinstance(value, bool) or not isinstance(value, str | int | float):
		return False
	# NaN and Infinity: Python reads them, but the script could not.
	if isinstance(value, float) and not math.isfinite(value):
		return False
	return bool(key) and all(len(text) <= LONGEST_TEXT and is_whole(text) for text in (key, str(value)))


_OPTIONS: Mapping[str, Callable[[str, Any], str]] = {
	"endpoint": _endpoint,
	"batch-size": _number(MOST_EVENTS),
	"interval": _number(LONGEST_INTERVAL),
	"off": _words,
	"forms": _forms,
	"fields": _fields,
}
