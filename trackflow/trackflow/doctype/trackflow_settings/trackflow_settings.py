"""The settings of the site. Saving them drops the snapshot that requests read."""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, flt

from trackflow.attribution.run import queue_rebuild
from trackflow.config import forget_config
from trackflow.links.rebuild import enqueue_rebuild
from trackflow.privacy.archive import settings as archive_settings
from trackflow.rollups import marks
from trackflow.sync import options as sync_options
from trackflow.trackflow.doctype.attribution_model.attribution_model import make_default
from trackflow.trackflow.doctype.domain_configuration.domain_configuration import make_primary
from trackflow.validation import channel_weights, lines, networks, web_address, within
from trackflow.weekly_summary import recipients

# field: (lowest, highest)
RANGES = {
	"short_code_length": (4, 32),
	"session_timeout_minutes": (1, 1440),
	"cookie_expires_days": (1, 3650),
	"attribution_window_days": (1, 3650),
	"engagement_half_life_days": (1, 3650),
	"waste_high_percent": (0, 100),
	"waste_medium_percent": (0, 100),
	"health_late_minutes": (1, 1440),
	"health_error_percent": (0, 100),
	"waste_quiet_days": (0, 365),
	"sync_delay_minutes": (0, 1440),
}


CREDITS_DEPEND_ON = (
	"default_attribution_model", "attribution_window_days", "custom_attribution_settings", "counted_conversion_types",
	"valued_conversion_types",
)  # fmt: skip
ROLLUPS_DEPEND_ON = (
	"reporting_currency", "counted_conversion_types", "valued_conversion_types", "target_cpa", "target_roas",
	"waste_high_amount", "waste_high_percent", "waste_medium_amount", "waste_medium_percent", "waste_least_spend",
)  # fmt: skip


class TrackFlowSettings(Document):
	def validate(self) -> None:
		for field, (lowest, highest) in RANGES.items():
			within(self.get(field), lowest, highest, self.meta.get_label(field))
		self._check_addresses()
		self._check_links()
		self._check_choices()
		self.weekly_summary_recipients = "\n".join(recipients.checked(self.weekly_summary_recipients))
		if cint(self.weekly_summary) and not self.weekly_summary_recipients:
			frappe.throw(_("The weekly summary needs recipients."))
		archive_settings.check(self)
		sync_options.check(self)
		self._check_bounce_account()
		self.custom_attribution_settings = channel_weights(
			self.custom_attribution_settings, "Custom Attribution Settings"
		)
		for field in ("counted_conversion_types", "valued_conversion_types"):
			self.set(field, "\n".join(lines(self.get(field))))
		if flt(self.waste_medium_amount) > flt(self.waste_high_amount):
			frappe.throw(_("Waste of medium severity must begin below that of high severity."))

	def on_update(self) -> None:
		make_default(self.default_attribution_model)
		before = self.get_doc_before_save()
		former = before.default_shortlink_domain if before else None
		if (self.default_shortlink_domain or None) != (former or None):
			make_primary(self.default_shortlink_domain or None)
			enqueue_rebuild("domain", self.default_shortlink_domain or "", self.modified)
		forget_config()
		if before and self._differs(before, CREDITS_DEPEND_ON):
			queue_rebuild(self.modified)
		if before and self._differs(before, ROLLUPS_DEPEND_ON):
			marks.mark_all()

	def _differs(self, before: Document, fields: Iterable[str]) -> bool:
		return any(self.get(field) != before.get(field) for field in fields)

	def _check_addresses(self) -> None:
		for row in self.internal_ip_ranges:
			(row.ip_range,) = networks([row.ip_range or ""], "Internal Addresses")
		for field in ("trusted_proxies", "blocked_addresses"):
			label = self.meta.get_label(field)
			self.set(field, "\n".join(networks(lines(self.get(field)), label)))

	def _check_links(self) -> None:
		for field in ("privacy_policy_link", "cookie_policy_link"):
			address = (self.get(field) or "").strip()
			# A page of this site may be named by its path alone; two slashes would name another host.
			if not (address.startswith("/") and not address.startswith(("//", "/\\"))):
				address = web_address(address, self.meta.get_label(field))
			self.set(field, address)

	def _check_bounce_account(self) -> None:
		account = self.bounce_account
		if not account or not self.has_value_changed("bounce_account"):
			return
		row = frappe.db.get_value("Email Account", account, ["email_server", "enable_incoming"], as_dict=True)
		if row and not row.email_server:
			frappe.throw(_("The Email Account {0} names no server to read mail from.").format(account))
		if row and cint(row.enable_incoming):
			frappe.throw(
				_("Switch off Enable Incoming of {0}: Frappe would take returned mail before.").format(
					account
				)
			)

	def _check_choices(self) -> None:
		model = self.default_attribution_model
		if model and not cint(frappe.db.get_value("Attribution Model", model, "is_active")):
			frappe.throw(_("The default model must be active."))
		domain = self.default_shortlink_domain
		if domain and not cint(frappe.db.get_value("Domain Configuration", domain, "enabled")):
			frappe.throw(_("The primary domain must be enabled."))
