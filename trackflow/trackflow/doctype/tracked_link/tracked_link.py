"""A short link: its code is unique whatever the case, its destination is worked out from target and parameters.

Whether a code is taken is never looked up: the unique index says so, and a code that was made is then made anew.
"""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import cint, get_datetime

from trackflow.links import codes, destination
from trackflow.links.addresses import own_hosts, scan_url, short_url
from trackflow.links.app_addresses import can_be_opened, pages
from trackflow.links.parameters import campaign_of, link_parameters
from trackflow.redirect import links as snapshots
from trackflow.redirect import rules
from trackflow.redirect.page import LONGEST_PASSWORD
from trackflow.setup.indexes import add_indexes
from trackflow.trackflow.doctype.figures import CountedDocument
from trackflow.validation import plain_text, stored_json, web_address
from trackflow.webhooks import messages, outbox

INDEXES = {
	"idx_tracked_link_campaign": ("campaign",),
	"idx_tracked_link_domain": ("domain",),
}

# With six characters of 31 and a million links, one try in 900 hits a taken code.
CODE_ATTEMPTS = 10
SAVEPOINT = "trackflow_short_code"


class TrackedLink(CountedDocument):
	def onload(self) -> None:
		self.set_onload("short_url", short_url(self.short_code, self.domain))

	def before_insert(self) -> None:
		self.created_by = frappe.session.user

	def validate(self) -> None:
		self._set_short_code()
		self._check_addresses()
		self._check_variants()
		self._check_rules()
		self._check_password()
		self._check_dates()
		self._set_derived()

	def after_insert(self) -> None:
		outbox.tell("link.created", self._told)

	def _told(self, zone: ZoneInfo) -> outbox.Items:
		row = self.as_dict() | {"creation": get_datetime(self.creation)}
		return {self.name: messages.link(row, short_url(self.short_code, self.domain), zone)}

	def on_update(self) -> None:
		before = self.get_doc_before_save()
		snapshots.forget(self.short_code, before.short_code if before else "")

	def after_delete(self) -> None:
		snapshots.forget(self.short_code)

	def db_insert(self, *args, **kwargs) -> None:
		insert = partial(super().db_insert, *args, **kwargs)
		for _attempt in range(CODE_ATTEMPTS):
			if self._stored(insert):
				return
			if not self.flags.code_was_made:
				break
			self._make_code()
		self._throw_taken()

	def db_update(self) -> None:
		if not self._stored(super().db_update):
			self._throw_taken()

	def _stored(self, write: Callable[[], None]) -> bool:
		"""Whether the row could be written; False if the short code is taken (nothing else is unique)."""
		frappe.db.savepoint(SAVEPOINT)
		try:
			write()
		except frappe.UniqueValidationError:
			frappe.db.rollback(save_point=SAVEPOINT)
			frappe.clear_last_message()
			return False
		frappe.db.release_savepoint(SAVEPOINT)
		return True

	def _throw_taken(self) -> None:
		frappe.throw(
			_("The short code {0} is already in use.").format(self.short_code), frappe.DuplicateEntryError
		)

	def _set_short_code(self) -> None:
		self.short_code = codes.normalise(plain_text(self.short_code, "Short Code"))
		if not self.short_code:
			self.flags.code_was_made = True
			self._make_code()
		elif self.has_value_changed("short_code"):
			try:
				codes.check(self.short_code)
			except codes.CodeError as error:
				frappe.throw(_(str(error)))

	def _make_code(self) -> None:
		settings = frappe.get_cached_doc("TrackFlow Settings")
		if not cint(settings.auto_generate_short_codes):
			frappe.throw(_("Type a short code, or let the settings make them automatically."))
		self.short_code = codes.make_code(cint(settings.short_code_length) or codes.DEFAULT_LENGTH)
		self.qr_code = scan_url(self.short_code, self.domain)

	def _check_addresses(self) -> None:
		hosts = own_hosts()
		self.target_url = web_address(self.target_url, "Target URL", hosts)
		self.expired_url = web_address(self.expired_url, "Expired URL", hosts)
		for row in self.variants:
			row.destination_url = web_address(row.destination_url, "Destination URL", hosts)
		for row in self.rules:
			row.destination_url = web_address(row.destination_url, "Destination URL", hosts)
		for field in ("ios_url", "android_url"):
			self.set(field, self._app_address(field, hosts))

	def _app_address(self, field: str, hosts: set[str]) -> str:
		"""A web address, or one that opens an app (`shop://product/7`)."""
		address = plain_text(self.get(field), self.meta.get_label(field)).strip()
		scheme = address.partition(":")[0].lower()
		if not address or scheme in ("http", "https"):
			return web_address(address, self.meta.get_label(field), hosts)
		if not can_be_opened(address):
			frappe.throw(_("{0} is no address that an app could open.").format(_(self.meta.get_label(field))))
		for page in pages(address):
			web_address(page, self.meta.get_label(field), hosts)
		return address

	def _check_variants(self) -> None:
		names = [row.variant_name for row in self.variants]
		if doubled := next((name for name in names if names.count(name) > 1), None):
			frappe.throw(_("Two variants are called {0}.").format(doubled))
		if any(cint(row.weight) < 0 for row in self.variants):
			frappe.throw(_("The weight of a variant must not be negative."))
		weights = [cint(row.weight) for row in self.variants if cint(row.active)]
		if weights and not any(weights):
			frappe.throw(_("At least one active variant needs a weight above 0."))

	def _check_rules(self) -> None:
		for row in self.rules:
			if row.condition_type == "Date":
				_in_order(row.from_date, row.to_date, _("Rule {0} ends before it begins.").format(row.idx))
				if not (row.from_date or row.to_date):
					frappe.throw(_("Rule {0}: give a date from, to, or both.").format(row.idx))
				continue
			row.query_parameter = plain_text(row.query_parameter, "Query Parameter").strip()
			if row.condition_type == "Query" and not row.query_parameter:
				frappe.throw(_("Rule {0}: name the parameter to look at.").format(row.idx))
			words = rules.words_of(plain_text(row.condition_value, "Is"))
			if not words:
				frappe.throw(_("Rule {0}: say what {1} must be.").format(row.idx, _(row.condition_type)))
			row.condition_value = ", ".join(words)
			try:
				rules.check(row.condition_type, words)
			except rules.RuleError as error:
				frappe.throw(_("Rule {0}: {1}").format(row.idx, _(str(error))))

	def _check_password(self) -> None:
		password = plain_text(self.password, "Password")
		if len(password) > LONGEST_PASSWORD:
			frappe.throw(_("The password is longer than {0} characters.").format(LONGEST_PASSWORD))
		if password and not password.strip("*") and self.has_value_changed("password"):
			# Frappe takes these for the place of a password that it keeps elsewhere.
			frappe.throw(_("A password cannot be made of asterisks alone."))

	def _check_dates(self) -> None:
		_in_order(self.starts_on, self.expiry_date, _("The link would expire before it starts."))

	def _set_derived(self) -> None:
		self.additional_parameters = stored_json(self.additional_parameters, "Additional Parameters")
		campaign = campaign_of(self)
		if campaign:
			self.campaign_id = campaign["campaign_id"]
		parameters = link_parameters(self, campaign)
		try:
			self.destination_url = destination.build(self.target_url, parameters)
		except destination.DestinationError as error:
			frappe.throw(_(str(error)))
		self.qr_code = scan_url(self.short_code, self.domain)
		self.currency = self.currency or frappe.db.get_single_value(
			"TrackFlow Settings", "reporting_currency"
		)
		if not self.title:
			parts = urlsplit(self.target_url)
			self.title = (parts.netloc + parts.path).rstrip("/")[:140]


def _in_order(first: str | None, second: str | None, message: str) -> None:
	if first and second and get_datetime(second) <= get_datetime(first):
		frappe.throw(message)


def on_doctype_update() -> None:
	add_indexes("Tracked Link", INDEXES)
