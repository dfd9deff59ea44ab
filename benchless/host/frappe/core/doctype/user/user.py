"""Users: named by their address, with roles, a password and, if wanted, API keys."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, validate_email_address
from frappe.utils.password import update_password

STANDARD_USERS = frappe.STANDARD_USERS


class User(Document):
	def autoname(self) -> None:
		if self.get("is_guest"):
			self.name = "Guest"
		elif self.first_name in STANDARD_USERS and frappe.flags.in_install_db:
			self.name = self.first_name
		else:
			self.email = (self.email or "").strip().lower()
			self.name = self.email

	def before_validate(self) -> None:
		self.__new_password = self.new_password
		self.new_password = ""

	def validate(self) -> None:
		if self.name not in STANDARD_USERS:
			self.email = (self.email or "").strip().lower()
			validate_email_address(self.email, throw=True)
		self.full_name = " ".join(part for part in (self.first_name, self.last_name) if part)
		self.remove_duplicate_roles()
		self.set_user_type()
		if not cint(self.enabled) and self.name in STANDARD_USERS:
			frappe.throw(_("User {0} cannot be disabled").format(self.name))
		if self.username and frappe.db.exists("User", {"username": self.username, "name": ["!=", self.name]}):
			frappe.throw(_("Username {0} already exists").format(self.username))

	def set_user_type(self) -> None:
		"""Who has a role with access to the desk is a System User."""
		if self.name in STANDARD_USERS:
			return
		roles = [row.role for row in self.roles]
		with_desk = roles and frappe.get_all("Role", {"name": ["in", roles], "desk_access": 1}, limit=1)
		self.user_type = "System User" if with_desk else "Website User"

	def remove_duplicate_roles(self) -> None:
		seen: set[str] = set()
		for row in list(self.roles):
			if not row.role or row.role in seen or row.role in ("All", "Guest"):
				self.remove(row)
			seen.add(row.role)

	def on_update(self) -> None:
		if self.__new_password:
			update_password(self.name, self.__new_password, logout_all_sessions=False)
		frappe.clear_cache(user=self.name)
		frappe.cache.hdel("roles", self.name)

	def on_trash(self) -> None:
		if self.name in STANDARD_USERS:
			frappe.throw(_("User {0} cannot be deleted").format(self.name))
		frappe.cache.hdel("roles", self.name)

	# roles

	def append_roles(self, *roles: str) -> None:
		current = {row.role for row in self.get("roles")}
		for role in roles:
			if role not in current:
				self.append("roles", {"role": role})

	def add_roles(self, *roles: str) -> None:
		self.append_roles(*roles)
		self.save(ignore_permissions=True)

	def remove_roles(self, *roles: str) -> None:
		for row in list(self.roles):
			if row.role in roles:
				self.remove(row)
		self.save(ignore_permissions=True)

	def get_fullname(self) -> str:
		return " ".join(part for part in (self.first_name, self.last_name) if part)

	@classmethod
	def find_by_credentials(
		cls, user_name: str, password: str, validate_password: bool = True
	) -> frappe._dict | None:
		"""The user of that name or address, with whether the password fits (`is_authenticated`)."""
		from frappe.utils.password import check_password

		user = frappe.db.get_value("User", user_name, ["name", "enabled"], as_dict=True)
		if not user:
			return None
		user.is_authenticated = True
		if validate_password:
			try:
				check_password(user.name, password)
			except frappe.AuthenticationError:
				user.is_authenticated = False
		return user


@frappe.whitelist()
def generate_keys(user: str) -> dict[str, str]:
	"""A new secret (and, the first time, a key) for calls of the API."""
	frappe.only_for("System Manager")
	doc = frappe.get_doc("User", user)
	secret = frappe.generate_hash(length=15)
	doc.api_key = doc.api_key or frappe.generate_hash(length=15)
	doc.api_secret = secret
	doc.save()
	return {"api_secret": secret}


def has_permission(doc: Any, user: str) -> bool:
	"""Standard users are the Administrator's."""
	return user == "Administrator" or doc.name not in STANDARD_USERS
