"""The steps that `Document.insert` and `save` go through: defaults, stamps, states, links, permission levels."""

from typing import Any

import frappe
from frappe import _
from frappe.model import table_fields
from frappe.model.docstatus import DocStatus
from frappe.model.naming import set_new_name
from frappe.utils import cint, cstr, now

STAMPS = ("modified", "modified_by", "creation")
# From the stored state to the new one: what happens, and the permission that it needs.
TRANSITIONS: dict[tuple[int, int], tuple[str, str | None]] = {
	(0, 0): ("save", None),
	(0, 1): ("submit", "submit"),
	(1, 1): ("update_after_submit", "submit"),
	(1, 2): ("cancel", "cancel"),
}


class ChecksMixin:
	"""Part of `Document`."""

	def _set_defaults(self) -> None:
		if frappe.flags.in_import:
			return
		if self.is_new():
			self.update_if_missing(frappe.new_doc(self.doctype, as_dict=True))
		for df in self.meta.get_table_fields():
			rows = [row for row in self.get(df.fieldname) or () if row.is_new()]
			if rows:
				new = frappe.new_doc(df.options, parent_doc=self, parentfield=df.fieldname, as_dict=True)
				for row in rows:
					row.update_if_missing(new)

	def set_user_and_timestamp(self) -> None:
		self._original_modified = self.modified
		self.modified = now()
		self.modified_by = frappe.session.user
		keeps = frappe.flags.in_install or frappe.flags.in_patch or frappe.flags.in_migrate
		if self.is_new() and not (keeps and self.creation and self.owner):
			self.creation = self.modified
			self.owner = self.modified_by
		for child in self.get_all_children():
			child.modified = self.modified
			child.modified_by = self.modified_by
			child.owner = child.owner or self.owner
			child.creation = child.creation or self.creation
		frappe.flags.currently_saving.append((self.doctype, self.name))

	def set_docstatus(self) -> None:
		if self.get("docstatus") is None:
			self.docstatus = DocStatus.draft()
		for child in self.get_all_children():
			child.docstatus = self.docstatus

	def check_if_latest(self) -> None:
		"""Lock what is stored and raise TimestampMismatchError if somebody else has changed it meanwhile."""
		self.load_doc_before_save(raise_exception=True)
		self._action = "save"
		previous = self._doc_before_save
		if not previous:
			self.check_docstatus_transition(0)
			return
		if cstr(previous.modified) != cstr(self._original_modified):
			frappe.msgprint(
				_("Error: Document has been modified after you have opened it")
				+ f" ({previous.modified}, {self.modified}). "
				+ _("Please refresh to get the latest document."),
				raise_exception=frappe.TimestampMismatchError,
			)
		if not self.meta.issingle:
			self.check_docstatus_transition(previous.docstatus)

	def check_docstatus_transition(self, to_docstatus: int) -> None:
		stored, new = cint(to_docstatus), cint(self.docstatus)
		if stored == 2:
			raise frappe.ValidationError(_("Cannot edit cancelled document"))
		if new not in (0, 1, 2):
			raise frappe.ValidationError(_("Invalid docstatus"), self.docstatus)
		if (stored, new) not in TRANSITIONS:
			raise frappe.DocstatusTransitionError(
				_("Cannot change docstatus from {0} to {1}").format(stored, new)
			)
		self._action, permission = TRANSITIONS[(stored, new)]
		if permission:
			self.check_permission(permission)

	def set_parent_in_children(self) -> None:
		for child in self.get_all_children():
			child.parent = self.name
			child.parenttype = self.doctype

	def set_name_in_children(self) -> None:
		for child in self.get_all_children():
			if not child.name:
				set_new_name(child)

	def set_title_field(self) -> None:
		"""A field `title` that is the title may be a template over the other fields."""
		if self.meta.title_field != "title":
			return
		df = self.meta.get_field("title")
		template = df.options or (df.default if self.is_new() and not self.get("title") else None)
		if template:
			values = {key: "" if value is None else value for key, value in self.as_dict().items()}
			self.set("title", template.format(**values))

	# links and mandatory

	def _validate_links(self) -> None:
		if self.flags.ignore_links or self._action == "cancel":
			return
		invalid, cancelled = self.get_invalid_links()
		for child in self.get_all_children():
			child_invalid, child_cancelled = child.get_invalid_links(is_submittable=self.meta.is_submittable)
			invalid += child_invalid
			cancelled += child_cancelled
		if invalid:
			names = ", ".join(entry[2] for entry in invalid)
			frappe.throw(_("Could not find {0}").format(names), frappe.LinkValidationError)
		if cancelled:
			names = ", ".join(entry[2] for entry in cancelled)
			frappe.throw(_("Cannot link cancelled document: {0}").format(names), frappe.CancelledLinkError)

	def _validate_mandatory(self) -> None:
		if self.flags.ignore_mandatory:
			return
		missing = self._get_missing_mandatory_fields()
		for child in self.get_all_children():
			missing += child._get_missing_mandatory_fields()
		if not missing:
			return
		for _fieldname, message in missing:
			frappe.msgprint(message)
		fields = ", ".join(fieldname for fieldname, _message in missing)
		raise frappe.MandatoryError(f"[{self.doctype}, {self.name}]: {fields}")

	def check_no_back_links_exist(self) -> None:
		from frappe.model.delete_doc import check_if_doc_is_dynamically_linked, check_if_doc_is_linked

		if not self.flags.ignore_links:
			check_if_doc_is_linked(self, method="Cancel")
			check_if_doc_is_dynamically_linked(self, method="Cancel")

	# what may not change any more

	def validate_set_only_once(self) -> None:
		previous = self._doc_before_save
		for df in self.meta.get_set_only_once_fields() if previous else ():
			value, before = self.get(df.fieldname), previous.get(df.fieldname)
			if df.fieldtype in table_fields:
				changed = not self.is_child_table_same(df.fieldname)
			elif df.fieldtype in ("Date", "Datetime", "Time"):
				changed = str(value) != str(before)
			else:
				changed = value != before
			if changed:
				frappe.throw(
					_("Value cannot be changed for {0}").format(
						frappe.bold(self.meta.get_label(df.fieldname))
					),
					exc=frappe.CannotChangeConstantError,
				)

	def is_child_table_same(self, fieldname: str) -> bool:
		def plain(rows: list) -> list[dict]:
			found = [row.as_dict(convert_dates_to_str=True) for row in rows or ()]
			return [{key: value for key, value in row.items() if key not in STAMPS} for row in found]

		return plain(self.get(fieldname)) == plain(self._doc_before_save.get(fieldname))

	def validate_update_after_submit(self) -> None:
		if self.flags.ignore_validate_update_after_submit:
			return
		before = self._doc_before_save
		for df in self.meta.fields:
			value, stored = self.get(df.fieldname), before.get(df.fieldname)
			if df.allow_on_submit or not (value or stored):
				continue
			if df.fieldtype in table_fields:
				changed = len(value or ()) != len(stored or ())
			else:
				changed = self.cast(value, df) != self.cast(stored, df)
			if changed:
				frappe.throw(
					_("Not allowed to change {0} after submission").format(frappe.bold(_(df.label))),
					frappe.UpdateAfterSubmitError,
					title=_("Cannot Update After Submit"),
				)

	# permission levels

	def get_permissions(self) -> list:
		meta = frappe.get_meta(self.parenttype) if self.meta.istable else self.meta
		return meta.permissions

	def get_permlevel_access(self, permission_type: str = "write") -> list[int]:
		roles = frappe.get_roles()
		rows = self.get_permissions()
		return list({cint(row.permlevel) for row in rows if row.role in roles and row.get(permission_type)})

	def has_permlevel_access_to(self, fieldname: str, df: Any = None, permission_type: str = "read") -> bool:
		df = df or self.meta.get_field(fieldname)
		return cint(df.permlevel) in self.get_permlevel_access(permission_type)

	def validate_higher_perm_levels(self) -> None:
		"""What the user may not write stays as it was."""
		if self.flags.ignore_permissions or frappe.flags.in_install or frappe.session.user == "Administrator":
			return
		levels = self.get_permlevel_access()
		if fields := self.meta.get_high_permlevel_fields():
			self.reset_values_if_no_permlevel_access(levels, fields)
		if self.is_new():
			return
		for df in self.meta.get_table_fields():
			if fields := frappe.get_meta(df.options).get_high_permlevel_fields():
				for row in self.get(df.fieldname):
					row.reset_values_if_no_permlevel_access(levels, fields)

	def apply_fieldlevel_read_permissions(self) -> None:
		"""Drop values that the user may not read."""
		if frappe.session.user == "Administrator":
			return
		levels = self.get_permlevel_access("read")
		for df in self.meta.get_high_permlevel_fields():
			if cint(df.permlevel) not in levels:
				self.delete_key(df.fieldname)
		for table in self.meta.get_table_fields():
			for df in frappe.get_meta(table.options).get_high_permlevel_fields():
				for row in self.get(table.fieldname) or () if cint(df.permlevel) not in levels else ():
					row.delete_key(df.fieldname)
