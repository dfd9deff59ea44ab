"""Checks of a document's values against its fields: mandatory, links, selects, lengths, numbers, HTML, passwords.

What is checked when is decided in `document`.
"""

from typing import Any

import frappe
from frappe import _, _dict
from frappe.model import display_fieldtypes, table_fields
from frappe.utils import cast_fieldtype, cint, cstr, flt, sanitize_html, split_emails, strip_html
from frappe.utils.html_utils import unescape_html

MAX_INT = {"int": 2**31 - 1, "bigint": 2**63 - 1}
CONTENT_TYPES = ("Attach", "Attach Image", "Barcode", "Code")


class ValidationMixin:
	"""Mixed into every document and child row."""

	# mandatory

	def _get_missing_mandatory_fields(self) -> list[tuple[str, str]]:
		missing = [
			(df.fieldname, self._missing_message(df))
			for df in self.meta.fields
			if df.reqd and (self.get(df.fieldname) in (None, []) or not self._has_content(df))
		]
		if self.meta.istable:
			missing += [
				(name, self._missing_message(_dict(label=name)))
				for name in ("parent", "parenttype")
				if not self.get(name)
			]
		return missing

	def _missing_message(self, df: Any) -> str:
		if df.fieldtype in table_fields:
			return f"{_('Error')}: {_('Data missing in table')}: {_(df.label)}"
		if self.get("parentfield"):
			row = f"{frappe.bold(_(self.doctype))} {_('Row')} #{self.idx}"
			return f"{_('Error')}: {row}: {_('Value missing for')}: {_(df.label)}"
		return _("Error: Value missing for {0}: {1}").format(_(df.parent or self.doctype), _(df.label))

	def _has_content(self, df: Any) -> bool:
		value = cstr(self.get(df.fieldname))
		holds_images = df.fieldtype == "Text Editor" or (df.fieldtype == "Code" and df.options == "HTML")
		return bool(strip_html(value).strip()) or (holds_images and "<img" in value)

	# links

	def get_invalid_links(self, is_submittable: bool = False) -> tuple[list, list]:
		"""Links to what does not exist, and to what is cancelled. Fetches values of linked documents on the way."""
		invalid, cancelled = [], []
		for df in self.meta.get_link_fields() + self.meta.get_dynamic_link_fields():
			docname = self.get(df.fieldname)
			if not docname:
				continue
			doctype = df.options if df.fieldtype == "Link" else self.get(df.options)
			if not doctype:
				if df.fieldtype == "Link":
					frappe.throw(_("Options not set for link field {0}").format(df.fieldname))
				frappe.throw(_("{0} must be set first").format(self.meta.get_label(df.options)))
			entry = (df.fieldname, docname, self._link_message(df, docname))
			values = self._linked_values(df, doctype, docname)
			if not values or not values.name:
				invalid.append(entry)
				continue
			# the database compares without case: keep the name as the other document spells it
			setattr(self, df.fieldname, values.name)
			if self._is_cancelled(df, doctype, docname, is_submittable):
				cancelled.append(entry)
		return invalid, cancelled

	def _link_message(self, df: Any, docname: str) -> str:
		if self.get("parentfield"):
			return f"{_('Row')} #{self.idx}: {_(df.label)}: {docname}"
		return f"{_(df.label)}: {docname}"

	def _linked_values(self, df: Any, doctype: str, docname: str) -> Any:
		meta = frappe.get_meta(doctype)
		if meta.issingle:
			return _dict(name=doctype)
		fetched = [
			field
			for field in self.meta.get_fields_to_fetch(df.fieldname)
			if not field.get("fetch_if_empty") or not self.get(field.fieldname)
		]
		if not fetched:
			return _dict(name=frappe.db.get_value(doctype, docname, "name", cache=True))
		names = ["name", *(field.fetch_from.split(".")[-1] for field in fetched)]
		values = frappe.db.get_value(doctype, docname, list(dict.fromkeys(names)), as_dict=True)
		if not isinstance(values, dict):
			values = _dict(name=values) if values else None
		for field in fetched if values else ():
			if self.is_new() or not self.docstatus.is_submitted() or field.allow_on_submit:
				self._fetch(field, meta, values)
		return values

	def _fetch(self, df: Any, meta: Any, values: dict) -> None:
		source = df.fetch_from.split(".")[-1]
		value = values.get(source)
		source_df = meta.get_field(source)
		if value and source_df and source_df.fieldtype == "Text Editor" and df.fieldtype != "Text Editor":
			value = unescape_html(strip_html(value))
		setattr(self, df.fieldname, value)

	def _is_cancelled(self, df: Any, doctype: str, docname: str, is_submittable: bool) -> bool:
		if df.fieldname == "amended_from" or not (is_submittable or self.meta.is_submittable):
			return False
		if not frappe.get_meta(doctype).is_submittable:
			return False
		return cint(frappe.db.get_value(doctype, docname, "docstatus")) == 2

	# single values

	def _validate_selects(self) -> None:
		if frappe.flags.in_import:
			return
		for df in self.meta.get_select_fields():
			if df.fieldname == "naming_series" or not (self.get(df.fieldname) and df.options):
				continue
			options = df.options.split("\n")
			if not any(options):
				continue
			value = cstr(self.get(df.fieldname)).strip()
			self.set(df.fieldname, value)
			if value in options or (frappe.flags.in_test and value.startswith("_T-")):
				continue
			prefix = _("Row #{0}:").format(self.idx) if self.get("parentfield") else ""
			listed = '", "'.join(_(option) for option in options)
			frappe.throw(
				_('{0} {1} cannot be "{2}". It should be one of "{3}"').format(
					prefix, _(df.label), value, listed
				)
			)

	def _validate_data_fields(self) -> None:
		for df in self.meta.get_data_fields():
			value = self.get(df.fieldname)
			if df.options == "Email":
				if self.owner in frappe.STANDARD_USERS and value in frappe.STANDARD_USERS:
					continue
				for address in split_emails(value):
					frappe.utils.validate_email_address(address, throw=True)
			elif df.options == "Name":
				frappe.utils.validate_name(value, throw=True)
			elif df.options == "Phone":
				frappe.utils.validate_phone_number(value, throw=True)
			elif df.options == "URL" and value:
				frappe.utils.validate_url(value, throw=True)

	def _validate_non_negative(self) -> None:
		for df in self.meta.fields:
			if not df.non_negative or df.fieldtype not in ("Int", "Float", "Currency"):
				continue
			if flt(self.get(df.fieldname)) < 0:
				label = frappe.bold(_(df.label))
				message = _("Value cannot be negative for {0}: {1}").format(_(self.doctype), label)
				if self.get("parentfield"):
					row = f"{frappe.bold(_(self.doctype))} {_('Row')} #{self.idx}"
					message = f"{row}: {_('Value cannot be negative for')} {label}"
				frappe.throw(message, frappe.NonNegativeError, title=_("Negative Value"))

	def _validate_length(self) -> None:
		if frappe.flags.in_install or self.meta.issingle:
			return
		for fieldname, value in self.get_valid_dict(ignore_virtual=True).items():
			df = self.meta.get_field(fieldname)
			if not df or df.fieldtype == "Check":
				continue
			kind, size = frappe.db.type_map[df.fieldtype]
			if kind == "varchar":
				limit = cint(df.length) or cint(size)
				if len(cstr(value)) > limit:
					self._throw_length_exceeded(df, limit, value)
			elif kind in MAX_INT:
				limit = MAX_INT["bigint" if cint(df.length) > 11 else kind]
				if abs(cint(value)) > limit:
					self._throw_length_exceeded(df, limit, value)

	def _throw_length_exceeded(self, df: Any, limit: int, value: Any) -> None:
		if self.get("parentfield"):
			reference = _("{0}, Row {1}").format(_(self.doctype), self.idx)
		else:
			reference = f"{_(self.doctype)} {self.name}"
		frappe.throw(
			_("{0}: '{1}' ({3}) will get truncated, as max characters allowed is {2}").format(
				reference, frappe.bold(_(df.label)), limit, value
			),
			frappe.CharacterLengthExceededError,
			title=_("Value too big"),
		)

	def _validate_code_fields(self) -> None:
		for df in self.meta.get_code_fields():
			if df.options in ("Python", "PythonExpression"):
				frappe.utils.validate_python_code(
					self.get(df.fieldname), fieldname=df.label, is_expression=df.options != "Python"
				)

	def _fix_rating_value(self) -> None:
		for df in self.meta.fields:
			if df.fieldtype == "Rating":
				self.set(df.fieldname, max(0, min(flt(self.get(df.fieldname)), 1)))

	def _sync_autoname_field(self) -> None:
		"""The field that a document is named by always holds the name."""
		_prefix, _colon, fieldname = (self.meta.autoname or "").partition("field:")
		if fieldname and self.name and self.name != self.get(fieldname):
			self.set(fieldname, self.name)

	def _sanitize_content(self) -> None:
		"""Take what could run as script out of HTML in values."""
		if frappe.flags.in_install:
			return
		for fieldname, value in self.get_valid_dict(ignore_virtual=True).items():
			if not isinstance(value, str) or not ("<" in value or ">" in value):
				continue
			df = self.meta.get_field(fieldname)
			if df and (
				df.get("ignore_xss_filter")
				or df.options == "Email"
				or df.fieldtype in CONTENT_TYPES
				or self.docstatus.is_cancelled()
				or (self.docstatus.is_submitted() and not df.get("allow_on_submit"))
			):
				continue
			self.set(fieldname, sanitize_html(value, linkify=bool(df and df.fieldtype == "Text Editor")))

	def _fix_numeric_types(self) -> None:
		for df in self.meta.fields:
			value = self.get(df.fieldname)
			if df.fieldtype == "Check":
				self.set(df.fieldname, cint(value))
			elif value is not None and df.fieldtype == "Int":
				self.set(df.fieldname, cint(value))
			elif value is not None and df.fieldtype in ("Float", "Currency", "Percent"):
				self.set(df.fieldname, flt(value))
		if self.get("docstatus") is not None:
			self.docstatus = cint(self.get("docstatus"))

	def cast(self, value: Any, df: Any) -> Any:
		return cast_fieldtype(df.fieldtype, value, show_warning=False)

	def precision(self, fieldname: str, parentfield: Any = None) -> int | None:
		"""Decimals of a number field."""
		from frappe.model.meta import get_field_precision

		if parentfield and not isinstance(parentfield, str):
			parentfield = parentfield.get("parentfield")
		doctype = self.meta.get_field(parentfield).options if parentfield else self.doctype
		df = frappe.get_meta(doctype).get_field(fieldname)
		return get_field_precision(df, self) if df.fieldtype in ("Currency", "Float", "Percent") else None

	def get_formatted(
		self,
		fieldname: str,
		doc: Any = None,
		currency: str | None = None,
		absolute_value: bool = False,
		translated: bool = False,
		format: str | None = None,
	) -> str:
		value = self.get(fieldname)
		if absolute_value and isinstance(value, int | float):
			value = abs(value)
		if translated:
			value = _(value)
		df = self.meta.get_field(fieldname)
		return frappe.format_value(value, df=df, doc=doc or self, currency=currency, format=format)

	# passwords

	def _save_passwords(self) -> None:
		"""Password fields keep asterisks; what was typed goes encrypted into `__Auth`."""
		from frappe.utils.password import remove_encrypted_password, set_encrypted_password

		ignored = self.flags.ignore_save_passwords
		if ignored is True:
			return
		for df in self.meta.fields:
			if df.fieldtype != "Password" or (ignored and df.fieldname in ignored):
				continue
			password = self.get(df.fieldname)
			if not password:
				remove_encrypted_password(self.doctype, self.name, df.fieldname)
			elif not self.is_dummy_password(password):
				set_encrypted_password(self.doctype, self.name, password, df.fieldname)
				self.set(df.fieldname, "*" * len(password))

	def get_password(self, fieldname: str = "password", raise_exception: bool = True) -> str | None:
		from frappe.utils.password import get_decrypted_password

		value = self.get(fieldname)
		if value and not self.is_dummy_password(value):
			return value
		return get_decrypted_password(self.doctype, self.name, fieldname, raise_exception=raise_exception)

	@staticmethod
	def is_dummy_password(pwd: str) -> bool:
		return set(pwd) == {"*"}

	# permission levels

	def reset_values_if_no_permlevel_access(self, has_access_to: list[int], fields: list) -> None:
		"""Values of fields that the user may not write go back to what they were."""
		ignored = self.flags.get("ignore_permlevel_for_fields") or ()
		blocked = [
			df
			for df in fields
			if cint(df.permlevel) not in has_access_to
			and df.fieldtype not in display_fieldtypes
			and df.fieldname not in ignored
		]
		if not blocked:
			return
		reference = self._reference_for_reset()
		for df in blocked if reference else ():
			self.set(df.fieldname, reference.get(df.fieldname))

	def _reference_for_reset(self) -> Any:
		if self.is_new():
			return frappe.new_doc(self.doctype)
		if not self.parent_doc:
			return self.get_latest()
		rows = self.parent_doc.get_latest().get(self.parentfield)
		return next((row for row in rows if row.name == self.name), None)
