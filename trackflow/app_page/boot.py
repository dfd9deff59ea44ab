"""What the app at /trackflow is told before it asks for anything: who the user is and what they may do, how the site writes days
and amounts, what can be chosen on many of its pages.

No figures and nothing of visitors: whatever it says is the user's own, or settings that the user may read.
"""

from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe.defaults import get_defaults_for
from frappe.permissions import get_role_permissions
from frappe.sessions import get_csrf_token
from frappe.utils import cint, get_system_timezone, get_url_to_list

import trackflow
from trackflow.analytics import visitor_list
from trackflow.attribution.comparing import active_models
from trackflow.integrations import attributed
from trackflow.links.addresses import short_url

Row = dict[str, Any]

# What the app has pages or actions for.
DOCTYPES = (
	"Attribution Link",
	"Attribution Model",
	"Click Event",
	"Conversion",
	"Conversion Export",
	"Cost Import",
	"Cost Import Mapping",
	"Daily Campaign Metric",
	"Daily Rollup",
	"Deal Attribution",
	"Domain Configuration",
	"Link Campaign",
	"Link Template",
	"Touch Point",
	"Tracked Link",
	"TrackFlow API Key",
	"TrackFlow Exchange Rate",
	"TrackFlow Settings",
	"Visitor",
	"Visitor Event",
	"Visitor Session",
	"Waste Acknowledgement",
	"Webhook Delivery",
)
RIGHTS = ("read", "write", "create", "delete", "export")


def boot() -> Row:
	"""For the user of the session, who is not a guest."""
	return {
		**_user(),
		"csrf_token": get_csrf_token(),
		"version": trackflow.__version__,
		"language": frappe.local.lang or "en",
		"may": may(),
		"tells_contacts": visitor_list.tells_contacts(),
		"formats": _formats(),
		"desk": desk_path(),
		"crm": crm_path(),
		"reporting_currency": frappe.get_cached_doc("TrackFlow Settings").reporting_currency,
		"default_model": frappe.get_cached_doc("TrackFlow Settings").default_attribution_model,
		"models": _models(),
		"domains": (domains := _domains()),
		# What stands before a short code, by the link's domain; "" for links that name none.
		"short_urls": {name: short_url("", name) for name in ("", *(row.name for row in domains))},
	}


def may() -> dict[str, list[str]]:
	"""The rights that the user's roles give, by DocType; the methods check again what they are asked for."""
	found = {doctype: get_role_permissions(doctype) for doctype in DOCTYPES}
	rights_of = {
		doctype: [right for right in RIGHTS if rights.get(right)] for doctype, rights in found.items()
	}
	# Of CRM's those that the app has lists of, for fewer people than CRM's own.
	for kind in filter(attributed.may_list, attributed.KINDS):
		rights_of[kind.doctype] = [
			right for right in ("read", "write") if frappe.has_permission(kind.doctype, right)
		]
	return rights_of


def desk_path() -> str:
	"""/app or /desk, as the version of Frappe has it."""
	return "/" + urlsplit(get_url_to_list("Tracked Link")).path.strip("/").partition("/")[0]


def crm_path() -> str | None:
	"""Where Frappe CRM is on this site, if the user may go there: as it tells Frappe's app switcher."""
	if "crm" not in frappe.get_installed_apps():
		return None
	for app in frappe.get_hooks("add_to_apps_screen", app_name="crm"):
		if not (check := app.get("has_permission")) or frappe.get_attr(check)():
			return app["route"]
	return None


def _user() -> Row:
	fields = ["full_name", "user_image", "time_zone"]
	user = frappe.db.get_value("User", frappe.session.user, fields, as_dict=True)
	site = get_system_timezone()
	return {
		"user": frappe.session.user,
		"full_name": user.full_name or frappe.session.user,
		# The page's policy lets no other server's pictures in.
		"user_image": user.user_image if (user.user_image or "").startswith("/") else None,
		"time_zone": {"site": site, "user": user.time_zone or site},
	}


def _formats() -> Row:
	# What somebody has of their own goes before the site's, as in the desk.
	own = get_defaults_for(frappe.session.user)

	def get(setting: str) -> str | None:
		return own.get(setting) or frappe.get_system_settings(setting)

	return {
		"date": get("date_format") or "yyyy-mm-dd",
		"time": get("time_format") or "HH:mm:ss",
		"number": get("number_format") or "#,###.##",
		"first_day_of_week": get("first_day_of_the_week") or "Sunday",
		"currency_precision": cint(get("currency_precision")) or None,
	}


def _domains() -> list[Row]:
	if not frappe.has_permission("Domain Configuration", "read"):
		return []
	return frappe.get_list("Domain Configuration", fields=["name", "project"], order_by="name asc")


def _models() -> list[str]:
	"""Those that credit, the default one first."""
	if not frappe.has_permission("Attribution Link", "read"):
		return []
	return [model.name for model in active_models()]
