"""A host: of short links, of a website that sends events, or of both. At most one is the primary one, whose host short
URLs get; without one they get the site's own.

The name is the host as browsers send it. The public key is made once and never changes.
"""

import re
import secrets

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from trackflow.config import forget_config
from trackflow.links import hosts
from trackflow.links.addresses import own_hosts
from trackflow.links.rebuild import enqueue_rebuild
from trackflow.tracking.script_options import OptionError, checked
from trackflow.validation import lines, stored_json, web_address

STANDARD, GDPR, HIPAA = "Standard", "GDPR", "HIPAA"

_PUBLIC_KEY = re.compile(r"pk_[0-9a-f]{24}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff\t]*")
# They steer the connection, the caches or the visitor, and the redirect sets some of them itself.
FORBIDDEN_HEADERS = frozenset(
	{
		"age", "cache-control", "clear-site-data", "connection", "content-encoding", "content-length",
		"content-type", "date", "expires", "host", "keep-alive", "location", "pragma", "proxy-authenticate",
		"proxy-authorization", "proxy-connection", "refresh", "server", "set-cookie", "set-cookie2", "te",
		"trailer", "transfer-encoding", "upgrade", "vary", "via", "www-authenticate",
	}
)  # fmt: skip


class DomainConfiguration(Document):
	def before_insert(self) -> None:
		# Before the record is named after it.
		self.domain = _host(hosts.normalise, self.domain)
		self.public_key = self.public_key or f"pk_{secrets.token_hex(12)}"

	def validate(self) -> None:
		if not _PUBLIC_KEY.fullmatch(self.public_key or ""):
			frappe.throw(_("The public key is made automatically: leave it empty."))
		self.not_found_url = web_address(self.not_found_url, "Not-found URL", own_hosts() | {self.domain})
		self.allowed_origins = "\n".join(_host(hosts.of_origin, line) for line in lines(self.allowed_origins))
		self._check_script_options()
		if "</" in (self.custom_css or ""):
			frappe.throw(_("The custom CSS must not hold HTML."))
		self._check_headers()
		self._apply_privacy_level()
		self._check_primary()

	def on_update(self) -> None:
		before = self.get_doc_before_save()
		if cint(self.is_primary):
			make_primary(self.name)
		elif before and cint(before.is_primary):
			make_primary(None)
		forget_config()
		if not before or before.ssl_enabled != self.ssl_enabled or before.is_primary != self.is_primary:
			enqueue_rebuild("domain", self.name, self.modified)

	def on_trash(self) -> None:
		if cint(self.is_primary):
			make_primary(None)

	def after_delete(self) -> None:
		forget_config()

	def _check_script_options(self) -> None:
		self.tracking_settings = stored_json(self.tracking_settings, "Script Options")
		try:
			checked(frappe.parse_json(self.tracking_settings) or {})
		except OptionError as error:
			frappe.throw(f"{_('Script Options')}: {_(str(error))}")

	def _check_headers(self) -> None:
		for row in self.headers:
			row.header_name = (row.header_name or "").strip()
			row.header_value = (row.header_value or "").strip(" \t")
			if not _HEADER_NAME.fullmatch(row.header_name):
				frappe.throw(_("{0} is not the name of a header.").format(row.header_name))
			if row.header_name.lower() in FORBIDDEN_HEADERS:
				frappe.throw(_("The header {0} cannot be set here.").format(row.header_name))
			if not _HEADER_VALUE.fullmatch(row.header_value):
				frappe.throw(
					_("The value of {0} holds line breaks or characters that no header can carry.").format(
						row.header_name
					)
				)

	def _apply_privacy_level(self) -> None:
		if not self.privacy_level:
			gdpr = cint(frappe.db.get_single_value("TrackFlow Settings", "gdpr_compliance_enabled"))
			self.privacy_level = GDPR if gdpr else STANDARD
		if self.privacy_level == GDPR:
			self.hash_address = 1
		if self.privacy_level == HIPAA:
			self.collect_address = 0

	def _check_primary(self) -> None:
		if cint(self.is_primary) and not cint(self.enabled):
			frappe.throw(_("The primary domain must be enabled."))


def make_primary(name: str | None) -> None:
	"""Make this domain, and no other, the primary one, or none at all; the settings say so too."""
	table = frappe.qb.DocType("Domain Configuration")
	frappe.qb.update(table).set(table.is_primary, 0).where(
		(table.is_primary == 1) & (table.name != (name or ""))
	).run()
	if name:
		frappe.qb.update(table).set(table.is_primary, 1).where(table.name == name).run()
	frappe.clear_document_cache("Domain Configuration")
	frappe.db.set_single_value("TrackFlow Settings", "default_shortlink_domain", name, update_modified=False)


def _host(normalise, text: str | None) -> str:
	try:
		return normalise(text)
	except hosts.HostError as error:
		frappe.throw(_(str(error)))
