"""Section 2 of the specification: DocTypes, fields, names, indexes, permissions (DATA-1, DATA-2, ROL-P)."""

import re

import frappe
from frappe.modules import load_doctype_module

from trackflow.constants.app import MODULE
from trackflow.constants.defaults import SETTINGS
from trackflow.constants.models import DEFAULT_MODEL, MODELS
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.naming import key_name
from trackflow.privacy.kept import OF_DEAL
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.data_model import FIELDS, LOOK_UPS
from trackflow.tracking.texts import PAGE_LENGTH

RECORDED = (
	"Click Event", "Click Queue", "Visitor", "Visitor Session", "Visitor Event", "Touch Point", "Conversion",
	"Link Conversion", "Attribution Link", "Deal Attribution", "Deal Link Association", "Deal Stage Change",
	"Lead Status Change", "Daily Rollup", "Daily Click Rollup", "API Request Log", "Webhook Delivery",
	"Email Campaign Log", "CRM Sync Log", "Cost Import Row",
)  # fmt: skip
# Recorded too, and kept as long as credits may follow from them, or as the files that they tell of: without a retention figure.
KEPT = (
	"Archive File", "Attribution Training", "Conversion Export", "Conversion Export Row", "Rollup Day", "TrackFlow Erasure",
)  # fmt: skip
SECRET = (
	"Archive File",
	"TrackFlow Settings",
	"TrackFlow API Key",
	"API Request Log",
	"Webhook Delivery",
	"CRM Sync Log",
	"Click Queue",
	"Conversion Export",
	"Conversion Export Row",
	"TrackFlow Erasure",
)
# Rows about leads and deals, for those whose roles in the CRM show them these.
OF_CRM = ("Deal Attribution", "Deal Link Association", "Deal Stage Change", "Lead Status Change")
GUARDED = {
	"Visitor Event": {"form_data"},
	"Visitor": {"contact_email", "contact_name", "crm_lead"},
	"Conversion": {"crm_lead", "crm_deal", "source_name", "external_id"},
	"Email Campaign Log": {
		"recipient",
		"reference_doctype",
		"reference_name",
		"message_id",
		"error_message",
		"traces",
	},
}
OWN = ("Campaign Mailing", "Link Campaign", "Tracked Link", "Link Template", "Waste Acknowledgement")
NO_VALUE = ("Tab Break", "Section Break", "Column Break")


def own_doctypes() -> list[str]:
	return frappe.get_all("DocType", {"module": MODULE}, pluck="name", order_by="name")


def indexes_of(doctype: str) -> dict[str, tuple[str, ...]]:
	return getattr(load_doctype_module(doctype), "INDEXES", {})


class TestDocTypes(TrackFlowTestCase):
	"""Every DocType of section 2 is there, with its fields."""

	def test_all_exist_with_their_fields(self) -> None:
		for doctype, fields in FIELDS.items():
			with self.subTest(doctype):
				there = {df.fieldname for df in frappe.get_meta(doctype).fields}
				self.assertEqual(sorted(set(fields.split()) - there), [])

	def test_there_are_no_others(self) -> None:
		self.assertEqual(sorted(own_doctypes()), sorted(FIELDS))

	def test_every_child_table_has_a_parent_that_shows_it(self) -> None:
		shown = {
			df.options for name in FIELDS for df in frappe.get_meta(name).fields if df.fieldtype == "Table"
		}
		self.assertEqual(shown, {name for name in FIELDS if frappe.get_meta(name).istable})

	def test_addresses_are_never_short_texts(self) -> None:
		"""A URL, referrer or user agent in a Data field would be cut at 140 characters."""
		for doctype in FIELDS:
			for df in frappe.get_meta(doctype).fields:
				named = re.search(r"(^|_)(url|referrer|page|link)$|user_agent|url_template", df.fieldname)
				# A key of sums, which is no longer than its field.
				is_key = (doctype, df.fieldname, df.length) == ("Daily Click Rollup", "page", PAGE_LENGTH)
				if named and df.fieldtype != "Int" and not is_key:
					with self.subTest(doctype, field=df.fieldname):
						self.assertIn(df.fieldtype, ("Small Text", "Long Text", "Link"))

	def test_money_has_its_currency_beside_it(self) -> None:
		for doctype in FIELDS:
			meta = frappe.get_meta(doctype)
			for df in meta.fields:
				if df.fieldtype == "Currency":
					with self.subTest(doctype, field=df.fieldname):
						self.assertEqual(meta.get_field(df.options).options, "Currency")

	def test_links_of_recorded_rows_lead_somewhere(self) -> None:
		for doctype in FIELDS:
			for df in frappe.get_meta(doctype).fields:
				if df.fieldtype in ("Link", "Table"):
					with self.subTest(doctype, field=df.fieldname):
						self.assertTrue(frappe.db.exists("DocType", df.options))

	def test_nothing_refers_to_crm_by_a_link(self) -> None:
		"""Without CRM its DocTypes do not exist (section 2)."""
		for doctype in FIELDS:
			for df in frappe.get_meta(doctype).fields:
				refers = df.fieldtype == "Link" and str(df.options).startswith("CRM ")
				self.assertFalse(refers and df.options not in FIELDS, (doctype, df.fieldname))

	def test_every_setting_says_what_it_does(self) -> None:
		for df in frappe.get_meta("TrackFlow Settings").fields:
			if df.fieldtype in NO_VALUE or df.fieldtype == "Table":
				continue
			with self.subTest(df.fieldname):
				explained = df.description or re.match(r"(limit|retention|engagement|waste)_", df.fieldname)
				self.assertTrue(explained)

	def test_recorded_rows_keep_no_versions(self) -> None:
		"""DATA-2"""
		for doctype in (*RECORDED, *KEPT):
			with self.subTest(doctype):
				self.assertFalse(frappe.get_meta(doctype).track_changes)


class TestIndexes(TrackFlowTestCase):
	"""DATA-1: declared beside the DocType, there after a migrate."""

	def test_declared_indexes_exist(self) -> None:
		for doctype in FIELDS:
			for name in indexes_of(doctype):
				with self.subTest(doctype, index=name):
					self.assertTrue(frappe.db.has_index(f"tab{doctype}", name))

	def test_names_are_unique_and_short(self) -> None:
		"""SQLite has one name space for the indexes of all tables, MariaDB takes 64 characters."""
		names = [name for doctype in FIELDS for name in indexes_of(doctype)]
		self.assertEqual(len(names), len(set(names)))
		self.assertLess(max(map(len, names)), 64)

	def test_columns_exist(self) -> None:
		for doctype in FIELDS:
			known = {df.fieldname for df in frappe.get_meta(doctype).fields} | {
				"creation",
				"modified",
				"name",
			}
			for name, columns in indexes_of(doctype).items():
				with self.subTest(doctype, index=name):
					self.assertEqual(set(columns) - known, set())

	def test_look_ups_of_seeds_and_hot_paths(self) -> None:
		for doctype, look_ups in LOOK_UPS.items():
			for look_up in look_ups:
				wanted = tuple(look_up.split())
				with self.subTest(doctype, look_up=look_up):
					declared = indexes_of(doctype).values()
					self.assertTrue(any(tuple(columns[: len(wanted)]) == wanted for columns in declared))


class TestNames(TrackFlowTestCase):
	"""A unique key that can hold empty parts is the hash of the key, used as name."""

	def test_key_names_tell_parts_apart(self) -> None:
		self.assertEqual(key_name("a", None), key_name("a", ""))
		self.assertNotEqual(key_name("a", "b"), key_name("ab", ""))
		self.assertNotEqual(key_name("a", "b"), key_name("b", "a"))
		self.assertRegex(key_name("a"), r"^[0-9a-f]{32}$")

	def test_costs_of_one_day_are_entered_once(self) -> None:
		row = {
			"doctype": "Daily Campaign Metric",
			"date": "2026-03-01",
			"platform": "Meta",
			"currency": "USD",
			"spend": 5,
		}
		first = frappe.get_doc(row).insert()
		self.assertEqual(first.name, key_name("2026-03-01", "Meta", "", "", ""))
		with self.assertRaises(frappe.DuplicateEntryError):
			frappe.get_doc(row).insert()
		for ad in ("7", "8"):
			frappe.get_doc({**row, "date": "2026-03-02", "external_ad_id": ad}).insert()

	def test_an_exchange_rate_is_entered_once_a_day(self) -> None:
		row = {
			"doctype": "TrackFlow Exchange Rate",
			"from_currency": "EUR",
			"to_currency": "USD",
			"rate": 1.1,
		}
		frappe.get_doc({**row, "date": "2026-03-01"}).insert()
		with self.assertRaises(frappe.DuplicateEntryError):
			frappe.get_doc({**row, "date": "2026-03-01", "rate": 1.2}).insert()
		frappe.get_doc({**row, "date": "2026-03-02"}).insert()

	def test_recorded_rows_keep_the_name_they_are_given(self) -> None:
		touch = {
			"doctype": "Touch Point",
			"occurred_at": "2026-03-01 10:00:00",
			"visitor_id": "v_00000000000000aa",
		}
		frappe.get_doc({"doctype": "Visitor", "visitor_id": "v_00000000000000aa"}).insert()
		self.assertEqual(frappe.get_doc({**touch, "name": "given"}).insert().name, "given")
		self.assertTrue(frappe.get_doc(touch).insert().name)

	def test_a_conversion_is_recorded_once_for_each_external_id(self) -> None:
		row = {
			"doctype": "Conversion",
			"conversion_type": "Purchase",
			"conversion_date": "2026-03-01 10:00:00",
		}
		frappe.get_doc({**row, "external_id": "4711"}).insert()
		with self.assertRaises(frappe.DuplicateEntryError):
			frappe.get_doc({**row, "external_id": "4711"}).insert()
		frappe.get_doc({**row, "external_id": "4711", "conversion_type": "Refund"}).insert()
		for _number in range(2):
			frappe.get_doc(row).insert()


class TestRatios(TrackFlowTestCase):
	"""ROL-1: what cannot be divided is empty, not zero or infinity."""

	def test_missing_denominators_give_empty(self) -> None:
		row = frappe.get_doc({"doctype": "Daily Rollup", "spend": 100, "clicks": 0, "conversions": 0})
		self.assertEqual((row.cpa, row.cpc, row.ctr), (None, None, None))
		self.assertEqual(row.roas, 0)

	def test_ratios(self) -> None:
		values = {"spend": 100, "clicks": 50, "impressions": 1000, "conversions": 4, "conversion_value": 300}
		row = frappe.get_doc({"doctype": "Daily Rollup", **values})
		self.assertEqual((row.cpa, row.roas, row.ctr, row.cpc), (25, 3, 5, 2))


class TestPermissions(TrackFlowTestCase):
	"""ROL-P: who may do what, as the DocTypes declare it."""

	def allowed(self, doctype: str, role: str) -> set[str]:
		rights = ("read", "write", "create", "delete")
		return {
			right
			for row in frappe.get_meta(doctype).permissions
			if row.role == role and not row.permlevel
			for right in rights
			if row.get(right)
		}

	def test_managers_may_see_and_remove_everything(self) -> None:
		for doctype in FIELDS:
			if not frappe.get_meta(doctype).istable:
				for role in ("System Manager", TRACKFLOW_MANAGER):
					with self.subTest(doctype, role=role):
						self.assertLessEqual({"read", "delete"}, self.allowed(doctype, role))

	def test_nobody_types_what_is_recorded(self) -> None:
		for doctype in (*RECORDED, *KEPT):
			for role in ("System Manager", TRACKFLOW_MANAGER, CAMPAIGN_MANAGER):
				with self.subTest(doctype, role=role):
					self.assertFalse({"write", "create"} & self.allowed(doctype, role))

	def test_campaign_managers_own_campaigns_links_and_templates(self) -> None:
		for doctype in OWN:
			self.assertEqual(self.allowed(doctype, CAMPAIGN_MANAGER), {"read", "write", "create", "delete"})

	def test_campaign_managers_read_analytics_and_nothing_secret(self) -> None:
		for doctype in FIELDS:
			if doctype in OWN or frappe.get_meta(doctype).istable:
				continue
			with self.subTest(doctype):
				expected = set() if doctype in (*SECRET, *OF_CRM) else {"read"}
				self.assertEqual(self.allowed(doctype, CAMPAIGN_MANAGER), expected)

	def test_contact_and_crm_fields_have_a_level_of_their_own(self) -> None:
		for doctype in FIELDS:
			meta = frappe.get_meta(doctype)
			if doctype in ("TrackFlow API Key", "TrackFlow Erasure", "TrackFlow Settings"):
				continue
			with self.subTest(doctype):
				levels = {df.fieldname: df.permlevel for df in meta.fields if df.permlevel}
				self.assertEqual(levels, dict.fromkeys(GUARDED.get(doctype, ()), 1))
				roles = {row.role for row in meta.permissions if row.permlevel and row.read}
				expected = {"System Manager", TRACKFLOW_MANAGER} if doctype in GUARDED else set()
				self.assertEqual(roles, expected)

	def test_where_archives_go_is_said_by_system_managers(self) -> None:
		"""RET-1: who may send files elsewhere holds the server, not only TrackFlow."""
		meta = frappe.get_meta("TrackFlow Settings")
		levels = {df.fieldname: df.permlevel for df in meta.fields if df.permlevel}
		values = [df.fieldname for df in meta.fields if df.fieldname.startswith("archive_") and df.label]
		self.assertEqual(levels, dict.fromkeys(values, 1))
		self.assertEqual({row.role for row in meta.permissions if row.permlevel}, {"System Manager"})

	def test_guests_have_no_permission_at_all(self) -> None:
		for doctype in FIELDS:
			self.assertFalse(self.allowed(doctype, "Guest") | self.allowed(doctype, "All"), doctype)

	def test_the_hash_of_a_key_and_the_key_of_an_erasure_are_shown_to_nobody(self) -> None:
		for doctype, name in (("TrackFlow API Key", "secret_hash"), ("TrackFlow Erasure", "work")):
			meta = frappe.get_meta(doctype)
			field = meta.get_field(name)
			self.assertTrue(field.hidden)
			self.assertNotIn(field.permlevel, {row.permlevel for row in meta.permissions})


class TestDefaults(TrackFlowTestCase):
	"""The settings of a new site are those of section 2, in the form as in the constants."""

	def test_defaults_of_the_specification(self) -> None:
		expected = {
			"enable_tracking": 1,
			"auto_generate_short_codes": 1,
			"short_code_length": 6,
			"attribution_window_days": 30,
			"gdpr_compliance_enabled": 1,
			"cookie_consent_required": 1,
			"anonymize_ip_addresses": 0,
			"cookie_expires_days": 365,
			"exclude_internal_traffic": 0,
			"session_timeout_minutes": 30,
			"limit_events_per_address_minute": 100,
			"limit_events_per_site_minute": 10000,
			"limit_api_requests_per_key_hour": 1000,
			"limit_management_requests_per_address_hour": 100,
			"retention_click_event": 730,
			"retention_visitor_event": 365,
			"retention_visitor_session": 365,
			"retention_click_queue": 7,
			"retention_api_request_log": 90,
		}
		self.assertEqual({field: SETTINGS[field] for field in expected}, expected)
		self.assertEqual(DEFAULT_MODEL, "Last Touch")

	def test_form_and_constants_agree(self) -> None:
		meta = frappe.get_meta("TrackFlow Settings")
		for field, value in SETTINGS.items():
			with self.subTest(field):
				self.assertEqual(str(meta.get_field(field).default or (0 if value == 0 else "")), str(value))
		for df in meta.fields:
			if df.default and df.fieldtype not in NO_VALUE:
				self.assertIn(df.fieldname, SETTINGS)

	def test_every_table_has_a_retention_figure(self) -> None:
		"""RET-1: its own, or that of the conversions that its rows belong to."""
		fields = {df.fieldname for df in frappe.get_meta("TrackFlow Settings").fields}
		kept = (*RECORDED, "Daily Campaign Metric", "TrackFlow Exchange Rate")
		missing = {doctype for doctype in kept if f"retention_{frappe.scrub(doctype)}" not in fields}
		self.assertEqual(missing, {"Attribution Link", "Link Conversion", *OF_DEAL})

	def test_model_types_are_offered(self) -> None:
		"""ATT-1"""
		offered = frappe.get_meta("Attribution Model").get_field("model_type").options.split("\n")
		self.assertEqual({model["model_type"] for model in MODELS}, set(offered))
