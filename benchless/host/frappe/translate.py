"""Translations out of the apps' CSV files (`<app>/translations/<language>.csv`), and those of users (Translation); English is the source."""

import csv
import os

import frappe

_known: dict[tuple[str, str], dict[str, str]] = {}
_OF_USERS = "user_translations"


def get_all_translations(lang: str) -> dict[str, str]:
	"""Texts by source text (`text:context` where there is one) of all installed apps."""
	if not lang or lang.startswith("en") or not getattr(frappe.local, "db", None):
		return {}
	merged: dict[str, str] = {}
	for app in frappe.get_installed_apps():
		merged.update(_of_app(app, lang))
	return merged | frappe.cache.hget(_OF_USERS, lang, lambda: _of_users(lang))


def _of_users(lang: str) -> dict[str, str]:
	rows = frappe.get_all(
		"Translation",
		filters={"language": lang},
		fields=["source_text", "context", "translated_text"],
		order_by="creation",
	)
	return {
		f"{row.source_text}:{row.context}" if row.context else row.source_text: row.translated_text
		for row in rows
	}


def clear_user_translations(lang: str) -> None:
	frappe.cache.hdel(_OF_USERS, lang)


def _of_app(app: str, lang: str) -> dict[str, str]:
	if (app, lang) not in _known:
		path = os.path.join(frappe.get_app_path(app), "translations", f"{lang}.csv")
		found = {}
		if os.path.exists(path):
			with open(path, encoding="utf-8", newline="") as f:
				for row in csv.reader(f):
					if len(row) > 1:
						found[f"{row[0]}:{row[2]}" if len(row) > 2 and row[2] else row[0]] = row[1]
		_known[(app, lang)] = found
	return _known[(app, lang)]


def get_user_lang(user: str | None = None) -> str:
	user = user or frappe.session.user
	language = frappe.get_cached_value("User", user, "language") if user else None
	return language or frappe.get_system_settings("language") or "en"


def get_language(lang_list: list | None = None) -> str:
	"""Language of the request: parameter, else cookie, else browser where it is English, else the site's."""
	request = getattr(frappe.local, "request", None)
	if request:
		wanted = frappe.form_dict.get("_lang") or request.cookies.get("preferred_language")
		if wanted:
			return wanted
	return frappe.local.lang or frappe.get_system_settings("language") or "en"


def set_default_language(lang: str) -> None:
	frappe.db.set_default("lang", lang)
	frappe.local.lang = lang


def clear_cache() -> None:
	_known.clear()
