"""Fills in what versions before 0.2 did not keep with changes of status: the lead of a deal, and what brought either."""

import frappe

from trackflow.integrations import status_changes, visitor_reference

DOCUMENTS = {"CRM Lead": status_changes.LEADS, "CRM Deal": status_changes.DEALS}
AT_ONCE = 1_000


def execute() -> None:
	"""By the documents that there are still and whose data were not erased. Doing it again changes nothing."""
	for doctype, holder in DOCUMENTS.items():
		if frappe.db.exists("DocType", doctype):
			_fill(doctype, holder)


def _fill(doctype: str, holder: str) -> None:
	table, meta = frappe.qb.DocType(doctype), frappe.get_meta(doctype)
	if not meta.has_field(visitor_reference.FIELD):
		return
	fields = [field for field in status_changes.fields_of(holder) if meta.has_field(field)]
	query = (
		frappe.qb.from_(table)
		.select(table.name, table[visitor_reference.FIELD], *(table[field] for field in fields))
		.orderby(table.name)
		.limit(AT_ONCE)
	)
	last = ""
	while some := query.where(table.name > last).run(as_dict=True):
		last = some[-1].name
		status_changes.follow(
			holder,
			{
				row.name: {field: row[field] for field in fields}
				for row in some
				if row[visitor_reference.FIELD] != visitor_reference.ERASED
			},
		)
		frappe.db.commit()
