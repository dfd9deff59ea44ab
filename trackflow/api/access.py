"""Who may call TrackFlow from outside: API keys."""

from typing import Any

import frappe

from trackflow.access import limits, stored_keys
from trackflow.validation import listed_names


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
