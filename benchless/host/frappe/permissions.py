"""Who may do what: roles by DocPerm, owners, hooks. Permission levels above 0 guard single fields.

User permissions and document sharing are not part of this host.
"""

from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, cstr

rights = (
	"select",
	"read",
	"write",
	"create",
	"delete",
	"submit",
	"cancel",
	"amend",
	"print",
	"email",
	"report",
	"import",
	"export",
	"share",
)
GUEST_ROLE = "Guest"
ALL_USER_ROLE = "All"
SYSTEM_USER_ROLE = "Desk User"
ADMIN_ROLE = "Administrator"
AUTOMATIC_ROLES = (GUEST_ROLE, ALL_USER_ROLE, SYSTEM_USER_ROLE, ADMIN_ROLE)


def has_permission(
	doctype: Any,
	ptype: str = "read",
	doc: Any = None,
	user: str | None = None,
	raise_exception: bool = True,
	*,
	parent_doctype: str | None = None,
	debug: bool = False,
) -> bool:
	"""True if the user has a permission. Never raises for want of it, in spite of its argument's name."""
	user = user or frappe.session.user
	if user == "Administrator":
		return True
	if not doc and hasattr(doctype, "doctype"):
		doc, doctype = doctype, doctype.doctype
	if frappe.is_table(doctype):
		return has_child_permission(doctype, ptype, doc, user, raise_exception, parent_doctype)
	meta = frappe.get_meta(doctype)
	if doc:
		doc = frappe.get_doc(meta.name, doc) if isinstance(doc, str | int) else doc
		return bool(get_doc_permissions(doc, user=user, ptype=ptype).get(ptype))
	if ptype == "submit" and not cint(meta.is_submittable):
		return False
	if ptype == "import" and not cint(meta.allow_import):
		return False
	return bool(get_role_permissions(meta, user=user).get(ptype))


def has_child_permission(
	child_doctype: str,
	ptype: str = "read",
	child_doc: Any = None,
	user: str | None = None,
	raise_exception: bool = True,
	parent_doctype: str | None = None,
	*,
	debug: bool = False,
) -> bool:
	"""Rows of child tables are governed by their parents."""
	if isinstance(child_doc, str):
		child_doc = frappe.db.get_value(
			child_doctype, child_doc, ["parent", "parenttype", "parentfield"], as_dict=True
		)
	if child_doc:
		parent_doctype = child_doc.parenttype
	if not parent_doctype:
		frappe.msgprint(_("Please specify a valid parent DocType for {0}").format(child_doctype))
		return False
	parent_meta = frappe.get_meta(parent_doctype)
	if parent_meta.istable or child_doctype not in (df.options for df in parent_meta.get_table_fields()):
		frappe.msgprint(_("{0} is not a valid parent DocType for {1}").format(parent_doctype, child_doctype))
		return False
	parent = (child_doc.get("parent") or None) if child_doc else None
	return has_permission(parent_doctype, ptype, parent, user=user, raise_exception=raise_exception)


def get_doc_permissions(
	doc: Any, user: str | None = None, ptype: str | None = None, debug: bool = False
) -> dict:
	"""Permissions that a user has on a document."""
	user = user or frappe.session.user
	meta = frappe.get_meta(doc.doctype)
	if not has_controller_permissions(doc, ptype, user=user):
		return {ptype: 0}
	is_owner = cstr(doc.get("owner")).lower() == user.lower()
	permissions = dict(get_role_permissions(meta, user=user, is_owner=is_owner))
	if not cint(meta.is_submittable):
		permissions["submit"] = 0
	if not cint(meta.allow_import):
		permissions["import"] = 0
	if permissions.get("has_if_owner_enabled"):
		permissions.update(permissions.get("if_owner", {}))
	return permissions


def get_role_permissions(
	doctype_meta: Any, user: str | None = None, is_owner: bool | None = None, debug: bool = False
) -> frappe._dict:
	"""Permissions by role; `if_owner` holds those that only owners have."""
	meta = frappe.get_meta(doctype_meta) if isinstance(doctype_meta, str) else doctype_meta
	user = user or frappe.session.user
	if user == "Administrator":
		return allow_everything()
	key = (meta.name, user, bool(is_owner))
	known = frappe.local.role_permissions
	if key not in known:
		known[key] = _role_permissions(meta, frappe.get_roles(user), is_owner)
	return known[key]


def _role_permissions(meta: Any, roles: list[str], is_owner: bool | None) -> frappe._dict:
	rows = [row for row in meta.permissions if row.role in roles and cint(row.permlevel) == 0]
	owners_only = any(row.get("if_owner") for row in rows)
	found = frappe._dict(if_owner={}, has_if_owner_enabled=owners_only)
	for right in rights:
		granted = any(row.get(right) for row in rows)
		found[right] = cint(granted)
		everybody = any(row.get(right) and not row.get("if_owner") for row in rows)
		if granted and owners_only and not everybody and right != "create":
			found["if_owner"][right] = cint(bool(is_owner))
			# lists may be asked for: they are narrowed to the owner's documents
			found[right] = 1 if right in ("select", "read") else 0
	return found


def has_controller_permissions(
	doc: Any, ptype: str | None, user: str | None = None, debug: bool = False
) -> bool:
	"""What the hooks `has_permission` say: the last app first, None decides nothing. They can only deny."""
	hooks = frappe.get_hooks("has_permission", {})
	methods = hooks.get(doc.doctype, []) + hooks.get("*", [])
	for method in reversed(methods):
		allowed = frappe.call(method, doc=doc, ptype=ptype, user=user or frappe.session.user, debug=debug)
		if allowed is not None:
			return bool(allowed)
	return True


def get_roles(user: str | None = None, with_standard: bool = True) -> list[str]:
	"""Roles of a user. The Administrator has all."""
	user = user or frappe.session.user
	if not user or user == "Guest":
		return [GUEST_ROLE]

	def read() -> list[str]:
		if user == "Administrator":
			return frappe.get_all("Role", pluck="name", order_by="name asc")
		table = frappe.qb.DocType("Has Role")
		roles = (
			frappe.qb.from_(table)
			.where((table.parenttype == "User") & (table.parent == user))
			.where(table.role.notin(list(AUTOMATIC_ROLES)))
			.select(table.role)
			.run(pluck=True)
		)
		roles += [ALL_USER_ROLE, GUEST_ROLE]
		return [*roles, SYSTEM_USER_ROLE] if is_system_user(user) else roles

	roles = frappe.cache.hget("roles", user, read)
	return roles if with_standard else [role for role in roles if role not in AUTOMATIC_ROLES]


def is_system_user(user: str | None = None) -> bool:
	kind = frappe.get_cached_value("User", user or frappe.session.user, "user_type")
	return kind == "System User"


def allow_everything() -> frappe._dict:
	return frappe._dict(dict.fromkeys(rights, 1))


def get_doctype_roles(doctype: str, access_type: str = "read") -> list[str]:
	return [row.role for row in frappe.get_meta(doctype).permissions if row.get(access_type)]


def get_valid_perms(doctype: str | None = None, user: str | None = None) -> list[frappe._dict]:
	"""Rows of permissions that apply to a user."""
	doctypes = [doctype] if doctype else frappe.get_all("DocType", pluck="name", order_by="name asc")
	roles = get_roles(user)
	return [
		frappe._dict(row.as_dict(), parent=name)
		for name in doctypes
		for row in frappe.get_meta(name).permissions
		if row.role in roles and not cint(row.permlevel)
	]


def add_permission(doctype: str, role: str, permlevel: int = 0, ptype: str | None = None) -> str | None:
	"""Give a role a permission for a DocType, beside those of its JSON."""
	setup_custom_perms(doctype)
	key = {"parent": doctype, "role": role, "permlevel": permlevel, "if_owner": 0}
	if frappe.db.exists("Custom DocPerm", key):
		return None
	row = frappe.get_doc(
		doctype="Custom DocPerm",
		parent=doctype,
		parenttype="DocType",
		parentfield="permissions",
		role=role,
		permlevel=permlevel,
		read=1,
	)
	if ptype:
		row.set(ptype, 1)
	row.insert(ignore_permissions=True)
	frappe.clear_cache(doctype=doctype)
	return row.name


def update_permission_property(
	doctype: str,
	role: str,
	permlevel: int,
	ptype: str,
	value: Any = None,
	validate: bool = True,
	if_owner: int = 0,
) -> None:
	"""Change one permission of a role."""
	setup_custom_perms(doctype)
	key = {"parent": doctype, "role": role, "permlevel": permlevel, "if_owner": if_owner}
	frappe.db.set_value("Custom DocPerm", key, ptype, value)
	frappe.clear_cache(doctype=doctype)


def setup_custom_perms(parent: str) -> bool | None:
	"""Custom permissions replace those of the JSON: start from a copy."""
	if frappe.db.exists("Custom DocPerm", {"parent": parent}):
		return None
	for row in frappe.get_all("DocPerm", fields="*", filters={"parent": parent}, order_by="idx asc"):
		values = {key: value for key, value in row.items() if key not in ("name", "creation", "modified")}
		frappe.get_doc({**values, "doctype": "Custom DocPerm"}).insert(ignore_permissions=True)
	return True


def reset_perms(doctype: str) -> None:
	frappe.db.delete("Custom DocPerm", {"parent": doctype})
	frappe.clear_cache(doctype=doctype)
