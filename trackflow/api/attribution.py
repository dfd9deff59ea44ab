"""What attribution found and why, for people who may read credits or, for the reasons, visitors' data (ATT-6, ATT-7, ROL-P)."""

from typing import Any

import frappe
from frappe import _

from trackflow.attribution import comparing, telling_paths
from trackflow.attribution import explain as explanations
from trackflow.attribution.explanation import SHOWN
from trackflow.day_range import day_range
from trackflow.integrations import crm_deal, crm_lead, explained, visitor_reference
from trackflow.paging import LIMIT, MOST, limit_of
from trackflow.validation import plain_text, readable, whole_number, within

Row = dict[str, Any]

MOST_SHOWN = 1000


@frappe.whitelist(methods=["GET"])
def explain(
	conversion: str = "", lead: str = "", deal: str = "", model: str = "", limit: int | str = SHOWN
) -> Row:
	"""Why each touch has its credit for a conversion, a lead or a deal, in numbers and in words: under the default model, the
	one of that name, or "all" active ones. Of a long journey the `limit` touches that get most are told one by one (1,000 at
	most), the others together. Where there is no conversion, `words` say why."""
	names = [plain_text(one, "reference") for one in (conversion, lead, deal)]
	model, most = plain_text(model, "model"), whole_number(limit, "limit")
	within(most, 1, MOST_SHOWN, "limit")
	if len([one for one in names if one]) != 1:
		frappe.throw(_("Name one conversion, lead or deal."))
	conversion, lead, deal = names
	if conversion:
		frappe.has_permission("Visitor", "read", throw=True)
		return explanations.of_conversion(readable("Conversion", conversion).name, model, most)
	module = crm_lead if lead else crm_deal
	module.check(lead or deal, visitor_reference.permission_for_data())
	return explained.of_lead(lead, model, most) if lead else explained.of_deal(deal, model, most)


@frappe.whitelist(methods=["GET"])
def compare_models(
	from_date: str | None = None,
	to_date: str | None = None,
	group_by: str = comparing.CHANNEL,
	conversion_type: str | None = None,
	figure: str = comparing.CONVERSIONS,
	by_position: int | str = 0,
) -> dict[str, Any]:
	"""All active models side by side by channel, campaign, link, source, medium, platform or position (ATT-7), of the conversions
	of a range of days, the last 30 by default; of one type, else of those that the settings count and value. The groups with
	most conversions are told apart, or with most value where that is the `figure`; `by_position` (0 or 1) tells apart in each
	of them where in the journey the touches were."""
	frappe.has_permission("Attribution Link", "read", throw=True)
	kind = plain_text(conversion_type, "conversion_type")
	positions = whole_number(by_position, "by_position")
	within(positions, 0, 1, "by_position")
	return comparing.comparison_answer(
		*day_range(from_date, to_date), group_by, kind, figure, bool(positions)
	)


@frappe.whitelist(methods=["GET"])
def get_paths(
	from_date: str | None = None,
	to_date: str | None = None,
	limit: int | str = LIMIT,
	conversion_type: str | None = None,
	model: str | None = None,
) -> dict[str, Any]:
	"""The paths that conversions of a range of days came by (ATT-7): the `limit` most common ones (100 at most), lengths,
	times, and what each channel assisted in. A model gives window and names of channels, the default one if none is named."""
	for doctype in ("Attribution Link", "Conversion", "Touch Point"):
		frappe.has_permission(doctype, "read", throw=True)
	number = limit_of(limit, MOST)
	kind, name = plain_text(conversion_type, "conversion_type"), plain_text(model, "model")
	return telling_paths.paths_answer(*day_range(from_date, to_date), number, kind, name)
