"""Forms on the website that make or change documents: what `accept` does with a submission. Their pages are not covered."""

import json
import re

import frappe
from frappe import _
from frappe.model.document import Document


class WebForm(Document):
	def autoname(self) -> None:
		if not self.name:
			self.name = re.sub(r"[^\w]+", "-", self.title.strip().lower()).strip("-")

	def validate(self) -> None:
		if not self.route:
			self.route = self.name
		if not self.module:
			self.module = frappe.db.get_value("DocType", self.doc_type, "module")
		meta = frappe.get_meta(self.doc_type)
		missing = [row.fieldname for row in self.web_form_fields if not meta.has_field(row.fieldname)]
		if missing:
			frappe.throw(_("Following fields are missing:") + "<br>" + "<br>".join(missing))

	def may_write(self, name: str) -> bool:
		"""Whether the user may change this document by the form, whatever its DocType's permissions."""
		user = frappe.session.user
		if user == "Guest":
			return False
		if self.apply_document_permissions:
			return bool(frappe.get_doc(self.doc_type, name).has_permission("write"))
		return frappe.db.get_value(self.doc_type, name, "owner") == user


@frappe.whitelist(allow_guest=True)
def accept(web_form: str, data: str) -> Document:
	"""Store a submission: of what is sent, the form's own fields alone. Attachments are not covered."""
	values = frappe._dict(json.loads(data))
	form = frappe.get_doc("Web Form", web_form)
	user = frappe.session.user
	if form.anonymous and user != "Guest":
		frappe.session.user = "Guest"
	if values.name and not form.allow_edit:
		frappe.throw(_("You are not allowed to update this Web Form Document"))
	frappe.flags.in_web_form = True
	doc = frappe.get_doc(form.doc_type, values.name) if values.name else frappe.new_doc(form.doc_type)
	for row in form.web_form_fields:
		doc.set(row.fieldname, values.get(row.fieldname, ""))
	if doc.name:
		doc.save(ignore_permissions=form.may_write(doc.name))
	else:
		if form.login_required and frappe.session.user == "Guest":
			frappe.throw(_("You must login to submit this form"))
		doc.insert(ignore_permissions=True)
	frappe.session.user = user
	frappe.flags.web_form_doc = doc
	return doc
