"""Explanations over HTTP and on the command line, for who may see them: ATT-6, ROL-P."""

import json
from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow.attribution import run
from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.integrations import crm_lead, explained
from trackflow.privacy import erasure, subjects
from trackflow.tests.base import HAS_CRM, needs_crm
from trackflow.tests.factories import (
	SHOP,
	make_conversion,
	make_deal,
	make_domain,
	make_lead,
	make_touch,
	make_visitor,
)
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_visitor_api import (
	CAMPAIGNER,
	MANAGER,
	NOBODY,
	PHONE,
	ROLES,
	SELLER,
	VisitorTestCase,
	readable_by,
)

EXPLAIN = "/api/method/trackflow.api.attribution.explain"
DAY = timedelta(days=1)


def eight_touches(visitor: str) -> None:
	for days in range(8, 0, -1):
		make_touch(visitor, now_datetime() - days * DAY, "Email", source="news", medium="email")


class TestWhoMayAsk(VisitorTestCase):
	"""ROL-P: a conversion's explanation is for who may read it and visitors; others and guests get nothing."""

	roles = ROLES

	def setUp(self) -> None:
		super().setUp()
		make_visitor(PHONE, contact_email="ada@example.com")
		eight_touches(PHONE)
		self.conversion = make_conversion(PHONE, now_datetime())
		run.credit([self.conversion])

	def test_a_conversion(self) -> None:
		for user in (MANAGER, CAMPAIGNER):
			told = self.told(user, EXPLAIN, conversion=self.conversion)
			(model,) = told["models"]
			self.assertEqual((model["model"], len(model["credits"])), ("Last Touch", 8))
			self.assertEqual(model["credits"][-1]["share"], "1")
			for secret in (PHONE, "ada@"):
				self.assertNotIn(secret, str(told))

	def test_models(self) -> None:
		told = self.told(MANAGER, EXPLAIN, conversion=self.conversion, model="all")
		self.assertEqual(len(told["models"]), 10)
		told = self.told(MANAGER, EXPLAIN, conversion=self.conversion, model="Linear")
		self.assertEqual([one["share"] for one in told["models"][0]["credits"]], ["1/8"] * 8)

	def test_some_of_the_touches(self) -> None:
		told = self.told(MANAGER, EXPLAIN, conversion=self.conversion, model="Linear", limit=2)
		(model,) = told["models"]
		self.assertEqual([one["position"] for one in model["credits"]], [7, 8])
		rest = {name: model["rest"][name] for name in ("touches", "share")}
		self.assertEqual(rest, {"touches": 6, "share": "3/4"})

	def test_nobody_else(self) -> None:
		for user in (None, NOBODY, SELLER):
			answer = self.ask(user, EXPLAIN, conversion=self.conversion)
			self.assertEqual(answer.status_code, 403, user)
			self.assertNotIn("Email", answer.text)
		self.assertEqual(self.ask(NOBODY, EXPLAIN, conversion="unknown").status_code, 403)

	def test_whoever_may_not_read_visitors(self) -> None:
		with readable_by(TRACKFLOW_MANAGER, "Visitor"):
			answer = self.ask(CAMPAIGNER, EXPLAIN, conversion=self.conversion)
			self.assertEqual(answer.status_code, 403, answer.text)
			self.assertEqual(self.ask(MANAGER, EXPLAIN, conversion=self.conversion).status_code, 200)

	def test_what_cannot_be_asked(self) -> None:
		for query, status in (
			({}, 417), ({"conversion": self.conversion, "lead": "x"}, 417), ({"conversion": "unknown"}, 404),
			({"conversion": self.conversion, "model": "Nonsense"}, 404),
			*(({"conversion": self.conversion, "limit": one}, 417) for one in ("0", "1001", "many")),
		):  # fmt: skip
			answer = self.ask(MANAGER, EXPLAIN, **query)
			self.assertEqual(answer.status_code, status, (query, answer.text))
		self.assertEqual(self.request("POST", EXPLAIN).status_code, 403)

	def test_it_is_logged(self) -> None:
		"""COL-7: who read it, on sites with a domain of the level HIPAA."""
		frappe.get_doc("Domain Configuration", SHOP).delete()
		make_domain(SHOP, privacy_level="HIPAA", collect_address=0)
		frappe.db.delete("Access Log")
		self.told(MANAGER, EXPLAIN, conversion=self.conversion)
		rows = frappe.get_all("Access Log", filters={"user": MANAGER}, pluck="export_from", order_by="name")
		self.assertEqual(sorted(rows), ["Conversion", "Visitor"])

	def test_of_who_was_erased_the_credits_alone(self) -> None:
		erasure.erase(subjects.read("ada@example.com"))
		(conversion,) = frappe.get_all("Conversion", pluck="name")
		told = self.told(MANAGER, EXPLAIN, conversion=conversion)
		self.assertEqual(told["models"][0]["credits"][-1]["channel_reason"]["by"], "medium")
		for secret in (PHONE, "ada@", "e_", self.conversion):
			self.assertNotIn(secret, str(told["conversion"]) + str([one["words"] for one in told["models"]]))


@needs_crm
class TestLeadsAndDeals(VisitorTestCase):
	"""ATT-6, ROL-P: leads and deals are explained to who may read them, and where there are no credits, why not."""

	roles = ROLES

	def setUp(self) -> None:
		super().setUp()
		make_visitor(PHONE)
		eight_touches(PHONE)
		self.lead = make_lead(trackflow_visitor_id=PHONE).name
		crm_lead.attribute(self.lead)

	def test_a_lead_of_eight_touches(self) -> None:
		for user in (MANAGER, SELLER):
			told = self.told(user, EXPLAIN, lead=self.lead, model="Linear")
			(model,) = told["models"]
			self.assertEqual([one["words"][2] for one in model["credits"]], ["1 ÷ 8 = 12.5 %."] * 8)
		for user in (None, NOBODY):
			self.assertEqual(self.ask(user, EXPLAIN, lead=self.lead).status_code, 403)

	def test_a_deal_that_is_not_won(self) -> None:
		deal = make_deal(lead=self.lead).name
		told = self.told(MANAGER, EXPLAIN, deal=deal)
		self.assertEqual((told["conversion"], told["models"]), (None, []))
		self.assertEqual(told["words"], [f"Deal {deal} is not won: there is nothing to credit yet."])

	def test_a_lead_that_waits_and_one_that_was_erased(self) -> None:
		other = make_lead(email="grace@example.com").name
		self.assertIn("no conversion yet", explained.of_lead(other)["words"][0])
		erasure.erase(subjects.read("ada@example.com"))
		told = self.told(MANAGER, EXPLAIN, lead=self.lead)
		self.assertEqual(
			(told["conversion"], told["words"]),
			(None, [f"The tracking data of lead {self.lead} were erased."]),
		)

	def test_unknown_ones(self) -> None:
		for reference in ({"lead": "nobody"}, {"deal": "nobody"}):
			self.assertEqual(self.ask(MANAGER, EXPLAIN, **reference).status_code, 404)


class TestCommand(CommandTestCase):
	"""CLI-1, ATT-6: the same words on the command line, or JSON."""

	def setUp(self) -> None:
		super().setUp()
		make_visitor(PHONE)
		eight_touches(PHONE)
		self.conversion = make_conversion(PHONE, now_datetime(), currency="EUR")
		run.credit([self.conversion])

	def explained(self, name: str, *more: str) -> Any:
		return self.invoke("attribution", "--explain", name, *more)

	def test_words(self) -> None:
		result = self.explained(self.conversion, "--model", "Position Based")
		self.assertEqual(result.exit_code, 0, result.output)
		self.assertIn("\nPosition Based\n", result.output)
		self.assertIn("    40 % for the first touch.\n", result.output)
		self.assertEqual(result.output.count("20 ÷ 6 = 3.33333 %"), 6)
		self.assertIn("Last Touch", self.explained(self.conversion).output)

	def test_some_of_the_touches(self) -> None:
		page = self.explained(self.conversion, "--model", "Linear", "--limit", "1").output
		self.assertIn("The other touches, 7 of them, get 87.5 %", page)
		self.assertEqual(self.invoke("attribution", "--limit", "3").exit_code, 2)

	def test_json(self) -> None:
		told = json.loads(self.explained(self.conversion, "--model", "all", "--json").output)
		self.assertEqual(len(told["models"]), 10)

	def test_what_is_not_there(self) -> None:
		result = self.explained("unknown")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("no conversion, lead or deal", result.output)
		self.assertEqual(self.invoke("attribution", "--model", "Linear").exit_code, 2)

	def test_what_does_not_go_together(self) -> None:
		"""Nothing that was asked for is left out without a word."""
		for options in (
			("--pending", "--train"),
			("--explain", "x", "--compare", "channel"),
			("--pending", "--from", "2026-03-01"),
			("--train", "--to", "2026-03-01"),
			("--from", "2026-03-02", "--to", "2026-03-01"),
			("--explain", ""),
		):
			with self.subTest(options):
				self.assertEqual(self.invoke("attribution", *options).exit_code, 2)

	def test_a_lead_and_a_deal(self) -> None:
		if not HAS_CRM:
			self.skipTest("Frappe CRM is not installed on this site")
		lead = make_lead(email="grace@example.com", trackflow_visitor_id=PHONE).name
		crm_lead.attribute(lead)
		self.assertIn("(Lead)", self.explained(lead).output)
		self.assertIn("is not won", self.explained(make_deal(lead=lead).name).output)
