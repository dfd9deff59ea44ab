"""What TrackFlow relies on of its host, part three: singles, deletion, metadata, custom fields, hooks, time,
addresses and commands (HOST-1, HOST-2).
"""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from click.testing import CliRunner
from frappe import _
from frappe.commands import get_site, pass_context
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields
from frappe.modules import load_doctype_module
from frappe.translate import get_all_translations
from frappe.utils import (
	add_days,
	cint,
	cstr,
	flt,
	get_datetime,
	get_system_timezone,
	get_url,
	getdate,
	now_datetime,
)
from frappe.utils.password import get_encryption_key
from frappe.utils.scheduler import is_scheduler_disabled

from trackflow.naming import key_name
from trackflow.tests.base import TrackFlowTestCase, is_bench
from trackflow.tests.factories import make_campaign, make_domain, make_link


class TestSingles(TrackFlowTestCase):
	"""HOST-2: a document without a table."""

	doctype = "TrackFlow Settings"

	def test_document(self) -> None:
		settings = frappe.get_single(self.doctype)
		self.assertEqual((settings.name, settings.doctype), (self.doctype,) * 2)
		settings.short_code_length = "9"
		settings.append("internal_ip_ranges", {"ip_range": "10.0.0.0/8"})
		settings.save()
		self.assertEqual(
			[row.ip_range for row in frappe.get_single(self.doctype).internal_ip_ranges], ["10.0.0.0/8"]
		)
		self.assertEqual(frappe.get_cached_doc(self.doctype).short_code_length, 9)

	def test_values(self) -> None:
		frappe.db.set_single_value(self.doctype, "short_code_length", 8)
		self.assertEqual(frappe.db.get_single_value(self.doctype, "short_code_length"), 8)
		frappe.db.set_single_value(
			self.doctype, {"short_code_length": 10, "enable_tracking": 0}, update_modified=False
		)
		self.assertEqual(frappe.db.get_single_value(self.doctype, "short_code_length"), 10)
		self.assertEqual(frappe.db.get_value(self.doctype, None, "short_code_length"), "10")
		stored = frappe.db.get_singles_dict(self.doctype)
		self.assertEqual((stored["short_code_length"], stored["enable_tracking"]), ("10", "0"))
		frappe.clear_document_cache(self.doctype, self.doctype)
		self.assertEqual(cint(frappe.get_cached_doc(self.doctype).enable_tracking), 0)

	def test_a_value_can_be_taken_away(self) -> None:
		frappe.db.set_single_value(self.doctype, "trusted_proxies", "10.0.0.1")
		frappe.db.set_single_value(self.doctype, "trusted_proxies", None)
		self.assertFalse(frappe.db.get_single_value(self.doctype, "trusted_proxies"))

	def test_rows_can_be_deleted(self) -> None:
		frappe.db.delete("Singles", {"doctype": self.doctype, "field": "short_code_length"})
		self.assertNotIn("short_code_length", frappe.db.get_singles_dict(self.doctype))


class TestDeletion(TrackFlowTestCase):
	"""HOST-2: what blocks a delete, and what does not."""

	def test_a_link_blocks_and_force_does_not_ask(self) -> None:
		make_campaign()
		link = make_link("abc", campaign="Spring Sale")
		with self.assertRaises(frappe.LinkExistsError):
			frappe.delete_doc("Link Campaign", "Spring Sale")
		frappe.delete_doc("Link Campaign", "Spring Sale", force=True)
		self.assertEqual(frappe.db.get_value("Tracked Link", link.name, "campaign"), "Spring Sale")

	def test_ignored_doctypes_do_not_block(self) -> None:
		link = make_link("abc")
		click = {"doctype": "Click Event", "event_type": "Click", "click_timestamp": now_datetime()}
		frappe.get_doc({**click, "tracked_link": link.name}).insert()
		link.delete()
		self.assertEqual((frappe.db.count("Tracked Link"), frappe.db.count("Click Event")), (0, 1))

	def test_children_go_too(self) -> None:
		link = make_link(
			"abc", variants=[{"variant_name": "A", "destination_url": "https://shop.example.com/other"}]
		)
		frappe.delete_doc("Tracked Link", link.name, delete_permanently=True)
		self.assertEqual(frappe.db.count("Campaign Link Variant", {"parent": link.name}), 0)

	def test_what_is_missing_is_ignored_unless_asked(self) -> None:
		frappe.delete_doc("Link Campaign", "none")
		with self.assertRaises(frappe.DoesNotExistError):
			frappe.delete_doc("Link Campaign", "none", ignore_missing=False)

	def test_on_trash_can_refuse(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			frappe.delete_doc("Attribution Model", "Last Touch")
		self.assertTrue(frappe.db.exists("Attribution Model", "Last Touch"))


class TestMeta(TrackFlowTestCase):
	"""HOST-2: what a DocType says of itself."""

	def test_fields(self) -> None:
		meta = frappe.get_meta("Tracked Link")
		self.assertTrue(meta.has_field("short_code"))
		self.assertFalse(meta.has_field("nonsense"))
		self.assertIsNone(meta.get_field("nonsense"))
		field = meta.get_field("status")
		self.assertEqual(
			(field.fieldname, field.fieldtype, field.options[:6]), ("status", "Select", "Active")
		)
		self.assertEqual(meta.get_label("target_url"), "Target URL")
		self.assertIn("variants", [df.fieldname for df in meta.fields if df.fieldtype == "Table"])
		self.assertEqual((meta.istable, meta.issingle, meta.module), (0, 0, "TrackFlow"))
		self.assertTrue(frappe.get_meta("Campaign Link Variant").istable)
		self.assertTrue(frappe.get_meta("TrackFlow Settings").issingle)
		self.assertIn("Campaign Manager", [row.role for row in meta.permissions])

	def test_missing(self) -> None:
		with self.assertRaises(frappe.DoesNotExistError):
			frappe.get_meta("No Such DocType")

	def test_modules(self) -> None:
		module = load_doctype_module("Tracked Link")
		self.assertEqual(module.__name__, "trackflow.trackflow.doctype.tracked_link.tracked_link")
		self.assertIs(type(frappe.new_doc("Tracked Link")), module.TrackedLink)
		self.assertIn("Tracked Link", frappe.get_all("DocType", {"module": "TrackFlow"}, pluck="name"))


class TestCustomFields(TrackFlowTestCase):
	"""HOST-2, CRM-1: fields that an app adds to another's DocType."""

	doctype, fieldname = "Link Template", "contract_note"

	def tearDown(self) -> None:
		self.remove()
		super().tearDown()

	def remove(self) -> None:
		for name in frappe.get_all(
			"Custom Field", {"dt": self.doctype, "fieldname": self.fieldname}, pluck="name"
		):
			frappe.delete_doc(
				"Custom Field", name, ignore_permissions=True, force=True, delete_permanently=True
			)
		frappe.clear_cache(doctype=self.doctype)
		frappe.db.commit()
		if is_bench():
			# Frappe keeps the column of a removed field until somebody trims the table.
			from frappe.model.meta import trim_table

			trim_table(self.doctype, dry_run=False)

	def test_come_and_go(self) -> None:
		field = {
			"fieldname": self.fieldname,
			"label": "Note",
			"fieldtype": "Data",
			"insert_after": "template_name",
		}
		for _again in range(2):
			create_custom_fields({self.doctype: [field]})
		self.assertEqual(
			frappe.get_all("Custom Field", {"dt": self.doctype}, pluck="fieldname"), [self.fieldname]
		)
		self.assertTrue(frappe.get_meta(self.doctype).has_field(self.fieldname))
		self.assertTrue(frappe.db.has_column(self.doctype, self.fieldname))
		template = {
			"doctype": self.doctype,
			"template_name": "x",
			"url_template": "https://shop.example.com/",
		}
		doc = frappe.get_doc({**template, self.fieldname: "kept"}).insert()
		self.assertEqual(frappe.db.get_value(self.doctype, doc.name, self.fieldname), "kept")
		doc.delete()
		self.remove()
		self.assertFalse(frappe.get_meta(self.doctype).has_field(self.fieldname))
		self.assertEqual(frappe.db.count("Custom Field", {"dt": self.doctype}), 0)


class TestHooks(TrackFlowTestCase):
	"""HOST-2: what hooks.py says, merged over the apps."""

	def test_merged(self) -> None:
		everything = frappe.get_hooks()
		self.assertEqual(frappe.get_hooks("trackflow_credited"), everything["trackflow_credited"])
		self.assertIn("trackflow.redirect.handler.answer_short_link", frappe.get_hooks("before_request"))
		events = frappe.get_hooks("doc_events")["CRM Lead"]["on_update"]
		self.assertIn("trackflow.integrations.crm_lead.on_update", events)
		self.assertEqual(frappe.get_hooks("no_such_hook"), [])
		self.assertEqual(frappe.get_hooks("app_name", app_name="trackflow"), ["trackflow"])
		self.assertLessEqual({"Click Event", "Visitor"}, set(frappe.get_hooks("ignore_links_on_delete")))

	def test_apps_in_their_order(self) -> None:
		apps = frappe.get_installed_apps()
		self.assertEqual(apps[0], "frappe")
		self.assertIn("trackflow", apps)

	def test_functions_by_name(self) -> None:
		self.assertEqual(frappe.get_attr("trackflow.naming.key_name")("a"), key_name("a"))
		with self.assertRaises((AttributeError, ImportError, frappe.ValidationError)):
			frappe.get_attr("trackflow.naming.nothing")


class TestTime(TrackFlowTestCase):
	"""HOST-2: naive times in the site's zone, whatever that is."""

	def test_now(self) -> None:
		here = datetime.now(UTC).astimezone(ZoneInfo(get_system_timezone())).replace(tzinfo=None)
		self.assertLess(abs(now_datetime() - here), timedelta(seconds=5))

	def test_reading(self) -> None:
		moment = datetime(2026, 2, 3, 4, 5, 6)
		for given in ("2026-02-03 04:05:06", "2026-02-03T04:05:06", moment):
			self.assertEqual(get_datetime(given), moment)
		self.assertEqual(get_datetime("2026-02-03 04:05:06.5"), moment + timedelta(seconds=0.5))
		self.assertEqual(get_datetime(date(2026, 2, 3)), datetime(2026, 2, 3))
		for given in ("2026-02-03", "2026-02-03 04:05:06", moment, moment.date()):
			self.assertEqual(getdate(given), date(2026, 2, 3))
		self.assertEqual(getdate(), now_datetime().date())
		self.assertEqual(add_days(date(2026, 2, 28), 1), date(2026, 3, 1))
		self.assertEqual(add_days(moment, -1), moment - timedelta(days=1))


class TestHelpers(TrackFlowTestCase):
	"""HOST-2: small functions that everything uses."""

	def test_numbers_and_texts(self) -> None:
		self.assertEqual([cint(value) for value in ("7", 7.9, None, "", "x", True)], [7, 7, 0, 0, 0, 1])
		self.assertEqual([flt(value) for value in ("7.5", None, "", "x", 2)], [7.5, 0.0, 0.0, 0.0, 2.0])
		self.assertEqual(flt("1.23456", 2), 1.23)
		self.assertEqual(
			[cstr(value) for value in (None, "", 0, "x", date(2026, 2, 3))], ["", "", "0", "x", "2026-02-03"]
		)
		self.assertEqual(
			_("A text that nobody translated: {0}").format("x"), "A text that nobody translated: x"
		)

	def test_translations_of_the_sites_own_go_before_those_of_apps(self) -> None:
		text = "A text that the site alone translates"
		values = {"language": "de", "source_text": text, "translated_text": "Ein Text"}
		translation = frappe.get_doc({"doctype": "Translation", **values}).insert()
		self.assertEqual([_(text, lang="de"), _(text, lang="en")], ["Ein Text", text])
		self.assertEqual(get_all_translations("de")[text], "Ein Text")
		translation.translated_text = "Ein Satz"
		translation.save()
		self.assertEqual(_(text, lang="de"), "Ein Satz")
		translation.delete()
		self.assertEqual(_(text, lang="de"), text)

	def test_json(self) -> None:
		self.assertEqual(frappe.parse_json('{"a": [1, "b"]}'), {"a": [1, "b"]})
		self.assertEqual(
			(frappe.parse_json({"a": 1}), frappe.parse_json(None), frappe.parse_json([1])),
			({"a": 1}, None, [1]),
		)
		with self.assertRaises(ValueError):
			frappe.parse_json("{")
		text = frappe.as_json({"b": 1, "a": datetime(2026, 2, 3, 4, 5, 6), "c": date(2026, 2, 3)}, indent=1)
		self.assertEqual(json.loads(text), {"a": "2026-02-03 04:05:06", "b": 1, "c": "2026-02-03"})
		self.assertLess(text.index('"a"'), text.index('"b"'))

	def test_dictionaries(self) -> None:
		row = frappe._dict(a=1)
		row.b = 2
		self.assertEqual((row.a, row["b"], row.c, row.get("c", 3)), (1, 2, None, 3))

	def test_addresses(self) -> None:
		self.assertRegex(get_url(), r"^https?://[^/]+$")
		self.assertEqual(get_url("/x"), get_url() + "/x")

	def test_site(self) -> None:
		self.assertTrue(frappe.get_site_path("private", "x").endswith(f"{frappe.local.site}/private/x"))
		self.assertTrue(frappe.conf.db_name)
		self.assertGreaterEqual(len(get_encryption_key()), 32)
		self.assertEqual(get_encryption_key(), get_encryption_key())
		self.assertIsInstance(is_scheduler_disabled(), bool)
		self.assertTrue(frappe.__version__.partition(".")[0].isdigit())

	def test_logs(self) -> None:
		frappe.logger("trackflow").info("A line of the host contract")
		before = frappe.db.count("Error Log")
		frappe.log_error(title="Contract", message="It went wrong")
		frappe.db.commit()
		self.assertEqual(frappe.db.count("Error Log"), before + 1)
		last = frappe.get_last_doc("Error Log", {"method": "Contract"})
		self.assertEqual(last.error, "It went wrong")
		last.delete()
		frappe.db.commit()

	def test_log_of_the_present_exception(self) -> None:
		try:
			raise ValueError("contract breach")
		except ValueError:
			frappe.log_error(title="Contract")
		last = frappe.get_last_doc("Error Log", {"method": "Contract"})
		self.assertIn("contract breach", last.error)
		frappe.db.delete("Error Log", {"method": "Contract"})
		frappe.db.commit()


class TestCommands(TrackFlowTestCase):
	"""HOST-2, CLI-1: commands get the site from the host."""

	def test_site_of_a_command(self) -> None:
		import click

		@click.command()
		@pass_context
		def show(context: Any) -> None:
			click.echo(get_site(context))

		result = CliRunner().invoke(
			show, obj=frappe._dict(sites=["one.localhost"], force=False, verbose=False, profile=False)
		)
		self.assertEqual((result.exit_code, result.output.split()), (0, ["one.localhost"]))
