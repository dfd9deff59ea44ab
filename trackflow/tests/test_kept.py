"""Conversions that are due by their age become nobody's, and no total changes, now or by any rebuild: RET-1, DATA-3."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.desk import query_report
from frappe.utils import getdate, now_datetime

from trackflow import bulk
from trackflow.analytics import link_performance
from trackflow.analytics.scope import Period
from trackflow.api import analytics, attribution, campaign
from trackflow.api.links import get_link_analytics
from trackflow.attribution import comparing, explain, link_totals, run, training
from trackflow.click_rollups import run as click_rollups
from trackflow.integrations import crm_deal, crm_lead, explained, sweep
from trackflow.offline import exports, files, gather
from trackflow.offline.exports import EXPORT
from trackflow.privacy import aged, due, erasure, export, kept, retention, subjects
from trackflow.privacy.archive import keeping, restoring
from trackflow.privacy.personal import BY_DOCTYPE, NOT_PERSONAL
from trackflow.rollups import campaign_figures
from trackflow.rollups import run as rollup
from trackflow.stream import writer
from trackflow.stream.drain import drain
from trackflow.tests.base import (
	HAS_CRM,
	TrackFlowTestCase,
	counted_statements,
	fork,
	is_shared,
	needs_crm,
	work,
)
from trackflow.tests.factories import (
	SHOP,
	VISITOR,
	changed_model,
	click_record,
	consent,
	event_record,
	make_campaign,
	make_conversion,
	make_cost,
	make_deal,
	make_domain,
	make_lead,
	make_link,
	set_settings,
)
from trackflow.tests.test_click_rollups import _without_estimates
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tracking import conversions, counters, identity, repair

PHONE, LAPTOP, BOB, EVE, CY, FAY = (VISITOR.format(number) for number in range(1, 7))
ADA = "ada@example.com"
# What tells of Ada, Cy and Eve, in whatever table.
PERSONAL = (
	PHONE,
	LAPTOP,
	EVE,
	CY,
	ADA,
	"Ada Lovelace",
	"query-of-1",
	"query-of-2",
	"query-of-4",
	"query-of-5",
	"gclid-ada",
	"order-ada",
	"order-cy",
)
DAY = timedelta(days=1)
FIGURE = 500
# Which of a table's rows are how old: all of Ada's are older than any figure here.
DUE = {"retention_conversion": FIGURE}
# Everything of visitors that is older than anybody's young conversion; then the steps of leads and deals too, which name them.
ALL_DUE = {**DUE, **{table.setting: 450 for table in due.TABLES if table.visitor}}
STEPS_DUE = {"retention_deal_stage_change": 450, "retention_lead_status_change": 450}
# Days ago: of Ada and Bob, of Cy and Fay, of Bob again.
PERIODS = {"old": (813, 799), "middle": (521, 494), "new": (13, 0)}
REPORTS = (
	"Campaign Performance",
	"Spend and Waste",
	"Attribution Model Comparison",
	"Conversion Funnel",
	"Velocity",
)
FIGURES = ("click_count", "unique_visitor_count", "conversion_count", "revenue")


class KeptTestCase(TrackFlowTestCase):
	"""Ada came on her phone by an ad's link, then on her laptop, and bought there; with CRM she became a lead and a deal too. Bob
	bought long ago and again lately. Eve bought nothing. What Cy did is due before his touches are, and Fay's is not due yet."""

	def setUp(self) -> None:
		super().setUp()
		make_domain(SHOP)
		set_settings(
			reporting_currency="USD",
			counted_conversion_types="Lead\nPurchase",
			valued_conversion_types="Purchase\nDeal Won",
		)
		make_campaign("Spring Sale", external_campaign_id="123", platform="Meta")
		self.link = make_link("spring", campaign="Spring Sale").name
		self.now = datetime.now(gather.zone()).replace(microsecond=0)
		frappe.db.set_value("Tracked Link", self.link, "creation", now_datetime() - 900 * DAY)
		self.came(1, 812, gclid="gclid-ada", who=ADA)
		self.came(2, 806, campaign="mail", who=ADA)
		self.visited(2, 805.5)
		self.bought(2, 805, "order-ada")
		self.came(3, 806.4, campaign="mail")
		self.bought(3, 804, "order-bob-1")
		self.came(3, 12, fbclid="fbclid-bob")
		self.bought(3, 10, "order-bob-2", value="40")
		self.came(4, 805)
		self.came(5, 520, campaign="mail", gclid="gclid-cy")
		self.visited(5, 515)
		self.bought(5, 510, "order-cy", value="30")
		self.came(6, 496, gclid="gclid-fay")
		self.bought(6, 495, "order-fay", value="20")
		drain()
		self.make_lead()
		for days in (812, 805, 510, 10):
			make_cost(getdate(self.ago(days)), 70, external_campaign_id="123", clicks=10)
		run.credit_pending()
		self.assertEqual((click_rollups.run().failed, rollup.run_marked().failed), ([], []))

	def tearDown(self) -> None:
		frappe.db.rollback()
		for name in frappe.get_all("File", {"attached_to_doctype": EXPORT}, pluck="name", order_by="name"):
			frappe.delete_doc("File", name, force=True, ignore_permissions=True)
		frappe.db.delete("TrackFlow Erasure")
		super().tearDown()

	def ago(self, days: float) -> datetime:
		return (self.now - timedelta(days=days)).replace(tzinfo=None)

	def at(self, days: float) -> float:
		return (self.now - timedelta(days=days)).timestamp()

	def came(self, number: int, days: float, campaign: str = "", who: str = "", **click_ids: str) -> None:
		"""By the link, or by a campaign that is not ours; the ad is named by the address."""
		at, records = self.at(days), []
		page = f"https://{SHOP}/page?q=query-of-{number}&adgroup=Shoes&ad_id=77"
		utm = {"utm_source": "news", "utm_medium": "cpc", "utm_campaign": campaign or "Spring Sale"}
		known = {"domain": SHOP, "country": "DE", "utm": utm}
		if not campaign:
			click = click_record(self.link, number, at, campaign="Spring Sale", destination=page, **known)
			records.append(click)
			known["click_ref"] = click["id"]
		person = {"contact_email": who, "contact_name": "Ada Lovelace"} if who else {}
		person |= consent("Granted", "1")
		records.append(event_record(number, at + 5, url=page, click_ids=click_ids, person=person, **known))
		writer.write(records)

	def visited(self, number: int, days: float) -> None:
		"""Without any campaign."""
		writer.write([event_record(number, self.at(days), domain=SHOP)])

	def bought(self, number: int, days: float, order: str, value: str = "100") -> None:
		self.purchase = event_record(
			number, self.at(days), event_type="CONVERSION", event_name="Purchase", value=value, currency="USD", event_id=order,
			domain=SHOP,
		)  # fmt: skip
		writer.write([self.purchase])

	def make_lead(self) -> None:
		"""Ada's lead and won deal, as they are after so many days."""
		if not HAS_CRM:
			return
		self.lead = make_lead(email=ADA, trackflow_visitor_id=PHONE).name
		self.deal = make_deal(lead=self.lead, trackflow_visitor_id=PHONE)
		self.deal.update({crm_deal.value_field(): 500, "currency": "USD", "status": "Won"})
		self.deal.save()
		work()
		self.deal = self.deal.name
		for doctype, name, days in (("CRM Lead", self.lead, 803), ("CRM Deal", self.deal, 801)):
			values = {"creation": self.ago(days), "modified": self.ago(days)}
			frappe.db.set_value(doctype, name, values, update_modified=False)
		frappe.db.set_value("Lead Status Change", {"lead_id": self.lead}, "change_date", self.ago(803))
		frappe.db.set_value("Deal Stage Change", {"deal_id": self.deal}, "change_date", self.ago(800))
		crm_lead.attribute(self.lead)
		crm_deal.attribute(self.deal)

	def age(self, **settings: int) -> retention.Done:
		set_settings(**(settings or DUE))
		return retention.run()

	def conversion(self, order: str) -> str:
		return conversions.name_of("Purchase", f"{SHOP}:{order}")

	def kept(self) -> list[str]:
		return frappe.get_all("Conversion", {"attribution_status": "Kept"}, pluck="name", order_by="name")

	def answers(self) -> dict[str, Any]:
		"""What every reader of conversions and credits tells, of the days that are due and of others."""
		told = self.totals()
		for which, (first, last) in PERIODS.items():
			days = tuple(str(self.ago(one).date()) for one in (first, last))
			period = Period(*map(getdate, days))
			told[which] = [
				_without_estimates(analytics.get_overview(*days, model="Linear")),
				_without_estimates(analytics.get_overview(*days, domain=SHOP)),
				_without_estimates(campaign.get_campaign_stats("Spring Sale", *days)),
				_without_estimates(get_link_analytics(self.link, *days)),
				_without_estimates(link_performance.performance(period, link_performance.Wanted(), "Linear")),
				[
					comparing.comparison_answer(period.first, period.last, group, by_position=True)
					for group in comparing.GROUPS
				],
				[attribution.get_paths(*days, model=model) for model in ("Last Touch", "Markov")],
				*(self.report(name, days) for name in REPORTS),
			]
		return told

	def totals(self) -> dict[str, Any]:
		"""The figures that are stored, and what they are sums of."""
		return {
			"rollups": [self.rows(doctype) for doctype in ("Daily Rollup", "Daily Click Rollup")],
			"link": frappe.db.get_value("Tracked Link", self.link, FIGURES),
			"campaign": frappe.db.get_value("Link Campaign", "Spring Sale", campaign_figures.FIELDS),
			"stored": [
				self.grouped("Conversion", "conversion_type", "conversion_date", "value", "currency"),
				self.grouped(
					"Attribution Link", "attribution_model", "touch_point", "position", "weight", "credited_value", "channel", "campaign",
				),
				self.grouped("Link Conversion", "click_event", "tracked_link", "weight", "conversion_value"),
				self.grouped("Deal Attribution", "attribution_model", "attribution_value", "touch_points"),
				self.grouped("Deal Link Association", "tracked_link", "association_type", "attribution_weight"),
			],
			"platforms": comparing.comparison_answer(getdate(self.ago(820)), getdate(self.ago(0)), "platform"),
		}  # fmt: skip

	@staticmethod
	def report(name: str, days: tuple[str, str]) -> list[dict[str, Any]]:
		rows = query_report.run(name, filters={"from_date": days[0], "to_date": days[1]})["result"]
		# How long somebody waits already grows while a test runs. Visits of days whose rows went are as many as there are rows.
		return [
			{field: value for field, value in row.items() if field not in ("oldest", "median_age")}
			for row in rows
			if (row.get("part"), row.get("step"))
			not in (("Visits", "Sessions"), ("Visits", "Visitors"), ("Leads", "Leads"))
		]

	@staticmethod
	def rows(doctype: str) -> list[dict[str, Any]]:
		"""Every column of every row."""
		table = frappe.qb.DocType(doctype)
		return frappe.qb.from_(table).select("*").orderby(table.name).run(as_dict=True)

	@staticmethod
	def grouped(doctype: str, *fields: str) -> list[tuple[str, ...]]:
		return sorted(
			tuple(str(row[field] or "") for field in fields)
			for row in bulk.load(doctype, {}, fields).values()
		)

	def everything(self) -> dict[str, list[dict[str, Any]]]:
		doctypes = [*BY_DOCTYPE, *NOT_PERSONAL]
		return {one: self.rows(one) for one in doctypes if not frappe.get_meta(one).issingle}

	def naming(self, *words: str) -> list[tuple[str, str, str]]:
		"""DocTypes, fields and values of TrackFlow's that hold one of these texts."""
		return [
			(doctype, column, str(value))
			for doctype, rows in self.everything().items()
			for row in rows
			for column, value in row.items()
			if any(word in str(value) for word in words)
		]

	def rebuild(self) -> None:
		"""By every way in which derived data are worked out again."""
		self.assertEqual((counters.rebuild(), repair.rebuild_all(), repair.repair()), (0, 0, 0))
		run.repair()
		run.learn()
		self.assertEqual(run.rebuild()[1], 0)
		self.assertEqual(link_totals.recount_all(), 0)
		# Every day that has figures; those between them have none, and take as long.
		days = sorted({row["date"] for row in self.rows("Daily Rollup")})
		self.assertEqual(rollup.horizon(), None)
		for done in (click_rollups.rebuild(), *(rollup.rebuild(day, day) for day in days)):
			self.assertEqual((done.rows_written, done.failed), (0, []))
		self.assertEqual(campaign_figures.recount_all(), 0)

	def assert_same(self, before: dict[str, Any]) -> None:
		after = self.answers() if PERIODS.keys() & before.keys() else self.totals()
		self.assertEqual(list(differences({name: after[name] for name in before}, before)), [])


def differences(now: Any, then: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
	"""Where two answers differ, and what they say there: the whole of them would be some thousand lines."""
	if isinstance(now, dict) and isinstance(then, dict) and now.keys() == then.keys():
		for key, value in now.items():
			yield from differences(value, then[key], f"{path}/{key}")
	elif isinstance(now, list | tuple) and isinstance(then, list | tuple) and len(now) == len(then):
		for number, (one, other) in enumerate(zip(now, then, strict=True)):
			yield from differences(one, other, f"{path}/{number}")
	elif now != then:
		yield path, now, then


class TestTotals(KeptTestCase):
	"""RET-1: what any reader tells is the same before and after, and after whatever works it out again."""

	def test_there_is_something_to_tell(self) -> None:
		told = self.answers()["old"]
		platforms = next(one for one in told[5] if one["group_by"] == "platform")
		self.assertEqual({"Google Ads", "Meta"}, {line["group"] for line in platforms["groups"]} - {""})
		self.assertTrue(any(row["adset"] and row["conversions"] for row in self.rows("Daily Rollup")))
		self.assertTrue(told[6][0]["paths"] and told[6][0]["totals"]["value"])
		self.assertTrue(any(row["conversions"] for row in told[7]))

	def test_conversions_alone(self) -> None:
		before = self.answers()
		done = self.age(
			retention_conversion=FIGURE, **{table.setting: 0 for table in due.TABLES if table.visitor}
		)
		self.assertEqual(done.kept["Conversion"], 5 if HAS_CRM else 3)
		self.assertEqual(sum(done.deleted.values()), 0)
		self.assert_same(before)
		self.rebuild()
		self.assert_same(before)
		# What they rest on is due a year later, in a run of its own.
		done = self.age(**ALL_DUE)
		self.assertTrue(done.kept["Visitor Session"] and done.kept["Touch Point"], done)
		self.assert_same(before)
		self.assertFalse(retention.run().rows_written)

	def test_with_the_rows_that_are_due_then(self) -> None:
		before = self.answers()
		done = self.age()
		self.assertTrue(done.kept["Visitor Session"] and done.kept["Touch Point"], done)
		for doctype in ("Visitor", "Visitor Event", "Click Event", "Touch Point", "Visitor Session"):
			self.assertTrue(done.deleted[doctype], done)
		self.assert_same(before)
		self.rebuild()
		self.assert_same(before)
		self.assertFalse(retention.run().rows_written)

	def test_a_model_that_is_made_the_default_later(self) -> None:
		"""Its credits of these conversions are there; those of a model that comes later never are."""
		self.age()
		before = self.rows("Attribution Link")
		set_settings(default_attribution_model="Linear")
		work()
		self.assertEqual([row for row in self.rows("Attribution Link")], before)
		self.assertEqual(link_totals.recount_all(), 0)

	def test_with_an_archive_and_what_comes_back_from_it(self) -> None:
		set_settings(archive_target="Private Files")
		before = self.answers()
		self.age()
		self.assertEqual(self.naming(PHONE, LAPTOP, EVE), [])
		self.assert_same(before)
		there = bulk.load("Visitor Session", {}, ())
		for name in frappe.get_all(keeping.RECORD, pluck="name", order_by="name"):
			self.assertTrue(restoring.restore(name).missing)
		self.assertGreater(len(bulk.load("Visitor Session", {}, ())), len(there))
		self.assertEqual((repair.rebuild_all(), repair.repair()), (0, 0))
		work()
		self.assertEqual(conversions_of(self), 7 if HAS_CRM else 5)
		self.assert_same(before)

	def test_a_longer_session_does_not_join_touches_that_credits_rest_on(self) -> None:
		"""They stay as they are also where hits are kept for good, and touches still somebody's."""
		writer.write([event_record(5, self.at(515) + 40 * 60, domain=SHOP)])
		drain()
		work()
		self.age(retention_conversion=FIGURE, **{table.setting: 0 for table in due.TABLES})
		before = self.answers()
		set_settings(session_timeout_minutes=60)
		self.assertEqual(repair.rebuild_all(), 0)
		run.rebuild()
		self.assert_same(before)


def conversions_of(case: KeptTestCase) -> int:
	return len(case.rows("Conversion"))


class TestWhoseItWas(KeptTestCase):
	"""RET-1: nothing leads from a conversion, or from what it rests on, to a person any more."""

	def test_nothing_is_left(self) -> None:
		self.assertTrue(self.naming(*PERSONAL))
		words = [*PERSONAL, *([self.lead, self.deal] if HAS_CRM else ())]
		self.export()
		self.age(**ALL_DUE, **STEPS_DUE)
		self.assertEqual(self.naming(*words), [])
		self.assertTrue(self.naming(BOB) and self.naming(FAY))
		self.assertFalse(subjects.find(ADA).visitors)
		self.assertFalse(subjects.conversions(subjects.find(PHONE)))

	def test_what_is_kept(self) -> None:
		self.age(**ALL_DUE)
		for row in self.rows("Conversion"):
			if row["attribution_status"] == "Kept":
				self.assertTrue(identity.is_erased(row["visitor"]))
				self.assertFalse(
					any(row[field] for field in ("crm_lead", "crm_deal", "external_id", "source_name"))
				)
		empty = {name: BY_DOCTYPE[name].empties for name in ("Touch Point", "Visitor Session")}
		for doctype, fields in empty.items():
			rows = [row for row in self.rows(doctype) if identity.is_erased(row["visitor_id"])]
			self.assertTrue(rows)
			self.assertFalse([row for row in rows if any(row[field] for field in fields)], doctype)
		credited = {row["touch_point"] for row in self.rows("Attribution Link")} - {None}
		self.assertLessEqual(credited, {row["name"] for row in self.rows("Touch Point")})

	def test_a_younger_conversion_keeps_its_visitor(self) -> None:
		before = [
			row
			for row in self.rows("Attribution Link")
			if row["conversion"] == self.conversion("order-bob-2")
		]
		journey = {doctype: self.of(doctype, BOB) for doctype in erasure.OF_VISITOR}
		self.age(**ALL_DUE)
		after = [
			row
			for row in self.rows("Attribution Link")
			if row["conversion"] == self.conversion("order-bob-2")
		]
		self.assertEqual(after, before)
		self.assertEqual({doctype: self.of(doctype, BOB) for doctype in erasure.OF_VISITOR}, journey)
		old = frappe.get_all(
			"Conversion",
			{"conversion_date": self.ago(804)},
			["visitor", "attribution_status"],
			order_by="name",
		)
		self.assertEqual([row.attribution_status for row in old], ["Kept"])
		self.assertTrue(identity.is_erased(old[0].visitor))
		# Erased with all that is still his, totals do not change either.
		told = self.answers()
		erasure.erase(BOB)
		self.assertEqual(self.naming(BOB), [])
		self.assert_same({name: told[name] for name in ("old", "middle", "link", "campaign", "stored")})

	def test_who_is_still_there_does_not_say_when_it_was(self) -> None:
		"""Cy's conversion is nobody's, while his visits are not due yet; Bob converted later too."""
		self.age(retention_conversion=FIGURE, **{table.setting: 0 for table in due.TABLES})
		fields = ("has_converted", "conversion_count", "last_conversion_date")
		self.assertEqual(frappe.db.get_value("Visitor", CY, fields), (0, 0, None))
		self.assertEqual(frappe.db.get_value("Visitor", BOB, fields), (1, 2, self.ago(10)))
		self.assertEqual(repair.rebuild_all(), 0)

	def of(self, doctype: str, visitor: str) -> list[dict[str, Any]]:
		return [row for row in self.rows(doctype) if visitor in (row.get("visitor_id"), row.get("visitor"))]

	def test_who_was_erased_before(self) -> None:
		erasure.erase(ADA)
		before = self.answers()
		self.age(**ALL_DUE)
		self.assert_same({name: before[name] for name in ("old", "middle", "new", "stored")})
		self.assertEqual(frappe.db.count("Visitor", {"erased_person": ("is", "set")}), 0)
		self.rebuild()

	def test_credits_of_a_conversion_that_somebody_deleted(self) -> None:
		"""They count, so what they rest on stays; whose it was, goes."""
		frappe.delete_doc("Conversion", self.conversion("order-ada"))
		before = self.grouped("Attribution Link", "weight", "touch_point")
		self.age(**ALL_DUE)
		self.assertEqual(self.grouped("Attribution Link", "weight", "touch_point"), before)
		self.assertEqual(
			[row for row in self.naming(PHONE, LAPTOP) if row[0] in ("Attribution Link", "Touch Point")], []
		)

	def export(self) -> str:
		"""Of Cy and Fay, made when both had just bought."""
		frappe.db.set_value("Visitor", {"name": ("in", (CY, FAY))}, "consent_status", "Granted")
		frappe.db.commit()
		then = self.now.replace(tzinfo=gather.zone()) - 490 * DAY
		with patch.object(gather, "now", lambda: then):
			asked = exports.wanted("google", (then - 60 * DAY).date(), then.date(), "Purchase", "Sale")
			return exports.create(asked)

	def file(self, name: str) -> str:
		[file] = frappe.get_all("File", {"attached_to_name": name}, pluck="name", order_by="name")
		text = frappe.get_doc("File", file).get_content()
		return text.decode() if isinstance(text, bytes) else text

	def test_what_platforms_were_told(self) -> None:
		name = self.export()
		self.assertTrue("gclid-cy" in self.file(name) and "gclid-fay" in self.file(name))
		self.age()
		self.assertNotIn("gclid-cy", self.file(name))
		self.assertIn("gclid-fay", self.file(name))
		self.assertEqual(self.file(name), files.content(name))
		rows = {row["conversion"]: row for row in self.rows("Conversion Export Row")}
		[kept_row] = [row for one, row in rows.items() if one != self.conversion("order-fay")]
		self.assertIn(kept_row["conversion"], self.kept())
		self.assertTrue(identity.is_erased(kept_row["visitor"]) and not kept_row["line"])
		# It was told, and is not told again.
		with patch.object(gather, "now", lambda: self.now.replace(tzinfo=gather.zone()) - 490 * DAY):
			asked = exports.wanted("google", self.ago(550).date(), self.ago(490).date(), "Purchase", "Sale")
			self.assertEqual(exports.preview(asked)["skipped"], {"exported": 2})

	def test_a_copy_of_a_persons_data_has_it_as_long_as_it_is_the_persons(self) -> None:
		self.assertTrue(export.preview(subjects.find(CY))["rows"]["Conversion"])
		self.age()
		self.assertNotIn("Conversion", export.preview(subjects.find(CY))["rows"])


class TestFrozen(KeptTestCase):
	"""RET-1: no run credits them anew, and no way leads back to a second one."""

	def test_no_run_opens_them(self) -> None:
		self.age()
		names = self.kept()
		before = [row for row in self.rows("Attribution Link") if row["conversion"] in names]
		training._reopen(datetime.min.date())
		conversions.reopen({PHONE: datetime.min, BOB: datetime.min, CY: datetime.min})
		conversions.pend([self.lead] if HAS_CRM else ["LEAD-1"])
		frappe.db.commit()
		self.assertEqual(self.kept(), names)
		self.assertEqual(run.credit(names), 0)
		run.credit_pending()
		self.assertEqual([row for row in self.rows("Attribution Link") if row["conversion"] in names], before)

	def test_a_conversion_that_waits_is_credited_first(self) -> None:
		credits = self.grouped("Attribution Link", "attribution_model", "weight")
		for doctype in ("Attribution Link", "Link Conversion"):
			frappe.db.delete(doctype)
		frappe.db.set_value("Conversion", {"name": ("is", "set")}, "attribution_status", "Pending")
		self.assertEqual(self.age().kept["Conversion"], 5 if HAS_CRM else 3)
		run.credit_pending()
		self.assertEqual(self.grouped("Attribution Link", "attribution_model", "weight"), credits)

	def test_one_that_cannot_be_credited_is_kept_as_it_is(self) -> None:
		frappe.db.set_value("Conversion", self.conversion("order-ada"), "attribution_status", "Failed")
		self.assertEqual(self.age().kept["Conversion"], 5 if HAS_CRM else 3)

	def test_what_is_learnt(self) -> None:
		"""ATT-5: only of the time since when all know who converted; else a kept journey would be a stranger's too."""
		with changed_model("Markov", training_days=900):
			self.assertEqual(self.learnt(), (getdate() - timedelta(days=900), 6 if HAS_CRM else 5))
			self.age()
			self.assertEqual(self.learnt(), (aged.kept_until().date() + DAY, 2))

	def learnt(self) -> tuple[Any, int]:
		training.train()
		row = frappe.get_all(
			training.TRAINING,
			{"attribution_model": "Markov"},
			["from_date", "conversions"],
			order_by="version desc",
		)[0]
		return row.from_date, row.conversions

	def test_the_same_event_again(self) -> None:
		"""Its row went by its age, so nothing else would know it."""
		purchase = event_record(
			2, self.at(805), event_type="CONVERSION", event_name="Purchase", value="100", currency="USD", event_id="order-ada",
			domain=SHOP,
		)  # fmt: skip
		self.age()
		number = conversions_of(self)
		writer.write([purchase])
		drain()
		work()
		self.assertEqual(conversions_of(self), number)
		self.bought(2, 0.5, "order-ada-2")
		drain()
		self.assertEqual(conversions_of(self), number + 1)

	def test_it_is_remembered_until_when(self) -> None:
		"""RET-1: rows that became nobody's are no longer all that there was, also where none was deleted."""
		set_settings(**DUE)
		cutoff = now_datetime() - FIGURE * DAY
		self.assertIsNone(aged.kept_until())
		ageing = kept.Ageing()
		self.assertTrue(sum(ageing.conversions(cutoff)))
		self.assertEqual(aged.kept_until(), cutoff)
		for table in due.TABLES:
			if table.credited:
				self.assertTrue(sum(ageing.rows(table, cutoff)))
				self.assertEqual(aged.deleted_until([table.doctype]), cutoff)

	def test_what_asks_for_it(self) -> None:
		"""No statement where conversions are young, one where they may be too old."""
		for days, number in ((0.5, 0), (30, 1)):
			with counted_statements() as statements:
				made = make_conversion(EVE, self.ago(days))
			self.assertTrue(made)
			self.assertEqual(sum("DefaultValue" in one for one in statements), number)

	def test_raised_days_bring_nothing_back(self) -> None:
		self.age()
		set_settings(retention_conversion=0)
		with suppress(IndexError):
			make_conversion(EVE, self.ago(600))
			self.fail("A conversion was made of a time whose conversions are nobody's")
		self.assertTrue(make_conversion(EVE, self.ago(400)))

	def test_it_is_explained(self) -> None:
		"""ATT-6: not by what is left of its journey."""
		self.age()
		told = explain.of_conversion(self.kept()[0], "all")
		self.assertEqual(told["models"], [])
		self.assertIn("nobody's any more", told["words"][1])


@needs_crm
class TestLeadsAndDeals(KeptTestCase):
	"""RET-1, CRM-1: leads and deals keep their own fields, and no job makes them conversions a second time."""

	def setUp(self) -> None:
		super().setUp()
		self.before = self.answers()
		self.fields = self.own_fields()

	def own_fields(self) -> list[dict[str, Any]]:
		fields = (
			"trackflow_visitor_id",
			"trackflow_source",
			"trackflow_medium",
			"trackflow_campaign",
			"trackflow_touch_count",
		)
		return [
			frappe.db.get_value(doctype, name, fields, as_dict=True)
			for doctype, name in (("CRM Lead", self.lead), ("CRM Deal", self.deal))
		]  # fmt: skip

	def assert_nothing_new(self) -> None:
		self.assert_same(self.before)
		self.assertEqual(self.naming(PHONE, LAPTOP, ADA), [])
		self.assertEqual(self.own_fields(), self.fields)

	def test_they_are_saved_again(self) -> None:
		self.age(**ALL_DUE)
		lead, deal = frappe.get_doc("CRM Lead", self.lead), frappe.get_doc("CRM Deal", self.deal)
		self.assertTrue(lead.trackflow_touch_count)
		lead.update({"email": "ada.new@example.com", "first_name": "Ada B."}).save()
		deal.update({crm_deal.value_field(): 900}).save()
		work()
		self.assertEqual(sweep.sweep(), 1)
		work()
		self.assert_nothing_new()

	def test_a_deal_of_whose_stages_nothing_is_kept(self) -> None:
		self.age(**ALL_DUE, **STEPS_DUE)
		self.assertFalse(self.rows("Deal Stage Change"))
		self.before = self.answers()
		frappe.get_doc("CRM Deal", self.deal).update({crm_deal.value_field(): 900}).save()
		work()
		self.assert_nothing_new()

	def test_a_win_keeps_its_day_where_nothing_tells_of_it(self) -> None:
		"""A conversion that is there says when its deal was won."""
		frappe.db.delete("Deal Stage Change")
		self.before = self.answers()
		frappe.get_doc("CRM Deal", self.deal).update({"organization": None}).save()
		work()
		self.assert_same({name: self.before[name] for name in ("old", "middle", "new", "stored")})

	def test_a_deal_that_is_lost_afterwards(self) -> None:
		"""Nobody can tell which conversion was its own: it stays, and a new win is a new one."""
		self.age()
		number = conversions_of(self)
		for status, expected in (("Negotiation", number), ("Won", number + 1)):
			frappe.get_doc("CRM Deal", self.deal).update({"status": status}).save()
			work()
			self.assertEqual(conversions_of(self), expected)

	def test_it_is_explained(self) -> None:
		self.age()
		for told in (explained.of_lead(self.lead), explained.of_deal(self.deal)):
			self.assertIn("nobody's any more", told["words"][0])

	def test_deal_rows(self) -> None:
		self.age()
		for doctype in kept.OF_DEAL:
			rows = self.rows(doctype)
			self.assertTrue(rows)
			self.assertNotIn(self.deal, {row["deal_id"] for row in rows})
			self.assertEqual(len({row["deal_id"] for row in rows}), 1)


class TestKilled(KeptTestCase):
	"""RET-1: a batch is one transaction; what a run leaves undone the next one does."""

	def test_between_batches(self) -> None:
		before = self.totals()
		original, done = kept.Ageing._conversions, []

		def dying(*arguments: Any) -> int:
			if done:
				raise KeyboardInterrupt
			done.append(original(*arguments))
			return done[-1]

		with patch.object(kept, "AT_ONCE", 1):
			with patch.object(kept.Ageing, "_conversions", dying), self.assertRaises(KeyboardInterrupt):
				self.age()
			frappe.db.rollback()
			self.assertEqual(len(self.kept()), 1)
			self.assert_same(before)
			self.rebuild()
			self.assertEqual(retention.run().kept["Conversion"], 4 if HAS_CRM else 2)
		self.assert_same(before)
		self.assertEqual(self.naming(PHONE, LAPTOP), [])

	def test_within_one(self) -> None:
		before = self.everything()
		with (
			patch.object(files, "rewrite", side_effect=KeyboardInterrupt),
			self.assertRaises(KeyboardInterrupt),
		):
			self.age()
		frappe.db.rollback()
		after = self.everything()
		# Visitors' own figures go before.
		self.assertEqual({name for name, rows in after.items() if rows != before[name]}, {"Visitor"})
		self.assertEqual(retention.run().kept["Conversion"], 5 if HAS_CRM else 3)

	def test_between_the_tables(self) -> None:
		before = self.totals()
		for killed in ("Visitor Session", "Touch Point", "Visitor"):
			with patch.object(aged, "remember", self.dying_at(killed)), suppress(KeyboardInterrupt):
				self.age()
			frappe.db.rollback()
			self.assert_same(before)
		retention.run()
		self.assert_same(before)
		self.assertEqual(self.naming(PHONE, LAPTOP), [])

	@staticmethod
	def dying_at(doctype: str) -> Any:
		original = aged.remember

		def remember(table: due.Table, cutoff: datetime) -> None:
			if table.doctype == doctype:
				raise KeyboardInterrupt
			original(table, cutoff)

		return remember

	def test_out_of_time(self) -> None:
		set_settings(**DUE)
		with patch.object(kept, "AT_ONCE", 1):
			done = retention.run(max_seconds=-1)
		self.assertEqual((done.rows_written, len(self.kept())), (1, 1))

	def test_collisions_are_tried_again(self) -> None:
		original, calls = bulk.update, []

		def colliding(doctype: str, *arguments: Any, **options: Any) -> None:
			calls.append(doctype)
			if len(calls) == 1:
				raise frappe.QueryDeadlockError("deadlock")
			original(doctype, *arguments, **options)

		before = self.totals()
		set_settings(**DUE)
		with patch.object(bulk, "update", colliding):
			retention.run()
		self.assert_same(before)
		self.assertEqual(len(self.kept()), 5 if HAS_CRM else 3)


class TestStatements(KeptTestCase):
	"""RET-1: the number of statements does not grow with conversions, but with batches."""

	def test_a_batch(self) -> None:
		numbers = []
		for more in (1, 40):
			for number in range(more):
				visitor = VISITOR.format(100 + number)
				make_conversion(visitor, self.ago(700) - number * timedelta(minutes=1))
			run.credit_pending()
			set_settings(**DUE)
			with counted_statements() as statements:
				kept_now = sum(kept.Ageing().conversions(now_datetime() - FIGURE * DAY))
			self.assertGreaterEqual(kept_now, more)
			# A bench also reads the DocTypes anew, as settings were saved.
			tables = [f"`tab{doctype}`" for doctype in BY_DOCTYPE]
			numbers.append(sum(any(table in one for table in tables) for one in statements))
			aged.forget_deletions()
		self.assertLessEqual(numbers[1], numbers[0] + 4, numbers)


class TestCommand(CommandTestCase, KeptTestCase):
	"""CLI-1: `retention` counts what becomes nobody's, and a dry run counts the same."""

	def test_it_counts(self) -> None:
		set_settings(**DUE)
		before = self.everything()
		dry = json.loads(self.invoke("retention", "--dry-run", "--json").output)
		self.assertEqual(self.everything(), before)
		self.assertIn("to be made nobody's", self.invoke("retention", "--dry-run").output)
		done = json.loads(self.invoke("retention", "--json").output)
		self.assertEqual((dry["kept"], dry["rows"]), (done["kept"], done["rows"]))
		self.assertEqual(done["kept"]["Conversion"], 5 if HAS_CRM else 3)
		self.assertTrue(done["kept"]["Touch Point"] and done["kept"]["Visitor Session"])


class TestAtOnce(KeptTestCase):
	"""RET-1: while one process makes conversions nobody's, another credits them."""

	def test_credits_beside_it(self) -> None:
		if not is_shared():
			self.skipTest("Needs a database and a Redis that processes share")
		before = self.totals()
		set_settings(**DUE)

		def credit() -> None:
			for _time in range(30):
				run.rebuild()

		child = fork(credit)
		with patch.object(kept, "AT_ONCE", 1):
			retention.run()
		self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
		frappe.db.rollback()
		self.assert_same(before)
