"""The scenery of the demo story: domain, campaigns, links, and a user who may sell. Made once, found again later."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import frappe

from trackflow.demo.people import SHOP

USER = "trackflow-demo@example.com"
LOST_REASON = "Demo: no budget"
CAMPAIGNS = {
	"Demo Newsletter": {"source": "newsletter", "medium": "email", "budget": 500, "platform": "Mailing tool"},
	"Demo Poster": {"source": "poster", "medium": "offline", "budget": 300, "platform": "Printer"},
}
# Addresses are paths of the shop.
LINKS = {
	"demo-mail": {
		"title": "Demo: newsletter of spring",
		"campaign": "Demo Newsletter",
		"target_url": "/products?color=green#new",
		"variants": [
			{"variant_name": "Long page", "destination_url": "/products?view=long", "weight": 50},
			{"variant_name": "Short page", "destination_url": "/products?view=short", "weight": 50},
		],
	},
	"demo-poster": {"title": "Demo: poster at the station", "campaign": "Demo Poster", "target_url": "/"},
}


@dataclass(frozen=True, slots=True)
class Stage:
	"""What the story needs to know of its scenery: the shop's address and public key, the demo user's API token."""

	shop: str
	public_key: str
	token: str


def has_crm() -> bool:
	return "crm" in frappe.get_installed_apps()


def prepare(shop: str = SHOP) -> Stage:
	"""Make what is missing, for a website at `shop` (scheme and host); links lead there from now on."""
	for name, values in CAMPAIGNS.items():
		_ensure("Link Campaign", name, {"campaign_name": name, "status": "Active", **values})
	host = urlsplit(shop).netloc
	domain = _ensure(
		"Domain Configuration", host, {"domain": host, "privacy_level": "GDPR", "consent_required": 1}
	)
	for code, values in LINKS.items():
		_ensure_link(code, values, shop)
	if has_crm() and frappe.db.exists("DocType", "CRM Lost Reason"):
		_ensure("CRM Lost Reason", LOST_REASON, {"lost_reason": LOST_REASON})
	return Stage(shop=shop, public_key=domain.public_key, token=_token())


def _ensure_link(code: str, values: dict[str, Any], shop: str) -> None:
	"""Make the link, or lead the one that is there to `shop`; its counts stay."""
	name = frappe.db.get_value("Tracked Link", {"short_code": code})
	new = {"doctype": "Tracked Link", "short_code": code, **values}
	link = frappe.get_doc("Tracked Link", name) if name else frappe.get_doc(new)
	link.target_url = shop + values["target_url"]
	for row, variant in zip(link.variants, values.get("variants", []), strict=False):
		row.destination_url = shop + variant["destination_url"]
	link.save()


def _ensure(doctype: str, name: str, values: dict) -> "frappe.model.document.Document":
	if frappe.db.exists(doctype, name):
		return frappe.get_doc(doctype, name)
	return frappe.get_doc({"doctype": doctype, **values}).insert()


def _token() -> str:
	"""The API token of the demo user, who sells and enters costs."""
	if not frappe.db.exists("User", USER):
		user = {"doctype": "User", "email": USER, "first_name": "TrackFlow Demo", "send_welcome_email": 0}
		frappe.get_doc(user).insert()
	user = frappe.get_doc("User", USER)
	user.add_roles("TrackFlow Manager", *(("Sales User", "Sales Manager") if has_crm() else ()))
	secret = user.get_password("api_secret", raise_exception=False) if user.api_key else None
	if not secret:
		secret = frappe.generate_hash(length=20)
		user.api_key, user.api_secret = frappe.generate_hash(length=15), secret
		user.save()
	return f"{user.api_key}:{secret}"
