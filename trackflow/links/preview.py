"""What a link would be before it is saved (UI-1): where it leads, its short URL and QR code, and what is wrong with it.

Stores nothing. Goes by what saving goes by (the checks of rows of many, `codes`, `link_parameters`, `destination`), but tells of a link
that is half typed all that can be told.
"""

import base64
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import cint, get_system_timezone

from trackflow.links import codes, destination, qr
from trackflow.links.addresses import own_hosts, scan_url, short_url
from trackflow.links.bulk_create import DOCTYPE, Known
from trackflow.links.csv_formats import Row, convert
from trackflow.links.parameters import link_parameters
from trackflow.validation import json_object, parsed

# What a preview depends on; of an existing link whatever is not sent is as it is stored.
_DEPENDS_ON = (
	"target_url", "short_code", "domain", "campaign", "campaign_id", "source", "medium", "content", "term",
	"additional_parameters",
)  # fmt: skip
# With six characters of 31 and a million links, one code in 900 is taken: of so many hardly ever all.
CODES_MADE = 4
QR = qr.Style(format="svg", size=256)


def preview(link: Any, link_name: str = "") -> dict[str, Any]:
	"""Of a new link's values by field name, or of changes to a link that the user may write. Where no code was chosen, `short_code` is
	one that is free now, for the caller to send along when the link is saved."""
	row = Row(1, {**_stored(link_name), **_values(link)})
	convert(row, ZoneInfo(get_system_timezone()))
	known = Known.of([row.values])
	unread = {field for field, _text in row.errors}
	errors = [*row.errors, *(one for one in known.problems(row.values) if one[0] not in unread)]
	wrong = {field for field, _text in errors}
	# Of a row that holds what no text can hold, nothing is looked at.
	values = {} if "" in wrong else {name: row.values[name] for name in row.values.keys() - wrong}
	code = None if "short_code" in wrong else _code(values.get("short_code"), link_name, errors)
	campaign = known.documents["campaign"].get(values.get("campaign"), {})
	led_to, kept = _destination(values, campaign, errors)
	return {
		"short_code": code,
		"short_url": code and short_url(code, values.get("domain")),
		"qr_code": code and _picture(scan_url(code, values.get("domain"))),
		"destination_url": led_to,
		"errors": [{"field": field, "message": text} for field, text in errors],
		"warnings": [
			{"field": "target_url", "message": _("The target has {0} itself, and keeps it.").format(name)}
			for name in kept
		],
	}


def _stored(link_name: str) -> dict[str, Any]:
	if not link_name:
		return {}
	doc = frappe.get_doc(DOCTYPE, link_name)
	doc.check_permission("write")
	return {field: doc.get(field) for field in _DEPENDS_ON}


def _values(link: Any) -> dict[str, Any]:
	values = parsed(link, "link")
	if not isinstance(values, Mapping):
		frappe.throw(_("link must be an object such as {0}.").format('{"target_url": "https://…"}'))
	return dict(values)


def _code(chosen: Any, link_name: str, errors: list[tuple[str, str]]) -> str | None:
	"""The chosen code where it is free, else one that was made; None where there is neither."""
	wanted = [codes.normalise(str(chosen or ""))]
	if not wanted[0]:
		settings = frappe.get_cached_doc("TrackFlow Settings")
		if not cint(settings.auto_generate_short_codes):
			errors.append(
				("short_code", _("Type a short code, or let the settings make them automatically."))
			)
			return None
		length = cint(settings.short_code_length) or codes.DEFAULT_LENGTH
		wanted = [codes.make_code(length) for _number in range(CODES_MADE)]
	taken = frappe.get_all(
		DOCTYPE,
		filters={"short_code": ("in", wanted), "name": ("!=", link_name)},
		pluck="short_code",
		order_by="name",
	)
	free = next((code for code in wanted if code not in taken), None)
	if free is None:
		errors.append(("short_code", _("The short code {0} is already in use.").format(wanted[0])))
	return free


def _destination(
	values: Mapping[str, Any], campaign: Mapping[str, Any], errors: list[tuple[str, str]]
) -> tuple[str | None, list[str]]:
	"""What visitors would get, and the parameters that are not added, since the target has them."""
	target = str(values.get("target_url") or "").strip()
	if not target:
		return None, []
	try:
		destination.check(target, own_hosts())
	except destination.DestinationError as error:
		errors.append(("target_url", _(str(error))))
		return None, []
	try:
		more = json_object(values.get("additional_parameters"), "Additional Parameters")
	except frappe.ValidationError as error:
		frappe.clear_last_message()
		errors.append(("additional_parameters", str(error)))
		return None, []
	try:
		parameters = link_parameters({**values, "additional_parameters": more}, campaign)
		return destination.build(target, parameters), destination.kept(target, parameters)
	except destination.DestinationError as error:
		errors.append(("additional_parameters", _(str(error))))
		return None, []


def _picture(text: str) -> str:
	"""The QR code as the address of an image."""
	return f"data:{qr.FORMATS['svg']};base64,{base64.b64encode(qr.render(text, QR)).decode()}"
