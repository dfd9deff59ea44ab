"""Short links as plain values that a redirect can have without a query.

`find` answers from the cache Redis, else from the database; codes that do not exist are remembered too, briefly.
Whoever changes a link calls `forget`. Nothing here decides where a visitor goes.
"""

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import cint

from trackflow import __version__, changes, snapshots
from trackflow.config import CACHE_KEY, get_config
from trackflow.keys import password_secret
from trackflow.links import codes, destination
from trackflow.links.parameters import link_parameters
from trackflow.policy import Config
from trackflow.redirect import passwords
from trackflow.redirect.decision import Link, Variant
from trackflow.redirect.rules import Rule, words_of

# A snapshot that escaped every invalidation is replaced after this long.
CACHE_SECONDS = 600
# Long enough to blunt somebody who tries codes, short enough for a row that was inserted behind the app's back.
MISS_SECONDS = 30
_MISSING = "missing"


def find(code: str) -> Link | None:
	"""The link of a normalised short code, or None. One question to Redis where it was asked for before.

	Whoever asks for others begins a transaction for it: an older one may show, and leave behind, what is no longer so.
	"""
	[link] = snapshots.cached(_key(code))
	return _known(_find_anew(code) if link is None else link)


def find_with_config(code: str) -> tuple[Link | None, Config]:
	"""The link of a normalised code ("" for none) and the settings, in one round trip where both are cached.

	For a request that has written nothing: what is not cached is read in a new transaction.
	"""
	if not code:
		return None, get_config()
	config, link = snapshots.cached(CACHE_KEY, _key(code))
	if link is None:
		frappe.db.rollback()
		link = _find_anew(code)
	if config is None:
		frappe.db.rollback()
		config = get_config()
	return _known(link), config


def _known(link: Link | str) -> Link | None:
	return None if link == _MISSING else link


def _find_anew(code: str) -> Link | str:
	key = _key(code)
	generation = snapshots.generation(key)
	link = _read(code) or _MISSING
	snapshots.keep(key, generation, link, MISS_SECONDS if link == _MISSING else CACHE_SECONDS)
	return link


def forget(*short_codes: str) -> None:
	"""Drop the snapshots of these codes now and again after the commit, when the new rows can be seen."""
	changed = [codes.normalise(code) for code in short_codes if code]
	if changed:
		snapshots.forget(map(_key, changed), lambda: changes.tell(changed))


def _key(code: str) -> str:
	return f"trackflow:link:{__version__}:{code}"


def _read(code: str) -> Link | None:
	name = frappe.db.get_value("Tracked Link", {"short_code": code})
	if not name:
		return None
	doc = frappe.get_doc("Tracked Link", name)
	parameters = link_parameters(doc)
	return Link(
		name=doc.name,
		short_code=code,
		status=doc.status,
		destination=doc.destination_url,
		redirect_status=cint(doc.redirect_status) or 302,
		campaign=doc.campaign or "",
		starts_on=doc.starts_on,
		expires_on=doc.expiry_date,
		expired_url=doc.expired_url or "",
		max_clicks=cint(doc.max_clicks),
		clicks=cint(doc.click_count) + cint(doc.scan_count),
		variants=tuple(
			Variant(
				name=row.name,
				destination=destination.build(row.destination_url or doc.target_url, parameters),
				weight=cint(row.weight),
				active=bool(cint(row.active)),
			)
			for row in doc.variants
		),
		forward_query=bool(cint(doc.forward_query)),
		domain=doc.domain or "",
		rules=tuple(
			Rule(
				kind=row.condition_type,
				destination=destination.build(row.destination_url, parameters),
				values=frozenset(words_of(row.condition_value)),
				parameter=row.query_parameter or "",
				starts_on=row.from_date,
				ends_on=row.to_date,
			)
			for row in doc.rules
		),
		ios_url=_deep_link(doc.ios_url, parameters),
		android_url=_deep_link(doc.android_url, parameters),
		password=_password_digest(doc),
	)


def _deep_link(address: str | None, parameters: dict[str, Any]) -> str:
	"""With the link's parameters where it is a page; an app is asked for exactly what was entered."""
	address = address or ""
	return destination.build(address, parameters) if destination.is_page(address) else address


def _password_digest(doc: Document) -> str:
	if not doc.password:
		return ""
	return passwords.digest(password_secret(), doc.name, doc.get_password("password"))
