"""What TrackFlow shows inside CRM's screens and on the app switcher, and to whom (CRM-6, ROL-P)."""

import json
import re
from collections.abc import Callable
from typing import Any, ClassVar
from unittest.mock import Mock, patch

import frappe
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from trackflow import install, uninstall
from trackflow.constants.crm_form_scripts import FORM_SCRIPTS
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.integrations.crm_ui import entries, page
from trackflow.permissions import has_app_permission
from trackflow.setup import crm, crm_form_scripts, memory
from trackflow.tests.base import HAS_CRM, TrackFlowTestCase, needs_crm
from trackflow.tests.tags import Tags
from trackflow.tests.users import PeopleTestCase
from trackflow.tracking import own_pages, script

MARKETER, CAMPAIGNER, SELLER, NOBODY = (
	f"crm-ui.{who}@example.com" for who in ("marketer", "campaigns", "sales", "nobody")
)
SALES = ("Sales User",) if HAS_CRM else ()
ROLES = {
	MARKETER: (TRACKFLOW_MANAGER, *SALES),
	CAMPAIGNER: (CAMPAIGN_MANAGER,),
	SELLER: SALES,
	NOBODY: (),
}
LABELS = ["Campaigns", "Tracked Links", "Click Analytics"]
# What differs from one answer to the next.
TOKEN = re.compile(rb"[0-9a-f]{40,}")


class UiTestCase(PeopleTestCase):
	"""People with our roles and without, in CRM and outside it."""

	roles = ROLES

	def ask(self, user: str | None, path: str = "/crm") -> TestResponse:
		headers = self.authorization(user)
		return self.get(path, headers=headers)


@needs_crm
class TestCrmPage(UiTestCase):
	"""CRM-6: CRM's page with one tag more, and else CRM's alone."""

	def tag(self, user: str, path: str = "/crm") -> dict[str, str | None]:
		answer = self.ask(user, path)
		self.assertEqual(answer.status_code, 200, answer.text)
		(tag,) = Tags(answer.text).found
		return tag

	def test_one_tag_with_three_entries(self) -> None:
		tag = self.tag(MARKETER)
		shown = json.loads(tag["data-entries"])
		self.assertEqual([entry["label"] for entry in shown], LABELS)
		self.assertEqual(tag["data-call-logs"], "Call Logs")
		self.assertEqual(tag["src"], script.address_of(page.SCRIPT))
		self.assertRegex(tag["src"], r"\?v=[0-9a-f]{16}$")

	def test_on_every_address_of_crm(self) -> None:
		for path in ("/crm/leads", "/crm/deals?view=1", "/crm/call-logs"):
			self.assertEqual(self.tag(MARKETER, path), self.tag(MARKETER))

	def test_the_rest_is_as_crm_renders_it(self) -> None:
		answer = self.ask(MARKETER)
		with patch.object(page.CrmPage, "can_render", return_value=False):
			bare = self.ask(MARKETER)
		before, ours, after = answer.data.rpartition(b"<script defer")
		tag, _end, after = after.partition(b"</script>")
		self.assertIn(b"/assets/trackflow/", tag)
		self.assertTrue(ours and after.startswith(b"</body>"))
		self.assertEqual(TOKEN.sub(b"", before + after), TOKEN.sub(b"", bare.data))
		self.assertEqual(answer.content_length, len(answer.data))
		self.assertEqual(answer.content_type, bare.content_type)

	def test_sales_people_see_no_entries(self) -> None:
		"""They may ask for the journeys of their leads all the same."""
		self.assertEqual(self.tag(SELLER), {"defer": None, "src": script.address_of(page.SCRIPT)})

	def test_refusals_are_crms_byte_for_byte(self) -> None:
		for user in (None, NOBODY, CAMPAIGNER):
			with self.subTest(user=user):
				answer = self.ask(user)
				with patch.object(page.CrmPage, "can_render", return_value=False):
					bare = self.ask(user)
				self.assertEqual(answer.status_code, 403)
				self.assertEqual(TOKEN.sub(b"", answer.data), TOKEN.sub(b"", bare.data))
				self.assertEqual(Tags(answer.text).found, [])

	def test_guests_do_not_reach_us(self) -> None:
		with patch.object(page, "TemplatePage", side_effect=AssertionError):
			self.assertEqual(self.ask(None).status_code, 403)

	def test_what_goes_wrong_here_leaves_the_page_as_it_was(self) -> None:
		for broken in ("entries", "script.address_of", "own_pages.put_before_end"):
			with (
				self.subTest(broken),
				patch(f"{page.__name__}.{broken}", side_effect=RuntimeError("of ours")),
				patch.object(page.frappe, "logger") as logger,
			):
				answer = self.ask(MARKETER)
				self.assertEqual(answer.status_code, 200)
				self.assertTrue(answer.text.rstrip().endswith("</html>"))
				self.assertEqual(Tags(answer.text).found, [])
				logger.return_value.exception.assert_called_once()

	def test_what_crm_raises_is_crms(self) -> None:
		refuses = Mock(**{"can_render.return_value": True, "render.side_effect": frappe.PermissionError})
		with patch.object(page.CrmPage, "_page", return_value=refuses):
			self.assertEqual(self.ask(MARKETER).status_code, 403)
		refuses.render.assert_called_once()

	def test_only_whole_pages_are_touched(self) -> None:
		whole = "<html><body></body></html>"
		for answer in (
			Response(whole, status=404, mimetype="text/html"),
			Response(whole, mimetype="text/plain"),
			Response("<p>a part", mimetype="text/html"),
			Response(iter([whole]), mimetype="text/html"),
		):
			with patch.object(page.TemplatePage, "render", return_value=answer), self.set_user(MARKETER):
				self.assertNotIn("trackflow", page.CrmPage("crm").render().get_data(as_text=True))


class TestOtherPages(TrackFlowTestCase):
	"""CRM-6: of other pages nothing is claimed, and they pay for next to nothing."""

	def test_they_cost_a_comparison(self) -> None:
		with (
			patch.object(page, "TemplatePage", side_effect=AssertionError),
			patch.object(page.frappe, "get_installed_apps", side_effect=AssertionError),
			self.assertQueryCount(0),
		):
			for path in ("index", "about", "crm-is-great", "crm/leads", ""):
				self.assertFalse(page.CrmPage(path, 200).can_render())

	def test_without_crm_its_name_is_anybodys(self) -> None:
		with patch.object(page.frappe, "get_installed_apps", return_value=["frappe", "trackflow"]):
			self.assertFalse(page.CrmPage("crm").can_render())

	def test_they_have_no_tag(self) -> None:
		for path in ("/login", "/index", "/nothing-of-that-name"):
			self.assertNotIn(page.SCRIPT, self.get(path).text)

	def test_the_last_end_is_the_pages(self) -> None:
		answer = Response("<body>'</body>'</body></html>", mimetype="text/html")
		own_pages.put_before_end(answer, "<script></script>")
		self.assertEqual(answer.get_data(as_text=True), "<body>'</body>'<script></script></body></html>")


class TestEntries(UiTestCase):
	"""CRM-6, ROL-P: entries are for who may read what they lead to."""

	def labels(self, user: str) -> list[str]:
		with self.set_user(user):
			return [entry.label for entry in entries.entries()]

	def test_by_roles(self) -> None:
		for user, labels in (
			(MARKETER, LABELS),
			(CAMPAIGNER, LABELS),
			(SELLER, []),
			(NOBODY, []),
			("Guest", []),
		):
			self.assertEqual(self.labels(user), labels, user)

	def test_who_may_not_read_links_sees_nothing(self) -> None:
		may = frappe.has_permission

		def only(*doctypes: str) -> Callable[..., bool]:
			return lambda doctype, *rest, **more: doctype in doctypes and may(doctype, *rest, **more)

		with patch("frappe.has_permission", only("Link Campaign", "Click Event")):
			self.assertEqual(self.labels(MARKETER), [])
		with patch("frappe.has_permission", only("Link Campaign", "Tracked Link")):
			self.assertEqual(self.labels(MARKETER), LABELS[:2])

	def test_they_lead_into_the_app(self) -> None:
		with self.set_user(MARKETER):
			shown = [entry.href for entry in entries.entries()]
		self.assertEqual(shown, ["/trackflow/campaigns", "/trackflow/links", "/trackflow"])
		for href in shown:
			self.assertEqual(self.ask(MARKETER, href).status_code, 200, href)

	def test_words_of_translators_stay_words(self) -> None:
		"""SEC-2"""
		hostile = '</script>"><img src=x onerror=alert(1)>'
		for module in (entries, page):
			patcher = patch.object(module, "_", lambda text: hostile)
			patcher.start()
			self.addCleanup(patcher.stop)
		with self.set_user(MARKETER):
			tag = page.tag()
		self.assertNotIn("<img", tag)
		(read,) = Tags(tag).found
		self.assertEqual(json.loads(read["data-entries"])[0]["label"], hostile)
		self.assertEqual(read["data-call-logs"], hostile)


class TestSwitcher(UiTestCase):
	"""CRM-6: TrackFlow is on Frappe's app switcher, for who works with links."""

	def test_who_finds_it(self) -> None:
		for user, finds in (
			(MARKETER, True),
			(CAMPAIGNER, True),
			(SELLER, False),
			(NOBODY, False),
			("Guest", False),
		):
			with self.set_user(user):
				self.assertIs(has_app_permission(), finds, user)

	def test_what_the_switcher_is_told(self) -> None:
		(app,) = frappe.get_hooks("add_to_apps_screen", app_name="trackflow")
		self.assertIs(frappe.get_attr(app["has_permission"]), has_app_permission)
		self.assertEqual((app["name"], app["title"], app["route"]), ("trackflow", "TrackFlow", "/trackflow"))
		logo = app["logo"].removeprefix("/assets/trackflow/").split("/")
		with open(frappe.get_app_path("trackflow", "public", *logo)) as file:
			self.assertIn("<svg", file.read())

	def test_uninstalling_leaves_nobody_with_it(self) -> None:
		if not frappe.get_meta("User").has_field("default_app"):
			self.skipTest("This version of Frappe lets nobody choose an app to begin with")
		frappe.db.set_value("User", MARKETER, "default_app", "trackflow")
		frappe.db.set_value("User", SELLER, "default_app", "crm")
		frappe.db.set_single_value("System Settings", "default_app", "trackflow")
		uninstall._leave_switcher()
		self.assertFalse(frappe.db.get_value("User", MARKETER, "default_app"))
		self.assertEqual(frappe.db.get_value("User", SELLER, "default_app"), "crm")
		self.assertFalse(frappe.db.get_single_value("System Settings", "default_app"))


@needs_crm
class TestFormScripts(TrackFlowTestCase):
	"""CRM-6: the action on leads and deals is installed once, and is the administrator's from then on."""

	DOCTYPE = crm_form_scripts.DOCTYPE

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.restore)

	def restore(self) -> None:
		frappe.db.rollback()
		crm_form_scripts.remove_form_scripts()
		crm_form_scripts.forget_form_scripts()
		install.after_migrate()
		frappe.db.commit()

	def there(self) -> dict[str, dict[str, Any]]:
		rows = frappe.get_all(
			self.DOCTYPE, fields=["name", "dt", "view", "enabled", "script"], order_by="name"
		)
		return {row.name: row for row in rows}

	def test_they_are_installed(self) -> None:
		for one in FORM_SCRIPTS:
			row = self.there()[one.name]
			self.assertEqual((row.dt, row.view, row.enabled), (one.doctype, "Form", 1))
			self.assertEqual(row.script, one.text)
			# CRM takes every word behind "class" for a controller.
			self.assertEqual(re.findall(r"class\s+(\w+)", row.script), [one.doctype.replace(" ", "")])

	def test_what_an_administrator_did_stays(self) -> None:
		leads, deals = (one.name for one in FORM_SCRIPTS)
		frappe.db.set_value(self.DOCTYPE, leads, {"script": "class CRMLead {}", "enabled": 0})
		frappe.delete_doc(self.DOCTYPE, deals)
		for _time in range(2):
			install.after_migrate()
		self.assertEqual(self.there()[leads].script, "class CRMLead {}")
		self.assertEqual(self.there()[leads].enabled, 0)
		self.assertNotIn(deals, self.there())

	def test_one_of_that_name_that_is_there_already_stays(self) -> None:
		leads = FORM_SCRIPTS[0].name
		frappe.db.set_value(self.DOCTYPE, leads, "script", "class CRMLead {}")
		crm.forget_crm()
		install.after_migrate()
		self.assertEqual(self.there()[leads].script, "class CRMLead {}")

	def test_leaving_takes_ours_along_and_no_others(self) -> None:
		leads, deals = (one.name for one in FORM_SCRIPTS)
		frappe.db.set_value(self.DOCTYPE, leads, "script", "class CRMLead { onLoad() {} }")
		frappe.rename_doc(self.DOCTYPE, deals, "Journeys")
		own = {"doctype": self.DOCTYPE, "dt": "CRM Lead", "view": "Form", "script": "class CRMLead {}"}
		frappe.get_doc(own).insert(set_name="My own")
		self.addCleanup(frappe.delete_doc, self.DOCTYPE, "My own", force=True)
		others = self.there().keys() - {leads, "Journeys"}
		crm.remove_from_crm()
		self.assertEqual(self.there().keys(), others)
		self.assertIn("My own", others)
		self.assertFalse(memory.recall(crm_form_scripts.ADDED))

	def test_crm_that_comes_back_gets_them_again(self) -> None:
		frappe.db.delete(self.DOCTYPE, {"name": ("in", [one.name for one in FORM_SCRIPTS])})
		uninstall.after_app_uninstall("crm")
		install.after_app_install("crm")
		self.assertLessEqual({one.name for one in FORM_SCRIPTS}, self.there().keys())
