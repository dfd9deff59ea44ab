"""The app's texts in the user's language: of all that Frappe knows, those that the app shows; its own, and the values that it is told."""

import json
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

import frappe
from frappe.translate import get_all_translations

from trackflow.app_page.boot import DOCTYPES
from trackflow.app_page.manifest import built
from trackflow.tracking.agents import DEVICES
from trackflow.tracking.channels import CHANNELS
from trackflow.tracking.conversions import types_that_count


def messages() -> dict[str, str]:
	"""Translations by English text; texts that nobody translated are left out."""
	found = built("messages.json", _read)
	if not found:
		return {}
	known = get_all_translations(frappe.local.lang)
	return {text: known[text] for text in (*found, *_values()) if known.get(text)}


def _values() -> Iterator[str]:
	"""Channels, devices, types of conversions, models, DocTypes, and what their fields choose from."""
	yield from (*CHANNELS, *DEVICES, *chain(*types_that_count()), *DOCTYPES)
	yield from frappe.get_all("Attribution Model", pluck="name", order_by="name")
	for doctype in DOCTYPES:
		for field in frappe.get_meta(doctype).get_select_fields():
			yield from (field.options or "").split("\n")


@lru_cache(maxsize=2)
def _read(path: str, changed: int) -> tuple[str, ...]:
	with open(path, encoding="utf-8") as file:
		return tuple(json.load(file))
