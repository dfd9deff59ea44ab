"""The records that a new CRM starts with. Idempotent."""

import json

import frappe

LEAD_STATUSES = (
	("New", "gray"),
	("Contacted", "orange"),
	("Nurture", "blue"),
	("Qualified", "green"),
	("Unqualified", "red"),
	("Junk", "purple"),
)
# status, type, probability, colour
DEAL_STATUSES = (
	("Qualification", "Open", 10, "gray"),
	("Demo/Making", "Ongoing", 25, "orange"),
	("Proposal/Quotation", "Ongoing", 50, "blue"),
	("Negotiation", "Ongoing", 70, "yellow"),
	("Ready to Close", "Ongoing", 90, "purple"),
	("Won", "Won", 100, "green"),
	("Lost", "Lost", 0, "red"),
)
LEAD_SOURCES = (
	"Existing Customer",
	"Reference",
	"Advertisement",
	"Cold Calling",
	"Exhibition",
	"Campaign",
	"Walk In",
)
LOST_REASONS = ("Pricing", "Competition", "Budget Constraints", "Missing Features", "Poor Fit", "Other")
ROLES = ("Sales User", "Sales Manager")

# (DocType, kind of layout) → section → its fields
LAYOUTS = {
	("CRM Lead", "Side Panel"): {
		"Details": ["organization", "website", "territory", "industry", "job_title", "source", "lead_owner"],
		"Person": ["first_name", "last_name", "email", "mobile_no"],
	},
	("CRM Deal", "Side Panel"): {
		"Organization Details": [
			"organization",
			"website",
			"territory",
			"annual_revenue",
			"probability",
			"deal_owner",
		],
	},
	("CRM Organization", "Side Panel"): {
		"Details": ["organization_name", "website", "territory", "industry", "no_of_employees"],
	},
	("CRM Lead", "Data Fields"): {"Details": ["organization", "industry", "lead_owner", "website", "source"]},
	("CRM Deal", "Data Fields"): {"Details": ["organization", "annual_revenue", "next_step", "closed_date"]},
}


def after_install() -> None:
	for role in ROLES:
		insert_if_missing("Role", role, role_name=role)
	for position, (status, color) in enumerate(LEAD_STATUSES, start=1):
		insert_if_missing("CRM Lead Status", status, lead_status=status, color=color, position=position)
	for position, (status, type_, probability, color) in enumerate(DEAL_STATUSES, start=1):
		insert_if_missing(
			"CRM Deal Status",
			status,
			deal_status=status,
			type=type_,
			probability=probability,
			color=color,
			position=position,
		)
	for source in LEAD_SOURCES:
		insert_if_missing("CRM Lead Source", source, source_name=source)
	for reason in LOST_REASONS:
		insert_if_missing("CRM Lost Reason", reason, lost_reason=reason)
	for (doctype, kind), sections in LAYOUTS.items():
		insert_if_missing(
			"CRM Fields Layout",
			f"{doctype}-{kind}",
			dt=doctype,
			type=kind,
			layout=json.dumps(make_layout(sections)),
		)


def insert_if_missing(doctype: str, name: str, **values: object) -> None:
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)


def make_layout(sections: dict[str, list[str]]) -> list[dict]:
	"""A layout as CRM stores it: sections of columns of field names."""
	return [
		{
			"label": label,
			"name": f"{frappe.scrub(label)}_section",
			"opened": True,
			"columns": [{"name": f"{frappe.scrub(label)}_column", "fields": fields}],
		}
		for label, fields in sections.items()
	]
