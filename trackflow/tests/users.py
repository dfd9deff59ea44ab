"""Users of tests, with all that a host makes for a user, gone again without a trace."""

from typing import Any, ClassVar

import frappe
from frappe.model.document import Document

from trackflow.tests.base import TrackFlowTestCase

SECRET = "s3cr3t"


def make_user(email: str, *roles: str, **values: Any) -> Document:
	"""A System User with these roles, anew even where an interrupted test left one."""
	remove_user(email)
	row = {"doctype": "User", "email": email, "first_name": "Contract", "user_type": "System User"}
	user = frappe.get_doc({**row, "send_welcome_email": 0, **values}).insert(ignore_permissions=True)
	user.add_roles(*roles)
	frappe.db.commit()
	return user


def remove_user(email: str) -> None:
	"""The user, and the contact that Frappe makes for every user."""
	frappe.set_user("Administrator")
	frappe.delete_doc("User", email, force=True, ignore_permissions=True)
	if frappe.db.exists("DocType", "Contact"):
		for name in frappe.get_all("Contact", {"email_id": email}, pluck="name"):
			frappe.delete_doc("Contact", name, force=True, ignore_permissions=True, delete_permanently=True)
	frappe.db.commit()


class PeopleTestCase(TrackFlowTestCase):
	"""Users with an API key each, by e-mail address the roles that they have."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {}
	keys: ClassVar[dict[str, str]] = {}

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.keys = {}
		for email, roles in cls.roles.items():
			user = make_user(email, *roles)
			user.api_key = cls.keys[email] = frappe.generate_hash(length=15)
			user.api_secret = SECRET
			user.save(ignore_permissions=True)
		frappe.db.commit()

	@classmethod
	def tearDownClass(cls) -> None:
		for email in cls.roles:
			remove_user(email)
		super().tearDownClass()

	def authorization(self, user: str | None) -> dict[str, str]:
		"""The headers by which a user asks; none for a guest."""
		return {"Authorization": f"token {self.keys[user]}:{SECRET}"} if user else {}
