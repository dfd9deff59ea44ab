"""Install, migrate and uninstall: done twice they change nothing, and what people changed stays changed (HOST-1, CRM-1)."""

import json
import os
from unittest.mock import patch

import frappe
from frappe.utils.password import get_decrypted_password

from trackflow import bulk, install, uninstall
from trackflow.constants.crm_layouts import SECTION_NAME, SIDE_PANEL, SIDE_PANEL_DOCTYPES
from trackflow.constants.custom_fields import CUSTOM_FIELDS, fieldnames
from trackflow.constants.models import MODELS
from trackflow.constants.roles import ROLES
from trackflow.privacy.archive import keeping, trouble
from trackflow.setup import crm, memory, models
from trackflow.setup.indexes import ensure_indexes
from trackflow.setup.settings import ensure_settings
from trackflow.stream import connection, spool
from trackflow.tests.base import HAS_CRM, TrackFlowTestCase, needs_crm
from trackflow.tests.data_model import FIELDS


def layout_name(doctype: str) -> str:
	return frappe.db.get_value(crm.LAYOUT, {"dt": doctype, "type": SIDE_PANEL})


def layout_of(doctype: str) -> list[dict]:
	return json.loads(frappe.db.get_value(crm.LAYOUT, layout_name(doctype), "layout") or "[]")


def set_layout(doctype: str, layout: list[dict]) -> None:
	frappe.db.set_value(crm.LAYOUT, layout_name(doctype), "layout", json.dumps(layout))


def state() -> dict[str, object]:
	"""Everything that set-up writes, without times."""
	state = {
		"roles": frappe.get_all("Role", {"name": ("in", ROLES)}, ["name", "desk_access"], order_by="name"),
		"models": [frappe.get_doc("Attribution Model", model["model_name"]).as_dict() for model in MODELS],
		"settings": frappe.db.get_singles_dict("TrackFlow Settings"),
		"memory": [sorted(memory.recall(key)) for key in (crm.ADDED, models.INSTALLED)],
		"fields": frappe.get_all(
			"Custom Field", {"module": "TrackFlow"}, ["name", "insert_after", "read_only"], order_by="name"
		),
	}
	if frappe.db.exists("DocType", crm.LAYOUT):
		state["layouts"] = [layout_of(doctype) for doctype in SIDE_PANEL_DOCTYPES]
	return state


class SetUpTestCase(TrackFlowTestCase):
	"""What a test takes away is set up again behind it, also where a change of tables committed it."""

	def setUp(self) -> None:
		super().setUp()
		self.layouts = {doctype: layout_of(doctype) for doctype in SIDE_PANEL_DOCTYPES} if HAS_CRM else {}

	def tearDown(self) -> None:
		frappe.db.rollback()
		memory.forget(models.INSTALLED)
		install.after_migrate()
		for doctype, layout in self.layouts.items():
			set_layout(doctype, layout)
		frappe.db.commit()
		super().tearDown()


class TestInstall(SetUpTestCase):
	"""Install and migrate may run as often as they like."""

	def test_a_second_time_changes_nothing(self) -> None:
		install.after_install()
		before = state()
		install.after_install()
		install.after_migrate()
		install.after_app_install("crm")
		install.after_app_install("another_app")
		self.assertEqual(state(), before)

	def test_all_models_are_there_and_active(self) -> None:
		"""ATT-1"""
		rows = frappe.get_all("Attribution Model", {"is_active": 1}, pluck="model_type")
		self.assertLessEqual({model["model_type"] for model in MODELS}, set(rows))
		last_non_direct = frappe.get_doc("Attribution Model", "Last Non-Direct")
		self.assertEqual(last_non_direct.count_direct, 0)

	def test_a_model_that_was_deleted_stays_deleted(self) -> None:
		frappe.delete_doc("Attribution Model", "W-Shaped")
		install.after_migrate()
		self.assertFalse(frappe.db.exists("Attribution Model", "W-Shaped"))

	def test_settings_that_were_made_are_kept(self) -> None:
		frappe.db.set_single_value("TrackFlow Settings", {"short_code_length": 8, "enable_tracking": 0})
		ensure_settings()
		settings = frappe.get_single("TrackFlow Settings")
		self.assertEqual((settings.short_code_length, settings.enable_tracking), (8, 0))

	def test_settings_that_never_were_get_their_default(self) -> None:
		frappe.db.delete("Singles", {"doctype": "TrackFlow Settings"})
		frappe.clear_document_cache("TrackFlow Settings", "TrackFlow Settings")
		ensure_settings()
		settings = frappe.get_single("TrackFlow Settings")
		self.assertEqual(settings.attribution_window_days, 30)
		self.assertEqual(settings.default_attribution_model, "Last Touch")
		self.assertTrue(settings.reporting_currency)
		settings.save()

	def test_indexes_are_asked_for_again(self) -> None:
		"""DATA-1: a migrate repairs what is missing, and there is nothing to repair now."""
		ensure_indexes()


@needs_crm
class TestCrm(SetUpTestCase):
	"""CRM-1: fields of fixed names, and one section in each side panel, put there once."""

	def test_fields(self) -> None:
		touch = "source medium campaign first_touch_date last_touch_date touch_count"
		names = {
			"CRM Lead": f"visitor_id {touch}",
			"CRM Deal": f"visitor_id {touch} attribution_model first_touch_source last_touch_source marketing_influenced",
			"CRM Organization": "visitor_id engagement_score last_campaign",
		}
		for doctype, fields in names.items():
			wanted = [f"trackflow_{name}" for name in fields.split()]
			self.assertEqual(fieldnames(doctype), wanted)
			there = [df.fieldname for df in frappe.get_meta(doctype).fields]
			self.assertEqual([name for name in there if name.startswith("trackflow_")], wanted)

	def test_lead_and_deal_share_names_and_types(self) -> None:
		"""CRM carries fields of the same name over when a lead becomes a deal."""
		kinds = {
			doctype: {field["fieldname"]: field["fieldtype"] for field in CUSTOM_FIELDS[doctype]}
			for doctype in ("CRM Lead", "CRM Deal")
		}
		self.assertLessEqual(kinds["CRM Lead"].items(), kinds["CRM Deal"].items())

	def test_each_side_panel_has_one_section(self) -> None:
		for _time in range(2):
			crm.ensure_crm()
		for doctype in SIDE_PANEL_DOCTYPES:
			with self.subTest(doctype):
				ours = [section for section in layout_of(doctype) if section.get("name") == SECTION_NAME]
				self.assertEqual([section["columns"][0]["fields"] for section in ours], [fieldnames(doctype)])

	def test_the_rest_of_a_layout_stays(self) -> None:
		mine = [{"name": "mine", "label": "Mine", "columns": [{"name": "c", "fields": ["email"]}]}]
		set_layout("CRM Lead", mine)
		crm.forget_crm()
		crm.ensure_crm()
		self.assertEqual(layout_of("CRM Lead")[:-1], mine)
		self.assertEqual(layout_of("CRM Lead")[-1]["name"], SECTION_NAME)

	def test_who_removed_the_section_keeps_it_removed(self) -> None:
		set_layout("CRM Lead", [{"name": "mine", "columns": []}])
		install.after_migrate()
		self.assertEqual(layout_of("CRM Lead"), [{"name": "mine", "columns": []}])

	def test_who_has_our_fields_elsewhere_gets_no_section(self) -> None:
		mine = [{"name": "mine", "columns": [{"name": "c", "fields": ["trackflow_source"]}]}]
		set_layout("CRM Lead", mine)
		crm.forget_crm()
		crm.ensure_crm()
		self.assertEqual(layout_of("CRM Lead"), mine)

	def test_a_layout_that_nobody_understands_is_left_alone(self) -> None:
		for text in ("no json", '{"a": 1}'):
			frappe.db.set_value(crm.LAYOUT, layout_name("CRM Lead"), "layout", text)
			crm.forget_crm()
			crm.ensure_crm()
			crm.remove_from_crm()
			self.assertEqual(frappe.db.get_value(crm.LAYOUT, layout_name("CRM Lead"), "layout"), text)
			set_layout("CRM Lead", [])

	def test_leaving_takes_everything_along(self) -> None:
		mine = {"name": "mine", "columns": [{"name": "c", "fields": ["email", "trackflow_source"]}]}
		set_layout("CRM Lead", [mine, *layout_of("CRM Lead")])
		lead = frappe.get_doc({"doctype": "CRM Lead", "first_name": "Ada", "status": "New"}).insert()
		frappe.db.set_value("CRM Lead", lead.name, {"trackflow_source": "google", "trackflow_touch_count": 3})
		crm.remove_from_crm()
		for doctype in SIDE_PANEL_DOCTYPES:
			self.assertNotIn("trackflow", json.dumps(layout_of(doctype)))
			self.assertFalse(
				[df for df in frappe.get_meta(doctype).fields if df.fieldname.startswith("trackflow")]
			)
		self.assertEqual(layout_of("CRM Lead")[0]["columns"][0]["fields"], ["email"])
		self.assertFalse(memory.recall(crm.ADDED))
		crm.ensure_crm()
		back = frappe.db.get_value("CRM Lead", lead.name, ["trackflow_source", "trackflow_touch_count"])
		self.assertEqual(back, (None, 0))

	def test_crm_that_comes_back_gets_its_section_again(self) -> None:
		uninstall.after_app_uninstall("another_app")
		self.assertTrue(memory.recall(crm.ADDED))
		uninstall.after_app_uninstall("crm")
		set_layout("CRM Lead", [])
		install.after_app_install("crm")
		self.assertEqual([section["name"] for section in layout_of("CRM Lead")], [SECTION_NAME])


class TestUninstall(SetUpTestCase):
	"""What Frappe's uninstall leaves behind is taken away before it, in its transaction."""

	def test_nothing_of_ours_is_left(self) -> None:
		frappe.get_doc({"doctype": "ToDo", "description": "x", "reference_type": "Link Campaign"}).insert()
		user = frappe.get_doc("User", "Administrator")
		user.add_roles(*ROLES)
		settings = frappe.get_single("TrackFlow Settings")
		settings.update({"archive_http_token": "secret"}).save()
		frappe.db.set_global(trouble.KEY, "No archive.")
		uninstall.before_uninstall()
		for doctype, field in (
			("Role", "name"),
			("Has Role", "role"),
			("DocPerm", "role"),
			("Custom DocPerm", "role"),
		):
			with self.subTest(doctype):
				self.assertEqual(frappe.get_all(doctype, {field: ("in", ROLES)}, pluck="name"), [])
		self.assertEqual(
			frappe.get_all("Custom Field", {"fieldname": ("like", "trackflow%")}, pluck="name"), []
		)
		self.assertEqual(frappe.get_all("DefaultValue", {"defkey": ("like", "trackflow%")}, pluck="name"), [])
		with self.assertRaises(frappe.AuthenticationError):
			get_decrypted_password("TrackFlow Settings", "TrackFlow Settings", "archive_http_token")
		self.assertEqual(frappe.get_all("ToDo", {"reference_type": ("in", list(FIELDS))}, pluck="name"), [])
		self.assertEqual(
			frappe.get_all("Scheduled Job Type", {"method": ("like", "trackflow.%")}, pluck="name"), []
		)

	def test_cache_streams_and_spool_are_emptied(self) -> None:
		frappe.cache.set_value("trackflow:test", 1)
		connection.connect().set(connection.key("test"), 1)
		spool.append([{"a": 1}])
		(keeping.folder() / "draft.part").touch()
		with patch("frappe.get_installed_apps", return_value=["frappe"]):
			uninstall.after_uninstall()
		self.assertIsNone(frappe.cache.get_value("trackflow:test"))
		self.assertFalse(connection.connect().exists(connection.key("test")))
		self.assertFalse(list(spool.folder().iterdir()))
		self.assertFalse(list(keeping.folder().iterdir()))

	def test_files_of_exports_go(self) -> None:
		row = {"doctype": "File", "file_name": "export-test.csv", "is_private": 1, "content": "a click id"}
		bulk.insert("Conversion Export", [{"name": "export", "platform": "Meta"}])
		attached = {"attached_to_doctype": "Conversion Export", "attached_to_name": "export"}
		file = frappe.get_doc({**row, **attached}).insert()
		uninstall.before_uninstall()
		self.assertFalse(frappe.db.exists("File", file.name))
		self.assertTrue(os.path.exists(file.get_full_path()), "a dry run is rolled back")
		with patch("frappe.get_installed_apps", return_value=["frappe"]):
			uninstall.after_uninstall()
		self.assertFalse(os.path.exists(file.get_full_path()))

	def test_a_dry_run_leaves_them(self) -> None:
		spool.append([{"a": 1}])
		uninstall.after_uninstall()
		self.assertTrue(spool.size())

	def test_without_anything_installed_it_does_nothing(self) -> None:
		uninstall.before_uninstall()
		uninstall.before_uninstall()
