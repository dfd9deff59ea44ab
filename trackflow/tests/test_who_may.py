"""ROL-P, SEC-1, DOC-1: who may do what, as one table in docs/permissions.md, and a walk that finds the site like that.

`WRITE_DOCS=1` with this module's tests writes the page anew.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import frappe

from trackflow.access import scopes
from trackflow.constants.app import MODULE
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.openapi import methods, verbs_of
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.test_access import OF_CRM, OF_GUESTS, OF_MANAGERS, OF_ONE_SELF
from trackflow.tests.users import PeopleTestCase

SYSTEM, MANAGER, CAMPAIGNER, NOBODY = (
	f"whomay.{who}@example.com" for who in ("system", "manager", "campaigns", "nobody")
)
ROLES = ("System Manager", TRACKFLOW_MANAGER, CAMPAIGN_MANAGER)
USERS = dict(zip(ROLES, (SYSTEM, MANAGER, CAMPAIGNER), strict=True))
RIGHTS = ("read", "write", "create", "delete", "export")
YES, NO = "yes", "–"
# What the walk may not make: it would be somebody else's site afterwards.
SINGLE = "TrackFlow Settings"
HEAD = """# Who may do what

Made of the code, and held to a site by a walk over every method, DocType, report and page, as each of these users. What is not in here,
nobody may. Roles add up; Administrator may everything. What an API key may is what its user may, and of that what the scope says
([API keys](api-keys.md)).

*Users* are people with a login and none of these roles.
"""


def page() -> str:
	"""docs/permissions.md."""
	return "\n".join((HEAD, *_methods(), "", *_doctypes(), "", *_reports(), "", *_pages(), ""))


def _table(title: str, words: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
	head = list(head)
	lines = [head, ["---"] * len(head), *map(list, rows)]
	return [f"## {title}", "", words, "", *(f"| {' | '.join(line)} |" for line in lines)]


def _methods() -> list[str]:
	def line(name: str, verbs: list[str]) -> list[str]:
		path = f"trackflow.{name}"
		key = scopes.METHODS.get(path) or ("by `what`" if path in scopes.BY_ARGUMENT else NO)
		if name in OF_CRM:
			who = [NO, *["who may read the lead or deal"] * 3]
		elif name in OF_GUESTS:
			who = [YES] * 4
		else:
			who = [NO, "their own" if name in OF_ONE_SELF else NO, NO if name in OF_MANAGERS else YES, YES]
		return [f"`{name}`", ", ".join(verbs), *who, key]

	return _table(
		"Methods",
		"At `/api/method/trackflow.<method>`. System Managers may what TrackFlow Managers may.",
		("method", "verbs", "guests", "users", CAMPAIGN_MANAGER, TRACKFLOW_MANAGER, "API keys with"),
		(line(name, verbs_of(method)) for name, method in methods().items()),
	)


def _doctypes() -> list[str]:
	return _table(
		"DocTypes",
		"At `/api/resource/<DocType>` and in the desk. Guests and users may nothing. Fields that tell who a visitor is are for System and "
		"TrackFlow Managers. What a figure or a record is, nobody writes.",
		("DocType", *ROLES, "API keys with"),
		(
			[
				doctype,
				*(", ".join(rights(doctype, role)) or NO for role in ROLES),
				f"{scopes.NOUNS[doctype]}:read" + (" or :write" if doctype in scopes.EDITED else "")
				if doctype in scopes.NOUNS
				else NO,
			]
			for doctype in doctypes()
		),
	)


def _reports() -> list[str]:
	reports = frappe.get_all("Report", {"module": MODULE}, ["name", "ref_doctype"], order_by="name")
	return _table(
		"Reports",
		"For whoever has one of these roles and may read the report's DocType.",
		("report", "DocType", "roles", "API keys with"),
		(
			[row.name, row.ref_doctype, ", ".join(report_roles(row.name)), scopes.REPORTS.get(row.name, NO)]
			for row in reports
		),
	)


def _pages() -> list[str]:
	rows = (
		("`/r/<code>`", "short links, and the form of one with a password", YES, YES, YES),
		("`/redirect`", "the same under its other name", YES, YES, YES),
		("`/tf/o/<token>`", "the image of an opened mail, the same whatever the token", YES, YES, YES),
		("`/tf/u/<token>`", "to unsubscribe from mails, for who has the mail's token", YES, YES, YES),
		("`/trackflow`", "the app; guests are sent to the login", NO, NO, YES),
	)
	return _table("Pages", "", ("page", "what", "guests", "users", "the three roles"), rows)


def doctypes() -> list[str]:
	"""Those of ours that are asked for by themselves."""
	return frappe.get_all("DocType", {"module": MODULE, "istable": 0}, pluck="name", order_by="name")


def rights(doctype: str, role: str) -> list[str]:
	"""What a role may do with a DocType, its own level of fields alone."""
	for row in frappe.get_meta(doctype).permissions:
		if row.role == role and not row.permlevel:
			return [right for right in RIGHTS if row.get(right)]
	return []


def report_roles(report: str) -> list[str]:
	rows = frappe.get_all(
		"Has Role", {"parenttype": "Report", "parent": report}, pluck="role", order_by="idx"
	)
	return [role for role in ROLES if role in rows]


class TestThePage(TrackFlowTestCase):
	def test_it_is_the_one_in_the_docs(self) -> None:
		path = Path(frappe.get_app_path("trackflow")).parent / "docs" / "permissions.md"
		if os.environ.get("WRITE_DOCS"):
			path.write_text(page())
		self.assertEqual(path.read_text(), page())

	def test_only_known_roles_have_rights(self) -> None:
		for doctype in doctypes():
			roles = {row.role for row in frappe.get_meta(doctype).permissions}
			self.assertLessEqual(roles, set(ROLES), doctype)


class TestTheWalk(PeopleTestCase):
	roles: ClassVar[dict[str, tuple[str, ...]]] = {
		**{user: (role,) for role, user in USERS.items()},
		NOBODY: (),
	}

	def test_every_doctype_as_everybody(self) -> None:
		everybody = {user: role for role, user in USERS.items()} | {NOBODY: "", None: ""}
		for doctype in doctypes():
			for user, role in everybody.items():
				with self.subTest(doctype, user=user):
					self.assertEqual(self.may(user, doctype), set(rights(doctype, role)) - {"export"})

	def may(self, user: str | None, doctype: str) -> set[str]:
		"""What REST lets a user do with documents of a kind. None is made or changed: of one that is not there Frappe tells everybody
		alike, so changing and deleting are asked of what REST asks."""
		headers, path = self.authorization(user), f"/api/resource/{doctype}"
		listed = f"{path}/{doctype}" if doctype == SINGLE else path
		found = {
			one for one in ("write", "delete") if frappe.has_permission(doctype, one, user=user or "Guest")
		}
		if self.get(listed, headers=headers).status_code == 200:
			found.add("read")
		if doctype == SINGLE:
			found |= {"create"} if "write" in found else set()
		elif self.request("POST", path, headers=headers, json={}).status_code not in (401, 403):
			found.add("create")
		return found

	def test_every_report_as_everybody(self) -> None:
		for report in frappe.get_all("Report", {"module": MODULE}, pluck="name", order_by="name"):
			roles = report_roles(report)
			for user, role in ({user: role for role, user in USERS.items()} | {NOBODY: "", None: ""}).items():
				with self.subTest(report, user=user):
					answer = self.get(
						"/api/method/frappe.desk.query_report.run",
						query_string={"report_name": report, "filters": "{}"},
						headers=self.authorization(user),
					)
					self.assertEqual(answer.status_code in (401, 403), role not in roles, answer.text[:300])

	def test_pages(self) -> None:
		for user in (None, NOBODY, CAMPAIGNER, MANAGER, SYSTEM):
			answer = self.get("/trackflow", headers=self.authorization(user))
			self.assertEqual(answer.status_code == 200, user not in (None, NOBODY), user)
			# Everybody gets what guests get, who learn nothing by a wrong token or code.
			for path, status in (
				("/tf/o/x", 200),
				("/tf/u/x", 404),
				("/r/there-is-none", 404),
				("/redirect", 404),
			):
				self.assertEqual(self.get(path, headers=self.authorization(user)).status_code, status, path)
