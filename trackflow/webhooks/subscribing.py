"""What an API key may have told where: checked when the key is saved, in the words of its form (WHK-1)."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.outgoing import is_public
from trackflow.validation import plain_text
from trackflow.webhooks import sender
from trackflow.webhooks.messages import EVENTS

LONGEST = 2048


def check(key: Document, before: Document | None) -> bool:
	"""See that the webhooks of a key can work; answers whether it is to tell something that it did not, or somewhere else."""
	scopes = {row.permission_type for row in key.scopes}
	former = {_what(row): row.name for row in (before.webhook_events if before else ())}
	seen: set[tuple[str, str]] = set()
	for row in key.webhook_events:
		row.webhook_url = _address(row)
		_check_event(row, scopes)
		if _what(row) in seen:
			frappe.throw(_("Row {0}: {1} is told to this address already.").format(row.idx, row.event_type))
		seen.add(_what(row))
	_keep_names(key.webhook_events, former)
	return bool(seen - former.keys())


def _what(row: Any) -> tuple[str, str]:
	return row.event_type, row.webhook_url


def _check_event(row: Any, scopes: set[str]) -> None:
	event = EVENTS.get(row.event_type)
	if not event:
		frappe.throw(_("Row {0}: there is no event {1}.").format(row.idx, row.event_type))
	if event.scope not in scopes:
		frappe.throw(
			_("Row {0}: the event {1} takes a key with the scope {2}.").format(
				row.idx, row.event_type, event.scope
			)
		)


def _keep_names(rows: list[Any], former: dict[tuple[str, str], str]) -> None:
	"""One that is sent anew without its name, as programs do, stays the webhook that it was, with what waits for it."""
	names = {row.name for row in rows}
	for row in rows:
		if row.is_new() and (name := former.get(_what(row))) and name not in names:
			row.name, row.__dict__["__islocal"] = name, False


def _address(row: Any) -> str:
	"""Where it is sent: https (http where the site allows its own network), without user, password and fragment."""
	address = plain_text(row.webhook_url, "URL").strip()
	try:
		parts = urlsplit(address)
		_port = parts.port
	except ValueError:
		frappe.throw(_("Row {0}: {1} is no address.").format(row.idx, address[:100]))
	schemes = ("https", "http") if sender.allows_private() else ("https",)
	if parts.scheme not in schemes or not parts.hostname or len(address) > LONGEST:
		frappe.throw(
			_("Row {0}: a webhook's URL begins with https:// and has at most {1} characters.").format(
				row.idx, LONGEST
			)
		)
	if parts.username or parts.password or parts.fragment:
		frappe.throw(
			_("Row {0}: a webhook's URL may hold neither user, password nor a fragment.").format(row.idx)
		)
	if not sender.allows_private() and _is_private(parts.hostname):
		frappe.throw(
			_("Row {0}: {1} is an address of a private network, where nothing is sent.").format(
				row.idx, parts.hostname
			)
		)
	return address


def _is_private(host: str) -> bool:
	"""Whether a host is plainly so; what a name stands for is looked up each time that something is sent."""
	try:
		return not is_public(str(ip_address(host)))
	except ValueError:
		return host == "localhost"
