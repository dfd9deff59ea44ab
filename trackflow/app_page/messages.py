"""The app's texts in the user's language: of all that Frappe knows, those that the app shows."""

import json
from functools import lru_cache

import frappe
from frappe.translate import get_all_translations

from trackflow.app_page.manifest import built


def messages() -> dict[str, str]:
	"""Translations by English text; texts that nobody translated are left out."""
	found = built("messages.json", _read)
	if not found:
		return {}
	known = get_all_translations(frappe.local.lang)
	return {text: known[text] for text in found if known.get(text)}


@lru_cache(maxsize=2)
def _read(path: str, changed: int) -> tuple[str, ...]:
	with open(path, encoding="utf-8") as file:
		return tuple(json.load(file))
