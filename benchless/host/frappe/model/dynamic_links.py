"""Which DocTypes are linked to dynamically, and from which fields."""

import frappe


def get_dynamic_links() -> list[frappe._dict]:
	"""All Dynamic Link fields, custom ones included."""
	filters = {"fieldtype": "Dynamic Link"}
	fields = ["fieldname", "options"]
	return frappe.get_all(
		"DocField", filters=filters, fields=["parent", *fields], order_by="name asc"
	) + frappe.get_all("Custom Field", filters=filters, fields=["dt as parent", *fields], order_by="name asc")


def get_dynamic_link_map(for_delete: bool = False) -> dict[str, list[frappe._dict]]:
	"""Fields by the DocType that they link to at present; fields of singles by the single."""
	found: dict[str, list[frappe._dict]] = {}
	for field in get_dynamic_links():
		if not frappe.db.exists("DocType", field.parent):
			continue
		if frappe.get_meta(field.parent).issingle:
			target = frappe.db.get_singles_dict(field.parent).get(field.options)
			targets = [target] if target else []
		elif frappe.db.table_exists(field.parent):
			table = frappe.qb.DocType(field.parent)
			targets = frappe.qb.from_(table).select(table[field.options]).distinct().run(pluck=True)
		else:
			targets = []
		for target in targets:
			if target:
				found.setdefault(target, []).append(field)
	return found
