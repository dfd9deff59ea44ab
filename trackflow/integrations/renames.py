"""Takes along what is kept by a document's name when it is renamed: tracking data of CRM documents, the names of campaigns on
CRM documents.

Its name is kept as text, which Frappe does not follow; where it is a Dynamic Link Frappe may not either: it remembers for
hours which DocTypes a field leads to, and rows that were written in bulk told it nothing.
"""

from collections.abc import Mapping

import frappe

# Where the name of a campaign is kept as text, since a campaign may be one that only an address names.
CAMPAIGN_NAMES = {
	"CRM Lead": "trackflow_campaign",
	"CRM Deal": "trackflow_campaign",
	"CRM Organization": "trackflow_last_campaign",
	"Lead Status Change": "source_campaign",
	"Deal Stage Change": "campaign",
}


def rename(doctype: str, columns: Mapping[str, str], old: str, new: str) -> None:
	"""Write `new` for `old` where a document of `doctype` is meant: in one column of each of `columns`' DocTypes, and as
	the source of conversions."""
	_write(columns, old, new)
	conversion = frappe.qb.DocType("Conversion")
	is_source = (conversion.source_doctype == doctype) & (conversion.source_name == old)
	frappe.qb.update(conversion).set(conversion.source_name, new).where(is_source).run()


def rename_campaign(old: str, new: str) -> None:
	"""Write `new` for `old` wherever leads, deals, organizations and their changes of status say which campaign brought them."""
	_write(
		{
			holder: column
			for holder, column in CAMPAIGN_NAMES.items()
			if frappe.db.exists("DocType", holder) and frappe.get_meta(holder).has_field(column)
		},
		old,
		new,
	)


def _write(columns: Mapping[str, str], old: str, new: str) -> None:
	for holder, column in columns.items():
		table = frappe.qb.DocType(holder)
		frappe.qb.update(table).set(table[column], new).where(table[column] == old).run()
