"""A campaign: names the parameters of its links and collects their figures. Its status never stops a link."""

import re
import unicodedata

import frappe
from frappe import _
from frappe.model import no_value_fields
from frappe.utils import flt, getdate

from trackflow import bulk
from trackflow.costs import campaigns
from trackflow.integrations.renames import rename_campaign
from trackflow.links.parameters import CAMPAIGN_FIELDS
from trackflow.links.rebuild import enqueue_rebuild
from trackflow.rollups import marks
from trackflow.setup.indexes import add_indexes
from trackflow.trackflow.doctype.figures import FIGURES, CountedDocument
from trackflow.trackflow.doctype.waste_acknowledgement.waste_acknowledgement import follow_campaign
from trackflow.webhooks import messages, outbox

INDEXES = {
	"idx_link_campaign_external": ("external_campaign_id",),
	"idx_link_campaign_status": ("status",),
}

# Where credits are booked, and what spend is held to.
ROLLUPS_DEPEND_ON = (
	"platform",
	"external_adset_id",
	"external_ad_id",
	"currency",
	"target_cpa",
	"target_roas",
)

_CAMPAIGN_ID = re.compile(r"[a-z0-9_-]{1,140}")
# Room for the number behind a slug that is taken.
_SLUG_LENGTH = 130


class LinkCampaign(CountedDocument):
	def validate(self) -> None:
		self._set_campaign_id()
		if self.start_date and self.end_date and getdate(self.end_date) < getdate(self.start_date):
			frappe.throw(_("The campaign would end before it starts."))
		self.currency = self.currency or frappe.db.get_single_value(
			"TrackFlow Settings", "reporting_currency"
		)

	def on_update(self) -> None:
		if self.get_doc_before_save() and any(self.has_value_changed(field) for field in CAMPAIGN_FIELDS):
			enqueue_rebuild("campaign", self.name, self.modified)
		if any(self.has_value_changed(field) for field in campaigns.FIELDS):
			campaigns.queue_join(self)
		if self.get_doc_before_save() and any(self.has_value_changed(field) for field in ROLLUPS_DEPEND_ON):
			marks.mark_campaign(self.name)
		if self.get_doc_before_save() and (changed := self._changed()):
			outbox.tell(
				"campaign.updated", lambda _zone: {self.name: messages.campaign(self.as_dict(), changed)}
			)

	def _changed(self) -> list[str]:
		"""What people changed."""
		before = self.get_doc_before_save()
		fields = [
			df.fieldname
			for df in self.meta.fields
			if df.fieldtype not in no_value_fields and not df.is_virtual
		]
		return [
			name
			for name in fields
			if name not in FIGURES[self.doctype] and not bulk.same({name: self.get(name)}, before)
		]

	def on_trash(self) -> None:
		marks.mark_campaign(self.name)

	def after_rename(self, old: str, new: str, merge: bool = False) -> None:
		# What redirects remember of the links names the campaign.
		enqueue_rebuild("campaign", new, self.modified)
		rename_campaign(old, new)
		follow_campaign(old, new)
		campaigns.queue_join(self)
		marks.mark_campaign(old)

	@property
	def conversion_rate(self) -> float | None:
		return _percent(flt(self.conversions), self.total_clicks)

	@property
	def cost_per_click(self) -> float | None:
		return _ratio(self._money("spend"), self.total_clicks)

	@property
	def cost_per_acquisition(self) -> float | None:
		return _ratio(self._money("spend"), self.conversions)

	@property
	def roi_percentage(self) -> float | None:
		spend, revenue = self._money("spend"), self._money("revenue")
		return None if spend is None or revenue is None else _percent(revenue - spend, spend)

	def _money(self, field: str) -> float | None:
		"""None where a part of it is not known."""
		return None if self.figures_notice else flt(self.get(field))

	def _set_campaign_id(self) -> None:
		self.campaign_id = (self.campaign_id or "").strip().lower()
		if not self.campaign_id:
			self.campaign_id = self._free_slug()
		elif not _CAMPAIGN_ID.fullmatch(self.campaign_id):
			frappe.throw(_("The campaign ID may hold the letters a to z, digits, - and _ only."))

	def _free_slug(self) -> str:
		"""The name as a slug, with a number behind it where another campaign has it already."""
		slug = slug_of(self.campaign_name) or f"campaign-{frappe.generate_hash(length=6)}"
		taken = frappe.get_all(
			"Link Campaign",
			{"campaign_id": ("like", f"{slug}%"), "name": ("!=", self.name or "")},
			pluck="campaign_id",
			order_by="campaign_id",
		)
		number = 1
		while (candidate := slug if number == 1 else f"{slug}-{number}") in taken:
			number += 1
		return candidate


def _ratio(part: float | None, whole: float | None) -> float | None:
	"""None where there is nothing to divide by."""
	return part / flt(whole) if part is not None and flt(whole) else None


def _percent(part: float | None, whole: float | None) -> float | None:
	share = _ratio(part, whole)
	return None if share is None else share * 100


def slug_of(name: str) -> str:
	"""`Frühling 2026!` becomes `fruhling-2026`; a name without any Latin letter or digit becomes nothing."""
	plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
	return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:_SLUG_LENGTH]


def on_doctype_update() -> None:
	add_indexes("Link Campaign", INDEXES)
