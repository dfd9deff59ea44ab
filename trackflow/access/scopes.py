"""What an API key may ask for, in one table (KEY-1). Pure.

`wanted` says which scope a request of people's API needs, by the function that Frappe's own router found for it and by what that
function will be given. What has no line in the table is closed to keys, whatever their user may do: Frappe's other methods, other
apps, methods of documents, pages. The user's permissions come on top; they are asked by Frappe as always.

A list or a document is asked for by plain names alone. Frappe's lists also follow links into other DocTypes, and what is sent may
name another document to be saved along: a scope would lead beyond itself.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from trackflow.access.api_keys import Refused

READ, WRITE = "read", "write"
# Of a method that any key may call.
ANY_SCOPE = ""


class Noun(NamedTuple):
	"""What the scopes of a noun open: DocTypes that people edit, to read or to write as Frappe's REST does; DocTypes that are
	recorded, to read; reports, to read; whitelisted methods, by their path below the app."""

	doctypes: tuple[str, ...] = ()
	recorded: tuple[str, ...] = ()
	reports: tuple[str, ...] = ()
	reading: tuple[str, ...] = ()
	writing: tuple[str, ...] = ()


TABLE = {
	"links": Noun(
		doctypes=("Link Template", "Tracked Link"),
		reports=("Link Performance",),
		reading=(
			"api.links.export_links",
			"api.links.get_link_analytics",
			"api.links.preview_link",
			"api.links.qr_code",
			"api.links.qr_codes",
		),
		writing=(
			"api.links.create_links",
			"api.links.get_import_progress",
			"api.links.import_links",
			"api.links.make_link",
			"api.links.make_links",
			"api.links.preview_import",
		),
	),
	"campaigns": Noun(
		doctypes=("Campaign Mailing", "Link Campaign"),
		recorded=("Email Campaign Log",),
		reports=("Campaign Performance",),
		reading=("api.campaign.get_campaign_stats", "api.email.get_statistics"),
		# A preview shows a person's values.
		writing=("api.email.pause", "api.email.preview", "api.email.send", "api.email.send_test"),
	),
	"analytics": Noun(
		doctypes=("Attribution Model",),
		recorded=("Attribution Training", "Daily Click Rollup", "Daily Rollup"),
		reports=("Attribution Model Comparison", "Conversion Funnel", "Velocity"),
		reading=(
			"api.analytics.get_overview",
			"api.analytics.realtime",
			"api.analytics.statistics",
			"api.analytics.utm_report",
			"api.attribution.compare_models",
			"api.attribution.get_paths",
		),
	),
	"conversions": Noun(
		recorded=(
			"Attribution Link",
			"Conversion",
			"Conversion Export",
			"Conversion Export Row",
			"Deal Attribution",
			"Deal Link Association",
			"Deal Stage Change",
			"Lead Status Change",
			"Link Conversion",
		),
		reports=("Lead Attribution",),
		reading=(
			"api.attribution.explain",
			"api.conversion.get_conversion",
			"api.conversion.get_conversions",
			"api.conversion.get_summary",
			"api.crm.get_deal",
			"api.crm.get_deals",
			"api.crm.get_lead",
			"api.crm.get_leads",
			"api.exports.preview",
			"integrations.crm_lead.get_lead_tracking_data",
		),
		writing=(
			"api.exports.create",
			"integrations.crm_lead.link_visitor_to_lead",
			"integrations.crm_lead.unlink_visitor_from_lead",
		),
	),
	"costs": Noun(
		doctypes=(
			"Cost Import",
			"Cost Import Mapping",
			"Daily Campaign Metric",
			"TrackFlow Exchange Rate",
			"Waste Acknowledgement",
		),
		recorded=("Cost Import Row",),
		reports=("Spend and Waste",),
		reading=(
			"api.costs.get_import",
			"api.costs.get_imports",
			"api.costs.get_spend",
			"api.waste.get_acknowledgements",
			"api.waste.get_waste",
		),
		writing=(
			"api.costs.import_costs",
			"api.costs.import_rates",
			"api.costs.preview_import",
			"api.costs.read_columns",
			"api.costs.undo_import",
			"api.costs.upsert",
			"api.waste.acknowledge",
			"api.waste.withdraw_acknowledgement",
		),
	),
	# To write is to send events: `tracking.collector` asks for events:write itself.
	"events": Noun(
		recorded=("Click Event", "Touch Point", "Visitor", "Visitor Event", "Visitor Session"),
		reports=("Visitor Journey",),
		reading=(
			"api.analytics.latest_events",
			"api.visitor.get_journey",
			"api.visitor.get_visitor_data",
			"api.visitor.get_visitors",
		),
	),
	"admin": Noun(
		doctypes=("Domain Configuration", "TrackFlow Settings"),
		recorded=(
			"API Request Log",
			"Archive File",
			"CRM Sync Log",
			"Click Queue",
			"Rollup Day",
			"TrackFlow Erasure",
			"Webhook Delivery",
		),
		reading=(
			"api.crm_sync.get_sync",
			"api.domains.check_website",
			"api.domains.get_script_tag",
			"api.health.get_metrics",
			"api.settings.get_settings",
			"api.summary.preview_weekly_summary",
			"api.webhooks.get_deliveries",
			"api.webhooks.get_webhooks",
		),
		# A person's whole data is nothing for who looks after the site, such as a monitoring.
		writing=(
			"api.crm_sync.check_fields",
			"api.crm_sync.preview_sync",
			"api.crm_sync.save_sync",
			"api.privacy.erase",
			"api.privacy.export",
			"api.privacy.preview",
			"api.settings.save_settings",
			# Not where webhooks go, nor their secret: a key that could say so would be a key to all that is told.
			"api.webhooks.redeliver",
			"api.webhooks.resume_webhook",
			"api.webhooks.test_webhook",
			"trackflow.doctype.click_queue.click_queue.retry",
			"trackflow.doctype.crm_sync_log.crm_sync_log.retry",
		),
	),
}
# Methods that give out rows of what an argument names: the scope is that of the rows.
BY_ARGUMENT = {
	"trackflow.api.analytics.export": (
		"what",
		{
			"clicks": "events:read",
			"sessions": "events:read",
			"events": "events:read",
			"touches": "events:read",
			"conversions": "conversions:read",
			"credits": "conversions:read",
			"links": "links:read",
		},
	),
}
# Frappe's, by which a program sees whether its key works, and as whom.
FOR_ANY_KEY = ("frappe.auth.get_logged_user",)

SCOPES = tuple(f"{noun}:{what}" for noun in TABLE for what in (READ, WRITE))
NOUNS = {doctype: noun for noun, opened in TABLE.items() for doctype in (*opened.doctypes, *opened.recorded)}
EDITED = frozenset(doctype for opened in TABLE.values() for doctype in opened.doctypes)
REPORTS = {report: f"{noun}:{READ}" for noun, opened in TABLE.items() for report in opened.reports}
METHODS = (
	dict.fromkeys(FOR_ANY_KEY, ANY_SCOPE)
	| {f"trackflow.{one}": f"{noun}:{READ}" for noun, opened in TABLE.items() for one in opened.reading}
	| {f"trackflow.{one}": f"{noun}:{WRITE}" for noun, opened in TABLE.items() for one in opened.writing}
)

Given = Mapping[str, Any]

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,139}")
_ORDER = re.compile(
	rf"\s*{_NAME.pattern}(\s+(asc|desc))?(\s*,\s*{_NAME.pattern}(\s+(asc|desc))?)*\s*", re.IGNORECASE
)
_OPERATORS = frozenset(
	{"=", "!=", "<", ">", "<=", ">=", "like", "not like", "in", "not in", "is", "between", "timespan"}
)
_FILTERS = ("filters", "or_filters")
_LIST = frozenset(
	{"fields", *_FILTERS, "order_by", "limit", "start", "limit_start", "limit_page_length", "as_dict"}
)
# In a document these are no fields: Frappe would take them for something else to be done, or saved along.
_NO_FIELDS = frozenset(
	{"as_dict", "cmd", "data", "flags", "parent", "parent_doc", "parentfield", "parenttype", "run_method"}
)


class Asked(NamedTuple):
	"""A request as Frappe's router sees it: the function that will answer, by its dotted path, what the address gave it, and the
	arguments of the request. `is_json` says whether these came as the JSON of its body, or it has none."""

	function: str
	place: Mapping[str, str]
	given: Given
	is_json: bool = True


def wanted(asked: Asked) -> str:
	"""The scope that a request needs, ANY_SCOPE where every key may. Raises Refused for what no key may ask, or not so."""
	if "cmd" in asked.given:
		raise _closed()
	package, _dot, name = asked.function.rpartition(".")
	if package not in ("frappe.api.v1", "frappe.api.v2"):
		raise _closed()
	if name == "handle_rpc_call":
		return _of_method(asked)
	if name not in _REST:
		raise _closed()
	doctype = asked.place.get("doctype", "")
	scope = _of_doctype(doctype, READ if name in ("document_list", "read_doc") else WRITE)
	_REST[name](asked, doctype)
	return scope


def _of_method(asked: Asked) -> str:
	# Version 2 also finds methods by the last part of their name and a DocType.
	method = asked.place.get("method", "").partition("/")[0] if "doctype" not in asked.place else ""
	if method in METHODS:
		return METHODS[method]
	if method in BY_ARGUMENT:
		argument, scopes = BY_ARGUMENT[method]
		# What is not known is refused by the method itself, in words: whichever scope, it gives nothing out.
		return scopes.get(_text(asked.given, argument), next(iter(scopes.values())))
	if method in _FRAPPES:
		return _FRAPPES[method](asked.given)
	raise _closed()


def _of_doctype(doctype: Any, what: str) -> str:
	if not isinstance(doctype, str) or doctype not in (EDITED if what == WRITE else NOUNS):
		raise _closed()
	return f"{NOUNS[doctype]}:{what}"


# What Frappe's functions over documents may be given.


def _check_list(asked: Asked, doctype: str) -> None:
	_only(asked.given, _LIST)
	_check_query(asked.given, doctype)


def _check_nothing(asked: Asked, doctype: str) -> None:
	_only(asked.given, ())


def _check_document(asked: Asked, doctype: str) -> None:
	if not asked.is_json:
		# Frappe reads a body that is called otherwise in more than one way.
		raise _wrong("A document is sent as JSON, with Content-Type: application/json.")
	_check_values(asked.given, doctype)


_REST: dict[str, Callable[[Asked, str], None]] = {
	"document_list": _check_list,
	"read_doc": _check_nothing,
	"create_doc": _check_document,
	"update_doc": _check_document,
	"delete_doc": _check_nothing,
}


def _of_get_list(given: Given) -> str:
	_only(given, {*_LIST, "doctype"})
	_check_query(given, given.get("doctype"))
	return _of_doctype(given.get("doctype"), READ)


def _of_get(given: Given) -> str:
	_only(given, ("doctype", "name"))
	return _of_doctype(given.get("doctype"), READ)


def _of_get_value(given: Given) -> str:
	_only(given, ("doctype", "fieldname", "filters"))
	fields, filters = _parsed(given.get("fieldname")), _parsed(given.get("filters"))
	_check_fields(fields if isinstance(fields, list) else [fields])
	if isinstance(filters, list | Mapping):
		_check_filters(filters, given.get("doctype"))
	return _of_doctype(given.get("doctype"), READ)


def _of_document(given: Given) -> str:
	_only(given, ("doc",))
	doc = _parsed(given.get("doc"))
	if not isinstance(doc, Mapping):
		raise _wrong("doc is a document as JSON, with its doctype.")
	_check_values(doc, doc.get("doctype"))
	return _of_doctype(doc.get("doctype"), WRITE)


def _of_set_value(given: Given) -> str:
	_only(given, ("doctype", "name", "fieldname", "value"))
	field = _parsed(given.get("fieldname"))
	_check_values(field if isinstance(field, Mapping) else {str(field): ""}, given.get("doctype"))
	return _of_doctype(given.get("doctype"), WRITE)


def _of_delete(given: Given) -> str:
	_only(given, ("doctype", "name"))
	return _of_doctype(given.get("doctype"), WRITE)


def _of_report(given: Given) -> str:
	_only(given, ("report_name", "filters"))
	report = _text(given, "report_name")
	if report not in REPORTS:
		raise _closed()
	return REPORTS[report]


_FRAPPES: dict[str, Callable[[Given], str]] = {
	"frappe.client.get_list": _of_get_list,
	"frappe.client.get": _of_get,
	"frappe.client.get_value": _of_get_value,
	"frappe.client.insert": _of_document,
	"frappe.client.save": _of_document,
	"frappe.client.set_value": _of_set_value,
	"frappe.client.delete": _of_delete,
	"frappe.desk.query_report.run": _of_report,
}


def _check_query(given: Given, doctype: Any) -> None:
	if "fields" in given:
		_check_fields(_parsed(given["fields"]))
	order = given.get("order_by")
	if order and not (isinstance(order, str) and _ORDER.fullmatch(order)):
		raise _wrong("order_by is names of fields, each with asc or desc.")
	for name in _FILTERS:
		_check_filters(_parsed(given.get(name)), doctype)


def _check_fields(fields: Any) -> None:
	is_list = isinstance(fields, list)
	if not is_list or not all(
		isinstance(one, str) and (one == "*" or _NAME.fullmatch(one)) for one in fields
	):
		raise _wrong('Fields are a list of plain names, or ["*"].')


def _check_filters(filters: Any, doctype: Any) -> None:
	if isinstance(filters, Mapping):
		filters = [
			[name, *(value if isinstance(value, list) else ("=", value))] for name, value in filters.items()
		]
	if not (
		filters is None or (isinstance(filters, list) and all(_is_filter(one, doctype) for one in filters))
	):
		raise _wrong('Filters are {"field": value} or [["field", "operator", value]], of plain names.')


def _is_filter(filter: Any, doctype: Any) -> bool:
	parts = list(filter) if isinstance(filter, list) else []
	if len(parts) == 4 and parts[0] == doctype:
		parts = parts[1:]
	if len(parts) != 3 or not (isinstance(parts[0], str) and _NAME.fullmatch(parts[0])):
		return False
	values = parts[2] if isinstance(parts[2], list) else [parts[2]]
	is_plain = not any(isinstance(value, list | Mapping) for value in values)
	return is_plain and isinstance(parts[1], str) and parts[1].lower() in _OPERATORS


def _check_values(values: Given, doctype: Any) -> None:
	if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in values):
		raise _wrong("A document has its fields by their plain names.")
	if values.get("doctype", doctype) != doctype or _NO_FIELDS.intersection(values):
		raise _wrong(f"A document has none of: {', '.join(sorted(_NO_FIELDS))}.")


def _only(given: Given, names: Collection[str]) -> None:
	if more := given.keys() - set(names):
		known = ", ".join(sorted(names)) or "none"
		raise _wrong(
			f"With a key these arguments are known here: {known}; not {sorted(map(str, more))[0][:40]}."
		)


def _parsed(value: Any) -> Any:
	"""A value as Frappe reads it: JSON where it is JSON."""
	try:
		return json.loads(value) if isinstance(value, str) else value
	except (ValueError, RecursionError):
		return value


def _text(given: Given, name: str) -> str:
	value = given.get(name)
	return value if isinstance(value, str) else ""


def _closed() -> Refused:
	return Refused(403, "closed", "API keys do not open this.")


def _wrong(text: str) -> Refused:
	return Refused(400, "argument", text)
