"""Who may call TrackFlow from outside: API keys."""

from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_datetime, get_system_timezone, now_datetime

from trackflow.access import limits, stored_keys
from trackflow.times import iso
from trackflow.validation import listed_names, plain_text


@frappe.whitelist(methods=["POST"])
def create_api_key(
	key_name: str,
	scopes: str | list[str],
	domain: str | None = None,
	addresses: str | list[str] | None = None,
	expires_on: str | None = None,
) -> dict[str, Any]:
	"""Make a key that acts as whoever asks (KEY-1), who needs permission to create a TrackFlow API Key. `key` is the whole
	of it and is answered this once."""
	limits.guard("management")
	return stored_keys.create(
		key_name,
		listed_names(scopes, "scopes"),
		domain,
		addresses=listed_names(addresses, "addresses"),
		expires_on=expires_on,
	)


@frappe.whitelist(methods=["GET"])
def list_api_keys() -> list[dict[str, Any]]:
	"""The keys, by name: `prefix`, whom each acts as, its scopes and domain, until when, and whether it works now. No secret of any is
	known."""
	frappe.has_permission(stored_keys.DOCTYPE, "read", throw=True)
	zone, now = ZoneInfo(get_system_timezone()), now_datetime()

	def told(row: Any) -> dict[str, Any]:
		until = get_datetime(row.expires_on) if row.expires_on else None
		is_over = bool(until and until <= now)
		return {
			"name": row.name,
			"prefix": row.api_key,
			"user": row.user,
			"domain": row.domain,
			"scopes": row.scopes,
			"created_at": iso(get_datetime(row.created_date), zone),
			"expires_at": iso(until, zone),
			"state": "revoked" if not row.is_active else "expired" if is_over else "active",
		}

	return [told(row) for row in stored_keys.listed()]


@frappe.whitelist(methods=["POST"])
def revoke_api_key(name: str) -> dict[str, Any]:
	"""Switch a key off; it is refused from now on."""
	limits.guard("management")
	frappe.has_permission(stored_keys.DOCTYPE, "write", throw=True)
	stored_keys.revoke(plain_text(name, "name"))
	return {"name": name, "state": "revoked"}
