"""API keys between the database and who uses them: read for the snapshot of the settings, made, listed, revoked, given
another secret (KEY-1)."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import cint, get_datetime, get_system_timezone

from trackflow.policy import ApiKey, Webhook
from trackflow.tracking.identity import Ranges

DOCTYPE = "TrackFlow API Key"
WEBHOOK = "API Key Webhook Event"
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60


def stored_keys() -> list[ApiKey]:
	"""All keys, as values."""
	zone = ZoneInfo(get_system_timezone())
	names = frappe.get_all(DOCTYPE, pluck="name", order_by="name")
	return [_value(frappe.get_doc(DOCTYPE, name), zone) for name in names]


def webhooks_of(keys: Iterable[ApiKey]) -> dict[str, tuple[Webhook, ...]]:
	"""By event, the webhooks that are switched on of those of these keys that are."""
	by_name = {key.name: key for key in keys if key.is_active}
	found: dict[str, tuple[Webhook, ...]] = {}
	for row in frappe.get_all(
		WEBHOOK,
		filters={"parenttype": DOCTYPE, "is_active": 1},
		fields=["name", "event_type", "parent"],
		order_by="parent, idx",
	):
		if key := by_name.get(row.parent):
			webhook = Webhook(row.name, row.event_type, key.name, key.user, key.expires_at)
			found[row.event_type] = (*found.get(row.event_type, ()), webhook)
	return found


def create(
	key_name: str,
	scopes: Iterable[str],
	domain: str | None = None,
	user: str | None = None,
	addresses: Iterable[str] = (),
	expires_on: str | datetime | None = None,
	**limits: Any,
) -> dict[str, Any]:
	"""Make a key for `user` (by default whoever asks) and answer with the whole of it: it is never to be had again. `limits` are
	those of the DocType's fields."""
	doc = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"key_name": key_name,
			"user": user or frappe.session.user,
			"domain": domain or None,
			"expires_on": expires_on,
			"scopes": [{"permission_type": scope} for scope in scopes],
			"ip_whitelist": [{"ip_address": one} for one in addresses],
			**limits,
		}
	)
	doc.flags.whole_key_is_answered = True
	doc.insert()
	return _whole(doc)


def rotate(name: str) -> dict[str, Any]:
	"""Give a key another prefix and secret, and answer with the whole of it; the former one is refused from now on. Name, scopes,
	addresses and figures stay. Named by its name or its prefix."""
	doc = named(name)
	doc.flags.rotates = doc.flags.whole_key_is_answered = True
	doc.save()
	return _whole(doc)


def listed() -> list[dict[str, Any]]:
	"""What may be told of all keys."""
	fields = [
		"name", "api_key", "user", "domain", "is_active", "expires_on", "created_date", "last_used", "usage_count",
	]  # fmt: skip
	rows = frappe.get_list(DOCTYPE, fields=fields, order_by="name", limit=0)
	scopes: dict[str, list[str]] = defaultdict(list)
	for scope in frappe.get_all(
		"API Key Permission",
		filters={"parenttype": DOCTYPE, "parent": ("in", [row.name for row in rows])},
		fields=["parent", "permission_type"],
		order_by="parent, idx",
	):
		scopes[scope.parent].append(scope.permission_type)
	for row in rows:
		row.scopes = scopes[row.name]
	return rows


def revoke(name: str) -> None:
	"""Switch a key off, for good or until somebody switches it on again. Named by its name or its prefix."""
	doc = named(name)
	doc.is_active = 0
	doc.save()


def named(name: str) -> "frappe.model.document.Document":
	"""A key by its name or its prefix."""
	found = frappe.db.exists(DOCTYPE, name) or frappe.db.get_value(DOCTYPE, {"api_key": name})
	if not found:
		frappe.throw(_("There is no API key {0}.").format(name), frappe.DoesNotExistError)
	return frappe.get_doc(DOCTYPE, found)


def _whole(doc: "frappe.model.document.Document") -> dict[str, Any]:
	return {"name": doc.name, "prefix": doc.api_key, "key": doc.flags.whole_key}


def _value(doc: "frappe.model.document.Document", zone: ZoneInfo) -> ApiKey:
	until = get_datetime(doc.expires_on).replace(tzinfo=zone).timestamp() if doc.expires_on else None
	limits = ((doc.limit_per_minute, MINUTE), (doc.limit_per_hour, HOUR), (doc.limit_per_day, DAY))
	return ApiKey(
		name=doc.name,
		prefix=doc.api_key or "",
		secret_hash=doc.secret_hash or "",
		user=doc.user,
		domain=doc.domain or "",
		scopes=dict(filter(None, map(_scope, doc.scopes))),
		networks=Ranges(ip_network(row.ip_address, strict=False) for row in doc.ip_whitelist),
		expires_at=until,
		is_active=bool(cint(doc.is_active)) and bool(cint(frappe.db.get_value("User", doc.user, "enabled"))),
		limits=tuple((cint(most), seconds) for most, seconds in limits if cint(most)),
	)


def _scope(row: Any) -> tuple[str, frozenset[str]] | None:
	"""A scope and the domains it is narrowed to. What is narrowed in a way that is not known here is not given at all."""
	only = json.loads(row.permission_data) if isinstance(row.permission_data, str) else row.permission_data
	if not only:
		return row.permission_type, frozenset()
	if set(only) != {"domains"} or not isinstance(only["domains"], list):
		return None
	return row.permission_type, frozenset(map(str, only["domains"]))
