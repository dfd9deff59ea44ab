"""A key for programs: acts as its user, within its scopes, from its addresses.

Prefix and secret are made with the record; the whole key is shown once, and only a hash of its secret is kept. The secret of its
webhooks is made with the first of these and shown once, too; it is derived, and kept nowhere (`keys.webhook_secret`).
"""

import secrets
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import now_datetime

from trackflow import keys
from trackflow.access.api_keys import made_of
from trackflow.config import forget_config
from trackflow.trackflow.doctype.figures import CountedDocument
from trackflow.validation import networks, stored_json
from trackflow.webhooks import signing, subscribing

# What the record's maker cannot choose, and nobody can change.
MADE = ("api_key", "secret_hash", "created_date")


# The scope that can be narrowed: events have a domain, all else is a matter of the user's permissions.
NARROWED = "events:write"


class TrackFlowAPIKey(CountedDocument):
	def validate(self) -> None:
		before = self.get_doc_before_save()
		if before:
			self._check_rows(before)
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
		if subscribing.check(self, before):
			# What another one may read is not told to an address that is somebody else's.
			self._check_user(None)
		self._set_webhook_secret(before)

	def _check_rows(self, before: Document) -> None:
		"""Refuse rows that are another key's: Frappe would take them away from it, a webhook with what waits for it."""
		for table in self.meta.get_table_fields():
			names = {row.name for row in before.get(table.fieldname)}
			for row in self.get(table.fieldname):
				if not row.is_new() and row.name not in names:
					frappe.throw(_("Row {0} of {1} is not of this key.").format(row.idx, _(table.label)))

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

	def on_update(self) -> None:
		forget_config()
		self._show_once()

	def _show_once(self) -> None:
		"""Tell whoever saves the form what is kept nowhere, in one message: of several the desk shows the last one's button alone."""
		shown = {}
		if self.flags.whole_key and not self.flags.whole_key_is_answered:
			shown[self.flags.pop("whole_key")] = _("Keep this key, it is shown only now:")
		if self.flags.webhook_secret and not self.flags.webhook_secret_is_answered:
			text = _("The signatures of its webhooks are checked with this secret, it is shown only now:")
			shown[self.flags.pop("webhook_secret")] = text
		if shown:
			frappe.msgprint(
				"".join(f"{text}<pre>{secret}</pre>" for secret, text in shown.items()),
				_("API Key"),
				primary_action={
					"label": _("Copy"),
					"client_action": "frappe.utils.copy_to_clipboard",
					"args": "\n".join(shown),
				},
			)

	def after_delete(self) -> None:
		forget_config()
