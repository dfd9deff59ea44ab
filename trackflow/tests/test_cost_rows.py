"""Costs by API and by hand, and the campaigns that they find (CST-1)."""

import json
from datetime import date

import frappe
from frappe.utils import add_days, getdate

from trackflow.tests import factories
from trackflow.tests.base import work
from trackflow.tests.cost_cases import FILE, HEADER, METRIC, CostTestCase, marked


class TestCampaigns(CostTestCase):
	"""CST-1: costs find their campaign by the platform's ids, else by name."""

	def campaigns(self, text: str) -> list[str | None]:
		self.answer("import_costs", csv=text)
		return frappe.get_all(METRIC, pluck="link_campaign", order_by="date, external_ad_id")

	def test_by_id_before_name_and_the_finest_first(self) -> None:
		factories.make_campaign("Whole", external_campaign_id="11")
		factories.make_campaign("One Ad", external_campaign_id="11", external_ad_id="7", platform="Meta")
		factories.make_campaign("Spring")
		header = "Date,Platform,Campaign,Campaign ID,Ad ID,Cost,Currency"
		found = self.campaigns(
			f"{header}\n2026-03-01,Meta,Spring,11,7,1,EUR\n2026-03-01,Meta,Spring,11,8,1,EUR\n"
		)
		self.assertEqual(found, ["One Ad", "Whole"])

	def test_by_name_or_slug(self) -> None:
		factories.make_campaign("Spring Sale")
		found = self.campaigns(
			f"{HEADER}\n2026-03-01,X,SPRING SALE,,1,1,EUR\n2026-03-02,X,spring-sale,,1,1,EUR\n2026-03-03,X,Other,,1,1,EUR\n"
		)
		self.assertEqual(found, ["Spring Sale", "Spring Sale", None])

	def test_a_campaign_of_another_platform(self) -> None:
		factories.make_campaign("Spring", platform="LinkedIn Ads", external_campaign_id="11")
		self.assertEqual(self.campaigns(FILE), [None, None])

	def test_what_was_chosen_stays(self) -> None:
		self.answer("import_costs", csv=FILE)
		chosen = factories.make_campaign("Chosen").name
		name = frappe.get_all(METRIC, {"date": "2026-03-01"}, pluck="name")[0]
		frappe.db.set_value(METRIC, name, "link_campaign", chosen)
		factories.make_campaign("Spring")
		self.assertEqual(self.campaigns(FILE), ["Chosen", "Spring"])

	def test_a_campaign_that_is_made_or_told_its_id_later(self) -> None:
		self.answer("import_costs", csv=f"{FILE}2026-03-01,X,Other,12,1,1,EUR\n")
		factories.make_campaign("Spring")
		other = factories.make_campaign("Elsewhere")
		work()
		self.assertEqual(frappe.db.count(METRIC, {"link_campaign": "Spring"}), 2)
		other.reload().update({"external_campaign_id": "12"}).save()
		work()
		self.assertEqual(frappe.db.get_value(METRIC, {"platform": "X"}, "link_campaign"), "Elsewhere")


class TestUpsert(CostTestCase):
	"""CST-1: rows by API, a verdict for each, the same call again changes nothing."""

	row = {
		"date": "2026-03-01",
		"platform": "facebook",
		"external_campaign_id": 11,
		"spend": 10.5,
		"currency": "EUR",
	}

	def test_again_and_changed(self) -> None:
		answer = self.answer("upsert", rows=[{**self.row, "clicks": 3}])
		self.assertEqual((self.counts(answer), answer["rows"][0]["verdict"]), ([1, 0, 0, 0], "new"))
		self.assertEqual(self.stored(), [("2026-03-01", 10.5, 3, "API")])
		self.assertEqual(self.counts(self.answer("upsert", rows=json.dumps([self.row]))), [0, 0, 1, 0])
		self.assertEqual(self.counts(self.answer("upsert", rows=[{**self.row, "spend": "11"}])), [0, 1, 0, 0])
		self.assertEqual(self.stored(), [("2026-03-01", 11, 3, "API")], "what is not told stays")

	def test_the_example_of_the_docs(self) -> None:
		"""That of docs/costs.md."""
		row = {
			"date": "2026-03-01",
			"platform": "Meta",
			"external_campaign_id": "11",
			"campaign_name": "Spring",
			"impressions": 1200,
			"clicks": 7,
			"spend": 10.5,
			"currency": "EUR",
		}
		answer = self.answer("upsert", rows=[row])
		name = answer["rows"][0].pop("name")
		rows = [{"row": 1, "verdict": "new"}]
		self.assertEqual(answer, {"new": 1, "changed": 0, "unchanged": 0, "refused": 0, "rows": rows})
		self.assertEqual(frappe.db.get_value(METRIC, name, "impressions"), 1200)

	def test_the_others_are_written(self) -> None:
		bad = (
			({"spend": -1}, "negative"),
			({"spend": None}, "needs spend"),
			({"spend": "much"}, "spend must be a number"),
			({"spend": True}, "spend must be a number"),
			({"clicks": 1.5}, "whole number"),
			({"date": "1.3.2026"}, "no date such as"),
			({"date": None}, "needs a date"),
			({"date": add_days(str(getdate()), 5)}, "lies ahead"),
			({"currency": None}, "no currency"),
			({"currency": "QQQ"}, "no currency QQQ"),
			({"platform": " "}, "no platform"),
			({"external_ad_id": ["7"]}, "must be a text"),
			({"cost": 5}, "no field cost"),
		)
		rows = [
			{**self.row, "external_campaign_id": f"c{number}", **values}
			for number, (values, _w) in enumerate(bad)
		]
		answer = self.answer("upsert", rows=[self.row, *rows, self.row])
		self.assertEqual(self.counts(answer), [1, 0, 0, len(bad) + 1])
		for (_values, words), row in zip(bad, answer["rows"][1:], strict=False):
			self.assertIn(words, row["message"])
		self.assertIn("key of row 1", answer["rows"][-1]["message"])

	def test_nothing_is_counted_twice(self) -> None:
		ids = ({}, {"external_ad_id": "7"}, {"external_ad_id": "8"})
		answer = self.answer("upsert", rows=[{**self.row, **more} for more in ids])
		self.assertEqual(self.counts(answer), [2, 0, 0, 1])
		self.assertIn("counted twice", answer["rows"][0]["message"])

	def test_a_name_is_the_same_from_wherever_it_comes(self) -> None:
		row = {**self.row, "external_campaign_id": None}
		self.answer("upsert", rows=[{**row, "campaign_name": " <b>Cafe\u0301   au lait"}])
		[found] = frappe.get_all(METRIC, fields=["name", "campaign_name"])
		self.assertEqual(found.campaign_name, "‹b>Caf\u00e9 au lait")
		text = f"{HEADER}\n{self.row['date']},{self.row['platform']},<b>Caf\u00e9 au lait,,5,1,EUR\n"
		self.assertEqual(self.counts(self.answer("preview_import", csv=text)), [0, 1, 0, 0])
		doc = frappe.get_doc(METRIC, found.name)
		doc.campaign_name = "<b>Cafe\u0301 au  lait"
		doc.save()

	def test_what_is_no_list_of_rows(self) -> None:
		for rows, words in (
			("{", "not valid JSON"),
			('{"a": 1}', "list of objects"),
			([], "between 1 and 1000"),
			([5], "list of"),
		):
			self.assert_refused(self.call("upsert", rows=rows), words)
		self.assert_refused(self.call("upsert", rows=[self.row] * 1001), "between 1 and 1000")


class TestByHand(CostTestCase):
	"""CST-1: costs by the form."""

	values = {
		"doctype": METRIC,
		"date": "2026-03-01",
		"platform": "facebook ads",
		"campaign_name": "Spring ",
		"spend": 5,
		"currency": "EUR",
	}

	def test_a_row(self) -> None:
		factories.make_campaign("Spring")
		with marked() as days:
			doc = frappe.get_doc(self.values).insert()
			self.assertEqual((doc.platform, doc.link_campaign, doc.entered_by), ("Meta", "Spring", "Hand"))
			doc.update({"spend": 6}).save()
			doc.delete()
		self.assertEqual(days, {date(2026, 3, 1)})

	def test_what_cannot_be(self) -> None:
		for values in (
			{"spend": -1},
			{"clicks": -1},
			{"impressions": -1},
			{"currency": None},
			{"platform": None},
			{"platform": " "},
			{"date": None},
			{"date": add_days(str(getdate()), 5)},
			{"spend": 10**10},
		):
			with self.subTest(values=values), self.assertRaises(frappe.ValidationError):
				frappe.get_doc({**self.values, **values}).insert()
		self.assertEqual(self.stored(), [])

	def test_the_key_stays(self) -> None:
		doc = frappe.get_doc({**self.values, "external_campaign_id": "1"}).insert()
		doc.update({"campaign_name": "Other"}).save()
		for values in ({"date": "2026-03-02"}, {"platform": "X"}, {"external_campaign_id": "2"}):
			with self.subTest(values=values), self.assertRaises(frappe.ValidationError):
				frappe.get_doc(METRIC, doc.name).update(values).save()
		named = frappe.get_doc({**self.values, "date": "2026-03-05"}).insert()
		with self.assertRaisesRegex(frappe.ValidationError, "name is part of that"):
			named.update({"campaign_name": "Other"}).save()

	def test_nothing_is_counted_twice(self) -> None:
		frappe.get_doc(self.values).insert()
		with self.assertRaisesRegex(frappe.ValidationError, "counted twice"):
			frappe.get_doc({**self.values, "adset_name": "Set"}).insert()
