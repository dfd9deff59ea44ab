"""A key for programs: acts as its user, within its scopes, from its addresses.

Prefix and secret are made with the record; the whole key is shown once, and only a hash of its secret is kept. The secret of its
webhooks is made with the first of these and shown once, too; it is derived, and kept nowhere (`keys.webhook_secret`).
"""

import secrets
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime

from trackflow import keys
from trackflow.access.api_keys import made_of
from trackflow.config import forget_config
from trackflow.outgoing import is_public
from trackflow.trackflow.doctype.figures import CountedDocument
from trackflow.validation import networks, plain_text, stored_json
from trackflow.webhooks import sender, signing
from trackflow.webhooks.messages import EVENTS

# What the record's maker cannot choose, and nobody can change.
MADE = ("api_key", "secret_hash", "created_date")


# The scope that can be narrowed: events have a domain, all else is a matter of the user's permissions.
NARROWED = "events:write"
LONGEST_ADDRESS = 2048


class TrackFlowAPIKey(CountedDocument):
	def validate(self) -> None:
		before = self.get_doc_before_save()
		is_made = not before or self.flags.rotates
		# Not before: Frappe takes from fields of a permission level what the user may not write.
		self.update(self._made() if is_made else {field: before.get(field) for field in MADE})
		# Who rotates a key gets hold of it, as who makes one.
		self._check_user(None if is_made else before.user)
		for row in self.scopes:
			row.permission_data = stored_json(row.permission_data, "Only")
			if row.permission_data and row.permission_type != NARROWED:
				frappe.throw(
					_("Row {0}: only the scope {1} can be narrowed to domains.").format(row.idx, NARROWED)
				)
		for row in self.ip_whitelist:
			(row.ip_address,) = networks([row.ip_address or ""], "Allowed Addresses")
		self._check_webhooks(before)
		self._set_webhook_secret(before)

	def _check_webhooks(self, before: Document | None) -> None:
		"""See that they can work. One that is sent anew without its name stays the webhook that it was, with what waits for it."""
		former = {
			(row.event_type, row.webhook_url): row.name for row in (before.webhook_events if before else ())
		}
		names = {row.name for row in self.webhook_events}
		seen: set[tuple[str, str]] = set()
		scopes = {row.permission_type for row in self.scopes}
		for row in self.webhook_events:
			row.webhook_url = _address(row)
			what = (row.event_type, row.webhook_url)
			if what in seen:
				frappe.throw(
					_("Row {0}: {1} is told to this address already.").format(row.idx, row.event_type)
				)
			seen.add(what)
			event = EVENTS.get(row.event_type)
			if not event:
				frappe.throw(_("Row {0}: there is no event {1}.").format(row.idx, row.event_type))
			if event.scope not in scopes:
				frappe.throw(
					_("Row {0}: the event {1} takes a key with the scope {2}.").format(
						row.idx, row.event_type, event.scope
					)
				)
			if row.is_new() and (name := former.get(what)) and name not in names:
				row.name, row.__dict__["__islocal"] = name, False
		if seen - former.keys():
			self._check_user(None)

	def _set_webhook_secret(self, before: Document | None) -> None:
		self.webhook_secret_id = before.webhook_secret_id if before else ""
		is_asked = self.flags.makes_webhook_secret
		if is_asked or (self.webhook_events and not self.webhook_secret_id):
			if is_asked:
				self._check_user(None)
			self.webhook_secret_id = secrets.token_hex(16)
			self.flags.webhook_secret = signing.shown(keys.webhook_secret(self.webhook_secret_id))

	def _made(self) -> dict[str, Any]:
		made = made_of(secrets.token_bytes(40))
		self.flags.whole_key = made.whole
		return dict(zip(MADE, (made.prefix, made.secret_hash, now_datetime()), strict=True))

	def _check_user(self, former: str | None) -> None:
		"""Whoever makes a key gives away what its user may do: that can only be one's own."""
		if self.user == "Guest":
			frappe.throw(_("A key acts as somebody: guests need none."))
		if self.user in (former, frappe.session.user) or "System Manager" in frappe.get_roles():
			return
		frappe.throw(
			_("Only a System Manager can make a key that acts as somebody else."), frappe.PermissionError
		)

	def after_insert(self) -> None:
		if not self.flags.whole_key_is_answered:
			frappe.msgprint(
				f"{_('Keep this key, it is shown only now:')}<pre>{self.flags.whole_key}</pre>",
				_("API Key"),
				primary_action={
					"label": _("Copy"),
					"client_action": "frappe.utils.copy_to_clipboard",
					"args": self.flags.whole_key,
				},
			)

	def on_update(self) -> None:
		forget_config()
		if self.flags.webhook_secret and not self.flags.webhook_secret_is_answered:
			frappe.msgprint(
				f"{_('The signatures of its webhooks are checked with this secret, it is shown only now:')}"
				f"<pre>{self.flags.webhook_secret}</pre>",
				_("Webhooks"),
			)

	def after_delete(self) -> None:
		forget_config()


def _address(row: Any) -> str:
	"""Where a webhook is sent: https (http where the site allows its own network), without user, password and fragment."""
	address = plain_text(row.webhook_url, "URL").strip()
	try:
		parts = urlsplit(address)
		_port = parts.port
	except ValueError:
		frappe.throw(_("Row {0}: {1} is no address.").format(row.idx, address[:100]))
	schemes = ("https", "http") if sender.allows_private() else ("https",)
	if parts.scheme not in schemes or not parts.hostname or len(address) > LONGEST_ADDRESS:
		frappe.throw(
			_("Row {0}: a webhook's URL begins with https:// and has at most {1} characters.").format(
				row.idx, LONGEST_ADDRESS
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
