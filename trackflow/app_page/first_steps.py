"""Where a site stands that has just been set up: a website, a link, and the first click on it, as it is stored (UI-1)."""

from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from trackflow.exceptions import StreamUnavailable
from trackflow.health.website import why_not_counted
from trackflow.links.addresses import short_url
from trackflow.stream import drain
from trackflow.times import iso
from trackflow.validation import readable

Row = dict[str, Any]

_DOMAIN = ("name", "enabled", "privacy_level", "consent_required")
_LINK = ("name", "title", "short_code", "domain", "target_url")
_CLICK = (
	"click_timestamp", "event_type", "country", "device_type", "browser", "counted", "is_bot", "bot_reason", "is_internal",
)  # fmt: skip


def state(link: str) -> Row:
	"""`is_empty` while neither a click nor an event is stored; the first domain and the newest link that the user may read, or the
	link that is named, with the newest click on it; whether something `waits` to be stored."""
	found = _link(link)
	return {
		"is_empty": not (_any("Click Event") or _any("Visitor Event")),
		"domain": _first("Domain Configuration", _DOMAIN, "creation asc, name"),
		"link": found,
		"click": _newest_click(found["name"]) if found else None,
		"waits": _waits(),
	}


def _link(name: str) -> Row | None:
	row = readable("Tracked Link", name) if name else _first("Tracked Link", _LINK, "creation desc, name")
	if not row:
		return None
	return {
		**{field: row.get(field) for field in ("name", "title", "short_code", "target_url")},
		"short_url": short_url(row.short_code, row.domain),
	}


def _first(doctype: str, fields: tuple[str, ...], order: str) -> Any:
	if not frappe.has_permission(doctype, "read"):
		return None
	rows = frappe.get_list(doctype, fields=list(fields), order_by=order, limit_page_length=1)
	return rows[0] if rows else None


def _any(doctype: str) -> bool:
	return bool(frappe.get_all(doctype, pluck="name", order_by=None, limit=1))


def _newest_click(link: str) -> Row | None:
	"""Nothing of who it was."""
	click = frappe.qb.DocType("Click Event")
	rows = (
		frappe.qb.from_(click)
		.select(*(click[field] for field in _CLICK))
		.where(click.tracked_link == link)
		.orderby(click.click_timestamp, order=frappe.qb.desc)
		.limit(1)
		.run(as_dict=True)
	)
	if not rows:
		return None
	[row] = rows
	return {
		"at": iso(row.click_timestamp, ZoneInfo(get_system_timezone())),
		"type": row.event_type,
		**{field: row[field] or None for field in ("country", "device_type", "browser")},
		"not_counted": why_not_counted(row),
	}


def _waits() -> bool | None:
	"""None where nobody knows."""
	try:
		return drain.waiting() > 0
	except StreamUnavailable:
		return None
