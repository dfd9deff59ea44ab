"""Offline conversions for advertising platforms: looked at, and exported (ATT-8). What leaves tells of visitors, so it is for those
who may read all of TrackFlow's data."""

from typing import Any

import frappe

from trackflow.access import limits
from trackflow.day_range import day_range
from trackflow.offline import exports
from trackflow.privacy import reads
from trackflow.validation import plain_text

Row = dict[str, Any]


@frappe.whitelist(methods=["GET"])
def preview(
	platform: str = "",
	from_date: str | None = None,
	to_date: str | None = None,
	conversion_type: str = "",
	action: str = "",
) -> Row:
	"""How many conversions of these days an export for Google Ads, Meta or LinkedIn would hold, and how many it would not, by
	reason. Nothing is stored."""
	return exports.preview(_asked(platform, from_date, to_date, conversion_type, action))


@frappe.whitelist(methods=["POST"])
def create(
	platform: str = "",
	from_date: str | None = None,
	to_date: str | None = None,
	conversion_type: str = "",
	action: str = "",
) -> Row:
	"""Export them: answers the export's name, counts, and the address of its private file. `action` is what the platform knows
	these conversions by, their type where it is empty; for LinkedIn the number of a conversion rule."""
	name = exports.create(_asked(platform, from_date, to_date, conversion_type, action))
	reads.note(exports.EXPORT, name)
	return exports.outcome(name)


def _asked(
	platform: str, from_date: str | None, to_date: str | None, conversion_type: str, action: str
) -> exports.Wanted:
	limits.guard("management")
	frappe.has_permission(exports.EXPORT, "export", throw=True)
	texts = [
		plain_text(value, name)
		for name, value in (("platform", platform), ("conversion_type", conversion_type), ("action", action))
	]
	return exports.wanted(texts[0], *day_range(from_date, to_date), *texts[1:])
