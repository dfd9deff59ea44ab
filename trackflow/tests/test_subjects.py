"""A data subject's export and erasure over all tables; totals stay (CRM-8, DATA-3)."""

import json
import os
import unittest
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import bulk, hooks
from trackflow.analytics.link_figures import link_analytics
from trackflow.attribution import run
from trackflow.constants.app import MODULE
from trackflow.constants.custom_fields import CUSTOM_FIELDS
from trackflow.exceptions import StreamUnavailable
from trackflow.integrations import crm_deal, crm_lead, personal_data, sweep
from trackflow.keys import click_secret
from trackflow.privacy import erasure, export, personal, subjects
from trackflow.privacy.personal import BY_DOCTYPE, NOT_PERSONAL, TABLES
from trackflow.stream import connection, drain, spool, writer
from trackflow.tests.base import HAS_CRM, TrackFlowTestCase, fork, is_shared, work
from trackflow.tests.factories import (
	SHOP,
	VISITOR,
	click_record,
	event_record,
	make_campaign,
	make_conversion,
	make_deal,
	make_lead,
	make_link,
	make_visitor,
)
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.tracking import counters, identity, repair

ADA, BOB = "ada@example.com", "bob@example.com"
PHONE, LAPTOP, BOBS = (VISITOR.format(number) for number in (1, 2, 3))
# What tells of Ada, in whatever table; her visitors' ids are added.
PERSONAL = (
	ADA,
	"Ada Lovelace",
	"198.51.100.7",
	"AdaBrowser",
	"ada-path",
	"ada-query",
	"ada-term",
	"Adatown",
	"gclid-ada",
	"order-ada",
)


class TestInventory(TrackFlowTestCase):
	"""CRM-8: every table and every field is judged; who adds one has to say what is personal in it."""

	def test_every_doctype_is_named_once(self) -> None:
		doctypes = frappe.get_all("DocType", {"module": MODULE}, pluck="name", order_by="name")
		named = [*BY_DOCTYPE, *NOT_PERSONAL]
		self.assertEqual(sorted(named), sorted(doctypes))
		self.assertEqual(len(named), len(set(named)))

	def test_every_field_is_named_once(self) -> None:
		for table in TABLES:
			with self.subTest(table.doctype):
				there = [
					df.fieldname
					for df in frappe.get_meta(table.doctype).fields
					if not df.fieldtype.endswith("Break")
				]
				references = [column for _kind, column in table.found_by]
				named = [
					*references,
					*table.mentions,
					*table.empties,
					*table.keeps,
					*table.staff,
					*table.internal,
				]
				self.assertEqual(sorted(named), sorted(there))

	def test_every_table_is_walked(self) -> None:
		walked = {
			"Visitor", "Conversion", "Attribution Link", "Link Conversion", "Lead Status Change", erasure.EXPORTED,
			*erasure.OF_VISITOR, *erasure.OF_DEAL, *erasure.LOGS,
		}  # fmt: skip
		self.assertEqual(walked, set(BY_DOCTYPE))

	def test_what_frappe_is_told_is_there(self) -> None:
		for row in hooks.user_data_fields:
			fields = {df.fieldname for df in frappe.get_meta(row["doctype"]).fields}
			self.assertLessEqual({row["filter_by"], *row.get("redact_fields", ())}, fields)


class TestWords(unittest.TestCase):
	"""CRM-8: an address within another one is another's."""

	def test_names_any(self) -> None:
		for text, expected in (
			('{"email": "Ada@Example.com"}', True),
			("ada@example.com.", True),
			("joada@example.com", False),
			("x.ada@example.com", False),
			("ada@example.com.au", False),
			("ada@example.community", False),
			("", False),
			(None, False),
		):
			self.assertEqual(personal.names_any(text, {ADA}), expected, text)
		self.assertFalse(personal.names_any("anything", ()))

	def test_website_of(self) -> None:
		for url, expected in (
			("https://news.example/ada?q=ada#x", "https://news.example/"),
			("https://ada:pw@news.example:8080/", "https://news.example/"),
			("android-app://com.example.mail/ada", "android-app://com.example.mail/"),
			("http://[::1", ""),
			("ada", ""),
		):
			self.assertEqual(erasure.website_of(url), expected)

	def test_nobody_can_name_an_erased_visitor(self) -> None:
		erased = identity.erased_id(b"key", PHONE)
		self.assertTrue(identity.is_erased(erased))
		self.assertFalse(identity.is_visitor_id(erased))
		self.assertEqual(erased, identity.erased_id(b"key", PHONE))
		self.assertNotEqual(erased, identity.erased_id(b"other", PHONE))
		self.assertFalse(identity.is_erased(PHONE) or identity.is_erased(None))


class SubjectTestCase(TrackFlowTestCase):
	"""Ada came on her phone by a short link and bought something on her laptop; Bob came too."""

	def setUp(self) -> None:
		super().setUp()
		frappe.db.delete("TrackFlow Erasure")
		campaign = make_campaign("Spring Sale").name
		variants = [{"variant_name": "A", "destination_url": f"https://{SHOP}/a"}]
		self.link = make_link("spring", campaign=campaign, variants=variants)
		self.now = datetime.now().astimezone()
		self.click = self.came(1, days_ago=9, url="https://go.example.com/r/spring?ada-query=1")["id"]
		self.came(2, days_ago=3)
		self.came(3, days_ago=4, who=BOB, mark="bob")
		self.bought(2, days_ago=2)
		self.bought(3, days_ago=1, who=BOB, mark="bob")
		drain.drain()
		work()

	def tearDown(self) -> None:
		frappe.db.rollback()
		for doctype in ("TrackFlow Erasure", *erasure.LOGS):
			frappe.db.delete(doctype)
		ours = [*BY_DOCTYPE, "CRM Lead", "CRM Deal"]
		frappe.db.delete("Deleted Document", {"deleted_doctype": ("in", ours)})
		frappe.db.commit()
		super().tearDown()

	def details(self, mark: str) -> dict[str, Any]:
		return {
			"address": "198.51.100.7" if mark == "ada" else "203.0.113.9",
			"user_agent": f"{mark.title()}Browser/1.0",
			"city": f"{mark.title()}town",
			"region": f"{mark.title()}town",
			"country": "DE",
			"referrer": f"https://news.example/{mark}-path?q={mark}-query",
			"utm": {
				"utm_source": "news",
				"utm_medium": "email",
				"utm_term": f"{mark}-term",
				"utm_content": f"{mark}-term",
			},
		}

	def came(
		self, number: int, days_ago: float, who: str = ADA, mark: str = "ada", **values: Any
	) -> dict[str, Any]:
		"""A click, its page and a form."""
		at = (self.now - timedelta(days=days_ago)).timestamp()
		click = click_record(
			self.link.name, number, at, campaign="Spring Sale", variant=self.link.variants[0].name,
			destination=f"https://{SHOP}/{mark}-path", **{**self.details(mark), **values},
		)  # fmt: skip
		page = event_record(
			number, at + 5, click_ref=click["id"], url=f"https://{SHOP}/?q={mark}-query", title=f"{mark}-path",
			click_ids={"gclid": f"gclid-{mark}"}, screen=f"{mark}-path", viewport="1x1", **self.details(mark),
		)  # fmt: skip
		form = event_record(
			number, at + 60, event_type="FORM_SUBMIT", event_name="contact", form={"values": {"email": who}},
			properties={"note": f"{mark}-query"}, person={"contact_email": who, "contact_name": "Ada Lovelace" if who == ADA else "Bob"},
			**self.details(mark),
		)  # fmt: skip
		writer.write([click, page, form])
		return click

	def bought(self, number: int, days_ago: float, who: str = ADA, mark: str = "ada") -> None:
		at = (self.now - timedelta(days=days_ago)).timestamp()
		writer.write([
			event_record(
				number, at, event_type="CONVERSION", event_name="Purchase", value="100", currency="USD", event_id=f"order-{mark}",
				**self.details(mark),
			)
		])  # fmt: skip

	def erase(self, *named: str, **options: Any) -> dict[str, int]:
		done = erasure.erase(*(named or (ADA,)), **options)
		self.assertEqual(done["status"], "Done")
		return done["rows"]

	def everything(self) -> dict[str, list[dict[str, Any]]]:
		"""All rows of all tables, with every column."""
		tables = [*BY_DOCTYPE, *NOT_PERSONAL, "Deleted Document", *(CUSTOM_FIELDS if HAS_CRM else ())]
		found = {}
		for doctype in tables:
			if not frappe.get_meta(doctype).issingle:
				table = frappe.qb.DocType(doctype)
				found[doctype] = frappe.qb.from_(table).select("*").orderby(table.name).run(as_dict=True)
		return found

	def naming(self, *words: str, tables: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
		"""DocTypes, fields and values that hold one of these texts."""
		return [
			(doctype, column, str(value))
			for doctype, rows in self.everything().items()
			if not tables or doctype in tables
			for row in rows
			for column, value in row.items()
			if any(word in str(value) for word in words)
		]

	def totals(self) -> dict[str, Any]:
		"""What reports count, by everything they count by."""

		def grouped(doctype: str, *fields: str) -> list[tuple[Any, ...]]:
			return sorted(
				tuple("" if value is None else str(value) for value in row)
				for row in frappe.get_all(doctype, fields=list(fields), as_list=True, order_by="name")
			)

		link = frappe.get_doc("Tracked Link", self.link.name)
		day = str((self.now - timedelta(days=20)).date())
		return {
			"link": {f: str(link.get(f)) for f in (
				"click_count", "scan_count", "bot_count", "unique_visitor_count", "last_click", "conversion_count", "revenue",
			)},
			"variant": link.variants[0].clicks,
			"analytics": link_analytics(self.link.name, day, str(self.now.date())),
			"clicks": grouped("Click Event", "tracked_link", "click_timestamp", "event_type", "counted", "is_unique", "country", "device_type"),
			"events": grouped("Visitor Event", "timestamp", "event_type", "event_name", "value", "country"),
			"sessions": grouped(
				"Visitor Session", "session_start", "session_end", "channel", "source", "medium", "campaign", "is_bounce", "page_views",
			),
			"touches": grouped("Touch Point", "occurred_at", "channel", "source", "medium", "link_campaign", "tracked_link"),
			"visitors": grouped("Visitor", "first_seen", "last_seen", "page_views", "engagement_score", "channel", "conversion_count"),
			"conversions": grouped("Conversion", "conversion_type", "conversion_date", "value", "currency"),
			"credits": grouped(
				"Attribution Link", "attribution_model", "position", "touch_count", "weight", "credited_value", "channel", "campaign",
				"tracked_link", "conversion_date",
			),
			"link conversions": grouped("Link Conversion", "tracked_link", "weight", "conversion_value"),
			"deals": grouped("Deal Attribution", "attribution_model", "attribution_value", "first_touch_campaign"),
			"deal links": grouped("Deal Link Association", "tracked_link", "association_type", "attribution_weight"),
			"stages": grouped("Deal Stage Change", "from_stage", "to_stage", "change_date", "campaign", "source", "medium"),
			"statuses": grouped(
				"Lead Status Change", "from_status", "to_status", "change_date", "source_campaign", "source_source", "source_medium",
			),
		}  # fmt: skip

	def assert_rebuilds_change_nothing(self) -> None:
		before = self.everything()
		self.assertEqual((counters.rebuild(), repair.rebuild_all(), repair.repair()), (0, 0, 0))
		self.assertEqual(run.rebuild()[1], 0)
		run.repair()
		self.assertEqual(self.everything(), before)


class TestFound(SubjectTestCase):
	"""CRM-8: an address or a visitor id leads to the whole person, and to nobody else."""

	def test_by_address_and_by_any_browser(self) -> None:
		for named in (ADA, PHONE, LAPTOP):
			subject = subjects.find(named)
			self.assertEqual((subject.visitors, subject.emails), ({PHONE, LAPTOP}, {ADA}))

	def test_nobody(self) -> None:
		self.assertEqual(subjects.find("nobody@example.com").visitors, set())
		self.assertFalse(export.preview(subjects.find("nobody@example.com"))["rows"])

	def test_what_is_read(self) -> None:
		self.assertEqual(subjects.read(" Ada@Example.com "), ADA)
		self.assertEqual(subjects.read(PHONE), PHONE)
		for wrong in ("", "ada", "v_1", "%", "a b@c", "@", None, 7, ["a@b"], "a@" + "b" * 200, "\ud800@b"):
			with self.subTest(ascii(wrong)), self.assertRaises(frappe.ValidationError):
				subjects.read(wrong)

	def test_texts_of_logs(self) -> None:
		for number, text in enumerate((ADA.upper(), f"jo{ADA}", PHONE, "")):
			row = {
				"name": f"log{number}",
				"request_time": now_datetime(),
				"request_data": json.dumps({"to": text}),
			}
			bulk.insert("API Request Log", [row])
		found = subjects.names(BY_DOCTYPE["API Request Log"], subjects.find(ADA))
		self.assertEqual(found, ["log0", "log2"])


class TestExport(SubjectTestCase):
	"""CRM-8: a copy of everything, of the person and of nobody else."""

	def exported(self, named: str) -> dict[str, Any]:
		file = BytesIO()
		export.write(subjects.find(named), file)
		return json.loads(file.getvalue())

	def test_all_tables(self) -> None:
		with patch.object(export, "BATCH", 2):
			found = self.exported(ADA)
		self.assertEqual(found["subject"]["visitors"], [PHONE, LAPTOP])
		tables = found["tables"]
		rows = {doctype: len(table["rows"]) for doctype, table in tables.items()}
		self.assertEqual(rows, export.preview(subjects.find(ADA))["rows"])
		self.assertEqual(
			{
				name: rows[name]
				for name in ("Visitor", "Click Event", "Visitor Event", "Visitor Session", "Conversion")
			},
			{"Visitor": 2, "Click Event": 2, "Visitor Event": 5, "Visitor Session": 3, "Conversion": 1},
		)
		text = json.dumps(found)
		for word in PERSONAL:
			self.assertIn(word, text)
		for word in (BOB, BOBS, "bob"):
			self.assertNotIn(word, text)
		form = next(row for row in tables["Visitor Event"]["rows"] if row.get("form_data"))
		self.assertEqual(form["form_data"], {"values": {"email": ADA}})
		self.assertIsNotNone(datetime.fromisoformat(form["timestamp"]).utcoffset())

	def test_nobody(self) -> None:
		self.assertEqual(self.exported("nobody@example.com")["tables"], {})


class TestErasure(SubjectTestCase):
	"""CRM-8: nothing of the person is left in any table, and no total changed, now or by any rebuild."""

	def test_nothing_is_left_and_totals_stay(self) -> None:
		before, visitors = self.totals(), frappe.db.count("Visitor")
		self.assertTrue(self.naming(*PERSONAL, PHONE, LAPTOP))
		bobs = self.naming("bob", "Bob", BOBS)
		rows = self.erase()
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])
		self.assertEqual(self.naming("bob", "Bob", BOBS), bobs)
		self.assertEqual(self.totals(), before)
		self.assertEqual(frappe.db.count("Visitor"), visitors)
		self.assertEqual(
			{
				name: rows[name]
				for name in ("Visitor", "Click Event", "Visitor Event", "Visitor Session", "Conversion")
			},
			{"Visitor": 2, "Click Event": 2, "Visitor Event": 5, "Visitor Session": 3, "Conversion": 1},
		)

	def test_rebuilds_change_nothing(self) -> None:
		self.erase()
		self.assert_rebuilds_change_nothing()

	def test_credits_of_a_model_that_comes_later(self) -> None:
		"""The journey over both browsers is still one."""
		frappe.db.delete("Attribution Link", {"attribution_model": "Linear"})
		run.rebuild()
		before = self.totals()
		self.erase()
		frappe.db.delete("Attribution Link", {"attribution_model": "Linear"})
		run.rebuild()
		self.assertEqual(self.totals(), before)

	def test_again_and_again(self) -> None:
		self.erase()
		before = self.everything()
		self.assertEqual(self.erase(), {})
		after = self.everything()
		before.pop("TrackFlow Erasure")
		after.pop("TrackFlow Erasure")
		self.assertEqual(after, before)

	def test_nothing_to_erase(self) -> None:
		self.assertEqual(self.erase("nobody@example.com"), {})

	def test_other_conversions_credits_that_name_the_visitor(self) -> None:
		"""A credit for somebody else's conversion is found by its touch point."""
		touch = frappe.get_all("Touch Point", {"visitor_id": PHONE}, pluck="name", order_by="name")[0]
		other = make_conversion(BOBS, now_datetime(), "Odd")
		bulk.insert(
			"Attribution Link",
			[{"name": "odd", "conversion": other, "touch_point": touch, "visitor_id": PHONE}],
		)
		self.erase()
		self.assertEqual(self.naming(PHONE), [])

	def test_robots_without_an_address(self) -> None:
		"""A mail scanner's click keeps its visitor where no address is kept."""
		row = {
			"name": "robot",
			"visitor_id": PHONE,
			"event_type": "Bot",
			"user_agent": "AdaBrowser",
			"counted": 0,
		}
		bulk.insert(
			"Click Event", [{**row, "click_timestamp": now_datetime(), "tracked_link": self.link.name}]
		)
		counters.rebuild()
		before = self.totals()
		self.erase()
		self.assertEqual(self.naming(PHONE, "AdaBrowser"), [])
		self.assertEqual(self.totals(), before)

	def test_a_visitor_id_alone(self) -> None:
		self.erase(PHONE)
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])

	def test_rows_of_a_visitor_that_is_gone(self) -> None:
		frappe.delete_doc("Visitor", PHONE)
		self.assertTrue(self.naming(PHONE, tables=("Deleted Document",)))
		self.erase(PHONE)
		self.assertEqual(self.naming(PHONE), [])
		self.assertEqual(frappe.db.count("Visitor"), 2)

	def test_links_do_not_hinder_a_delete(self) -> None:
		for name in frappe.get_all("Visitor", pluck="name", order_by="name"):
			frappe.delete_doc("Visitor", name)
		self.assertEqual(frappe.db.count("Visitor"), 0)


class TestWhatWaits(SubjectTestCase):
	"""CRM-8: what is on its way is stored first, or it would bring back what is gone."""

	def test_the_stream(self) -> None:
		self.came(1, days_ago=0.01)
		self.erase()
		self.assertEqual(self.naming(*PERSONAL, PHONE), [])
		self.assertEqual(frappe.db.get_value("Tracked Link", self.link.name, "click_count"), 4)
		drain.drain()
		self.assertEqual(self.naming(PHONE), [])

	def test_the_spool(self) -> None:
		spool.append([click_record(self.link.name, 1, self.now.timestamp(), address="198.51.100.7")])
		self.erase()
		self.assertEqual(self.naming(*PERSONAL, PHONE), [])
		self.assertEqual(frappe.db.get_value("Tracked Link", self.link.name, "click_count"), 4)

	def test_an_entry_in_another_drains_hands(self) -> None:
		self.came(1, days_ago=0.01)
		redis = connection.connect()
		drain._ensure_group(redis)
		redis.xreadgroup(drain.GROUP, "other", {connection.key("stream"): ">"}, count=1)
		with self.assertRaises(StreamUnavailable):
			erasure.erase(ADA, max_seconds=0.1)
		self.assertTrue(self.naming(ADA))
		self.assertEqual(frappe.db.count("TrackFlow Erasure"), 0)

	def test_without_redis_nothing_is_erased(self) -> None:
		before = self.everything()
		with (
			patch.object(connection, "connect", side_effect=StreamUnavailable("away")),
			self.assertRaises(StreamUnavailable),
		):
			erasure.erase(ADA)
		self.assertEqual(self.everything(), before)

	def test_kept_records(self) -> None:
		payloads = {
			"one": {"visitor": PHONE},
			"two": {"person": {"contact_email": ADA}},
			"three": {"visitor": BOBS},
		}
		for name, payload in payloads.items():
			values = {"name": name, "kind": "Event", "status": "Failed", "payload": json.dumps(payload)}
			bulk.insert("Click Queue", [{**values, "visitor_id": payload.get("visitor")}])
		self.erase()
		self.assertEqual(frappe.get_all("Click Queue", pluck="name"), ["three"])

	def test_torn_lines(self) -> None:
		path = spool.folder() / "1.bad"
		path.write_bytes(
			b'{"visitor": "' + PHONE.encode() + b'", "na\n{"visitor": "' + BOBS.encode() + b"\n\xff\n"
		)
		self.erase()
		self.assertEqual(path.read_bytes(), b'{"visitor": "' + BOBS.encode() + b"\n\xff\n")
		path.write_bytes(PHONE.encode() + b"\n")
		self.erase(PHONE)
		self.assertFalse(path.exists())


class TestLogs(SubjectTestCase):
	"""CRM-8: logs of programs and mails; a mail's row stays for the campaign's figures."""

	def test_each(self) -> None:
		now = now_datetime()
		bulk.insert(
			"Email Campaign Log",
			[
				{
					"name": "mail",
					"recipient": ADA,
					"status": "Clicked",
					"sent_date": now,
					"campaign": "Spring Sale",
					"message_id": f"<{ADA}>",
				}
			],
		)
		bulk.insert("CRM Sync Log", [{"name": "sync", "email": ADA, "first_name": "Ada", "payload": "{}"}])
		bulk.insert(
			"API Request Log",
			[
				{
					"name": "request",
					"request_time": now,
					"request_data": json.dumps({"email": ADA}),
					"ip_address": "198.51.100.7",
					"response_code": 202,
				}
			],
		)
		bulk.insert(
			"Webhook Delivery", [{"name": "hook", "payload": json.dumps({"email": ADA}), "status": "Failed"}]
		)
		rows = self.erase()
		for doctype in ("Email Campaign Log", "CRM Sync Log", "API Request Log", "Webhook Delivery"):
			self.assertEqual(rows[doctype], 1, doctype)
		self.assertEqual(self.naming(ADA, "198.51.100.7"), [])
		self.assertFalse(frappe.db.exists("Email Campaign Log", "mail"), "its name follows from the address")
		[mail] = frappe.get_all(
			"Email Campaign Log", fields=["recipient", "status", "campaign"], order_by="name"
		)
		self.assertEqual((mail.recipient, mail.status, mail.campaign), (None, "Clicked", "Spring Sale"))
		self.assertEqual(frappe.db.get_value("API Request Log", "request", "response_code"), 202)
		self.assertEqual((frappe.db.count("CRM Sync Log"), frappe.db.count("Webhook Delivery")), (0, 0))


class TestRecord(SubjectTestCase):
	"""CRM-8: an erasure is taken up where it was cut off, and its record tells who, when, how much, and not whom."""

	def cut_off(self, after: int) -> str:
		"""An erasure that dies after so many browsers."""
		original, done = erasure._erase_visitor, []

		def dying(work: Any, visitor_id: str) -> None:
			if len(done) == after:
				raise KeyboardInterrupt
			done.append(visitor_id)
			original(work, visitor_id)

		with patch.object(erasure, "_erase_visitor", dying), self.assertRaises(KeyboardInterrupt):
			erasure.erase(ADA, reference="ticket 7")
		frappe.db.rollback()
		return frappe.get_all("TrackFlow Erasure", pluck="name")[0]

	def test_the_job_goes_on(self) -> None:
		for after in (0, 1):
			with self.subTest(after=after):
				before = self.totals()
				record = self.cut_off(after)
				self.assertEqual(self.totals(), before)
				erasure.resume_all()
				work()
				self.assertEqual(erasure.outcome(record)["status"], "Done")
				self.assertEqual(erasure.outcome(record)["rows"]["Visitor"], 2)
				self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])
				self.assertEqual(self.totals(), before)
				self.assert_rebuilds_change_nothing()
			self.tearDown()
			self.setUp()

	def test_asking_again_goes_on(self) -> None:
		record = self.cut_off(1)
		done = erasure.erase(ADA)
		self.assertEqual((done["name"], done["status"], done["rows"]["Visitor"]), (record, "Done", 2))
		self.assert_rebuilds_change_nothing()

	def test_what_it_tells(self) -> None:
		record = self.cut_off(1)
		self.assertIn(ADA, frappe.db.get_value("TrackFlow Erasure", record, "work"))
		erasure.resume(record)
		doc = frappe.get_doc("TrackFlow Erasure", record)
		self.assertEqual((doc.status, doc.requested_by, doc.reference), ("Done", "Administrator", "ticket 7"))
		self.assertEqual(doc.row_count, sum(frappe.parse_json(doc.rows_erased).values()))
		self.assertTrue(doc.started_on and doc.finished_on)
		self.assertFalse(doc.work)
		self.assertEqual(self.naming(ADA, PHONE, LAPTOP, tables=("TrackFlow Erasure",)), [])
		erasure.resume(record)

	def test_out_of_time(self) -> None:
		with patch.object(drain, "catch_up"):
			done = erasure.erase(ADA, max_seconds=-1)
		self.assertEqual(done["status"], "Running")
		work()
		self.assertEqual(erasure.outcome(done["name"])["status"], "Done")
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])

	def test_no_key_is_left(self) -> None:
		self.erase()
		self.assertEqual(frappe.get_all("TrackFlow Erasure", {"work": ("is", "set")}), [])

	def test_the_scheduler_goes_on(self) -> None:
		self.assertIn(
			"trackflow.privacy.erasure.resume_all", frappe.get_hooks("scheduler_events")["hourly_long"]
		)


class TestAfterwards(SubjectTestCase):
	"""CRM-8: the same browser coming again is a new fact, and never leads back to the old ones."""

	def erased(self) -> list[dict[str, Any]]:
		rows = self.everything()
		return [
			row
			for name in erasure.OF_VISITOR
			for row in rows[name]
			if identity.is_erased(row.get("visitor_id") or row.get("visitor"))
		]

	def test_it_clicks_again(self) -> None:
		self.erase()
		before = self.erased()
		self.came(1, days_ago=0.001)
		drain.drain()
		self.assertEqual(self.erased(), before)
		visitor = frappe.get_doc("Visitor", PHONE)
		self.assertGreater(visitor.first_seen, now_datetime() - timedelta(hours=1))
		self.assertEqual(visitor.erased_person or "", "")
		link = frappe.db.get_value("Tracked Link", self.link.name, ["click_count", "unique_visitor_count"])
		self.assertEqual(link, (4, 4))
		self.assertEqual((counters.rebuild(), repair.rebuild_all()), (0, 0))

	def test_a_page_of_an_erased_click(self) -> None:
		"""A landing that names the click, which comes late, does not give it a name again."""
		self.erase()
		at = (self.now - timedelta(days=9)).timestamp()
		writer.write([event_record(1, at - 60, click_ref=self.click)])
		before = self.erased()
		drain.drain()
		repair.repair()
		self.assertEqual(self.erased(), before)

	def test_the_same_records_again(self) -> None:
		"""RED-8: a record that was stored is not stored anew."""
		record = self.came(1, days_ago=0.01)
		self.erase()
		writer.write([record])
		drain.drain()
		self.assertEqual(self.naming(PHONE), [])


class TestLeadsAndDeals(SubjectTestCase):
	"""CRM-8: leads and deals lose their tracking data, and no job gives them back."""

	def setUp(self) -> None:
		super().setUp()
		if not HAS_CRM:
			self.skipTest("Frappe CRM is not installed on this site")
		self.lead = make_lead(email="Ada@Example.com", trackflow_visitor_id=PHONE).name
		work()
		self.deal = make_deal(lead=self.lead, trackflow_visitor_id=PHONE)
		self.deal.update({crm_deal.value_field(): 500, "currency": "USD", "status": "Won"})
		self.deal.save()
		work()
		self.deal = self.deal.name

	def test_nothing_is_left_and_totals_stay(self) -> None:
		before = self.totals()
		self.assertEqual(len(before["conversions"]), 4)
		self.assertTrue(before["deals"])
		self.erase()
		self.assertEqual(self.totals(), before)
		ours = tuple(BY_DOCTYPE)
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP, self.lead, self.deal, tables=ours), [])
		for doctype, name in (("CRM Lead", self.lead), ("CRM Deal", self.deal)):
			doc = frappe.get_doc(doctype, name)
			fields = {field["fieldname"]: doc.get(field["fieldname"]) for field in CUSTOM_FIELDS[doctype]}
			self.assertEqual(
				{name: value for name, value in fields.items() if value}, {"trackflow_visitor_id": "erased"}
			)
		organization = frappe.get_doc("CRM Organization", "Example Works")
		self.assertFalse(
			any(organization.get(field["fieldname"]) for field in CUSTOM_FIELDS["CRM Organization"])
		)
		self.assert_rebuilds_change_nothing()

	def test_no_job_brings_them_back(self) -> None:
		self.erase()
		before = self.everything()
		crm_lead.attribute(self.lead)
		crm_deal.attribute(self.deal)
		self.assertEqual(sweep.sweep(), 0)
		crm_lead.after_credits(frappe.get_all("Conversion", pluck="name"))
		crm_deal.after_credits(frappe.get_all("Conversion", pluck="name"))
		self.assertEqual(self.everything(), before)

	def test_they_are_saved_again(self) -> None:
		self.erase()
		before = self.totals()
		lead = frappe.get_doc("CRM Lead", self.lead)
		lead.status = "Contacted"
		lead.email = "ada.new@example.com"
		lead.save()
		deal = frappe.get_doc("CRM Deal", self.deal)
		deal.status = "Negotiation"
		deal.save()
		work()
		self.assertEqual(frappe.db.get_value("CRM Lead", self.lead, "trackflow_visitor_id"), "erased")
		self.assertEqual(frappe.db.get_value("CRM Deal", self.deal, "trackflow_visitor_id"), "erased")
		self.assertEqual(self.totals(), before)

	def test_a_deal_that_comes_of_the_lead_later(self) -> None:
		self.erase()
		before = self.totals()
		deal = make_deal(lead=self.lead, trackflow_visitor_id="erased", status="Won")
		work()
		self.assertEqual(deal.trackflow_visitor_id, "erased")
		self.assertEqual(self.totals(), before)

	def test_the_mark_is_nobodys_to_bring(self) -> None:
		lead = make_lead(email="eve@example.com", trackflow_visitor_id="erased")
		self.assertFalse(lead.trackflow_visitor_id)

	def test_a_visitor_cannot_be_linked(self) -> None:
		self.erase()
		make_visitor(VISITOR.format(9))
		with self.assertRaises(frappe.ValidationError):
			crm_lead.link_visitor_to_lead(self.lead, VISITOR.format(9))
		erased = frappe.get_all("Visitor", {"erased_person": ("is", "set")}, pluck="name", order_by="name")[0]
		other = make_lead(email="eve@example.com").name
		with self.assertRaises(frappe.ValidationError):
			crm_lead.link_visitor_to_lead(other, erased)

	def test_an_erased_click_finds_nobody(self) -> None:
		self.erase()
		click = frappe.get_all("Click Event", {"visitor_id": ("like", "e_%")}, pluck="name", order_by="name")[
			0
		]
		lead = make_lead(email="eve@example.com", trackflow_visitor_id=None).name
		crm_lead.attribute(lead, identity.sign_click(click, click_secret()))
		self.assertFalse(frappe.db.get_value("CRM Lead", lead, "trackflow_visitor_id"))

	def test_a_browser_of_somebody_else_stays(self) -> None:
		"""Bob's lead was made in Ada's browser: his erasure leaves that, and hers what he did."""
		lead = make_lead(email=BOB, first_name="Bob", trackflow_visitor_id=PHONE).name
		work()
		before = self.totals()
		self.erase(BOB)
		self.assertEqual(self.totals(), before)
		self.assertTrue(frappe.db.exists("Visitor", PHONE))
		self.assertFalse(frappe.db.exists("Visitor", BOBS))
		self.assertEqual(self.naming(lead, tables=tuple(BY_DOCTYPE)), [])
		self.assertEqual(frappe.db.get_value("CRM Lead", self.lead, "trackflow_visitor_id"), PHONE)
		self.assert_rebuilds_change_nothing()

	def test_deleting_them_is_never_hindered(self) -> None:
		frappe.delete_doc("CRM Deal", self.deal)
		frappe.delete_doc("CRM Lead", self.lead)
		self.erase()
		self.assertEqual(self.naming(PHONE, LAPTOP, tables=tuple(BY_DOCTYPE)), [])

	def test_it_is_exported(self) -> None:
		file = BytesIO()
		export.write(subjects.find(ADA), file)
		tables = json.loads(file.getvalue())["tables"]
		self.assertEqual(tables["CRM Lead"]["rows"][0]["trackflow_visitor_id"], PHONE)
		self.assertTrue(
			{"CRM Deal", "Deal Attribution", "Deal Stage Change", "Lead Status Change"} <= tables.keys()
		)
		self.assertNotIn("changed_by", tables["Deal Stage Change"]["rows"][0])


class TestOverHttp(PermissionTestCase, SubjectTestCase):
	"""CRM-8, SEC-1: for System and TrackFlow Managers, by POST."""

	def call(self, user: str | None, method: str, verb: str = "POST", **data: Any) -> Any:
		headers = self.authorization(user)
		return self.request(verb, f"/api/method/trackflow.api.privacy.{method}", headers=headers, data=data)

	def test_a_manager_may(self) -> None:
		found = self.call(MANAGER, "preview", subject=ADA).json["message"]
		self.assertEqual((found["visitors"], found["rows"]["Click Event"]), ([PHONE, LAPTOP], 2))
		answer = self.call(MANAGER, "export", subject=ADA)
		self.assertEqual(answer.status_code, 200)
		self.assertIn("attachment", answer.headers["Content-Disposition"])
		self.assertEqual(answer.headers["Cache-Control"], "private, no-store")
		self.assertEqual(len(answer.json["tables"]["Visitor"]["rows"]), 2)
		done = self.call(MANAGER, "erase", subject=ADA, reference="ticket 7").json["message"]
		self.assertEqual((done["status"], done["rows"]["Visitor"]), ("Done", 2))
		self.assertEqual(frappe.db.get_value("TrackFlow Erasure", done["name"], "requested_by"), MANAGER)
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])

	def test_nobody_else_may(self) -> None:
		before = self.everything()
		for user in (CAMPAIGNER, NOBODY, None):
			for method in ("preview", "export", "erase"):
				with self.subTest(user=user, method=method):
					self.assertEqual(self.call(user, method, subject=ADA).status_code, 403)
					self.assertEqual(self.call(user, method, subject="nobody@example.com").status_code, 403)
		self.assertEqual(self.everything(), before)

	def test_not_by_get(self) -> None:
		for method in ("preview", "export", "erase"):
			self.assertEqual(self.call(MANAGER, method, "GET", subject=ADA).status_code, 403)

	def test_bad_input(self) -> None:
		for data in ({}, {"subject": ""}, {"subject": "%"}, {"subject": "v_zz"}):
			for method in ("preview", "export", "erase"):
				self.assertEqual(self.call(MANAGER, method, **data).status_code, 417)
		self.assertEqual(self.call(MANAGER, "erase", subject=ADA, reference=ADA).status_code, 417)

	def test_the_record_is_theirs_to_read(self) -> None:
		self.call(MANAGER, "erase", subject=ADA)
		(row,) = self.rows(MANAGER, "TrackFlow Erasure", "*")
		self.assertEqual(row["status"], "Done")
		self.assertNotIn("work", row)
		self.assert_refused(self.api(CAMPAIGNER, "GET", "TrackFlow Erasure"))
		self.assert_refused(self.api(MANAGER, "POST", "TrackFlow Erasure", json={"status": "Running"}))

	def test_without_redis(self) -> None:
		with patch.object(drain, "catch_up", side_effect=StreamUnavailable("away")):
			answer = self.call(MANAGER, "erase", subject=ADA)
		self.assertEqual(answer.status_code, 503)
		self.assertTrue(self.naming(ADA))


class TestFrappesRequests(SubjectTestCase):
	"""CRM-8: for Users also through Frappe's personal data requests."""

	def request_of(self, status: str, name: str = "deleted-user-0001@example.com") -> Any:
		return frappe._dict(name=name, email="Ada@example.com", status=status)

	def test_hooks(self) -> None:
		events = frappe.get_hooks("doc_events")
		self.assertIn(
			"trackflow.integrations.personal_data.on_deletion_request",
			events["Personal Data Deletion Request"]["on_change"],
		)

	def test_a_deletion(self) -> None:
		"""Frappe has put the request's name where the address stood on some rows."""
		request = self.request_of("Deleted")
		frappe.db.set_value("Visitor", PHONE, "contact_email", request.name)
		before = self.totals()
		personal_data.on_deletion_request(request)
		personal_data.on_deletion_request(request)
		work()
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])
		self.assertEqual(self.totals(), before)
		(row,) = frappe.get_all("TrackFlow Erasure", fields=["status", "reference"])
		self.assertEqual((row.status, row.reference), ("Done", request.name))

	def test_not_before_it_is_approved(self) -> None:
		for status in ("Pending Verification", "Pending Approval", "On Hold"):
			personal_data.on_deletion_request(self.request_of(status))
		self.assertEqual(frappe.db.count("TrackFlow Erasure"), 0)


class TestCommand(CommandTestCase, SubjectTestCase):
	"""CLI-1: `privacy export` and `privacy erase`."""

	def test_export(self) -> None:
		result = self.invoke("privacy", "export", ADA)
		self.assertEqual(result.exit_code, 0, result.output)
		self.assertEqual(len(json.loads(result.output)["tables"]["Visitor"]["rows"]), 2)

	def test_erase(self) -> None:
		dry = json.loads(self.invoke("privacy", "erase", ADA, "--dry-run", "--json").output)
		self.assertEqual((dry["visitors"], dry["rows"]["Visitor"]), ([PHONE, LAPTOP], 2))
		self.assertNotEqual(self.invoke("privacy", "erase", ADA, "--json").exit_code, 0)
		self.assertTrue(self.naming(ADA))
		result = self.invoke("privacy", "erase", ADA, "--yes", "--json", "--reference", "ticket 7")
		self.assertEqual(json.loads(result.output)["status"], "Done")
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])
		self.assertIn("Done", self.invoke("privacy", "erase", ADA, "--yes").output)

	def test_wrong_words(self) -> None:
		self.assertEqual(self.invoke("privacy", "erase", ADA, "--yes", "--reference", ADA).exit_code, 2)
		self.assertNotEqual(self.invoke("privacy", "export", "ada").exit_code, 0)


@unittest.skipUnless(is_shared(), "Needs a database and a Redis that processes share")
class TestAtOnce(SubjectTestCase):
	"""CRM-8, RED-8: the person clicks and buys while the data are erased; nothing is lost, doubled or left between."""

	def test_a_drain_beside_it(self) -> None:
		clicks = 40

		def click() -> None:
			for number in range(clicks):
				self.came(1 + number % 2, days_ago=number / 100)
				self.bought(1, days_ago=0.001)
				drain.drain()

		child = fork(click)
		for _again in range(5):
			erasure.erase(ADA)
		self.assertEqual(os.waitpid(child, 0)[1], 0)
		drain.drain()
		work()
		frappe.db.commit()
		self.assertEqual(frappe.db.get_value("Tracked Link", self.link.name, "click_count"), 3 + clicks)
		self.assertEqual(frappe.db.count("Click Event", {"counted": 1}), 3 + clicks)
		run.rebuild()
		self.assert_rebuilds_change_nothing()
		self.erase()
		self.assertEqual(self.naming(*PERSONAL, PHONE, LAPTOP), [])
		self.assert_rebuilds_change_nothing()
