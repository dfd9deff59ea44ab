"""Why a website's events arrive, or do not, as the site knows it without asking the website (UI-1, COL-2, RPT-3)."""

import json
from typing import Any

import frappe

from trackflow.config import get_config
from trackflow.health import website
from trackflow.health.finding import BROKEN, FINE, NOTE
from trackflow.stream import drain, tally
from trackflow.tests.base import GOOGLEBOT, counted_statements
from trackflow.tests.edge_process import wait_until
from trackflow.tests.factories import SHOP, batch, event, make_domain, set_settings
from trackflow.tests.test_collector import CollectorTestCase
from trackflow.tests.test_edge_events import EdgeEventsTestCase
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.tracking import arrivals

OTHER = "other.example.org"
FOREIGN = "copy.example.net"
SCRIPT = "/api/method/trackflow.api.tracking.get_tracking_script"


class WebsiteTestCase(CollectorTestCase):
	def setUp(self) -> None:
		super().setUp()
		arrivals._told.clear()

	def check(self, name: str = SHOP) -> dict[str, Any]:
		frappe.db.commit()
		return website.check(name)

	def marks(self, name: str = SHOP) -> dict[str, str]:
		return {one["check"]: one["mark"] for one in self.check(name)["findings"]}

	def said(self, check: str, name: str = SHOP) -> str:
		return next(one["text"] for one in self.check(name)["findings"] if one["check"] == check)


class TestWhatIsSaid(WebsiteTestCase):
	"""UI-1: in words, what is wrong and what to do."""

	def test_nothing_yet(self) -> None:
		found = self.check()
		self.assertEqual(self.marks(), {"Tracking": FINE, "Script": NOTE, "Events": NOTE})
		self.assertTrue(found["ok"])
		self.assertEqual((found["newest"], found["accepted"]), (None, 0))
		self.assertNotIn("agree", self.said("Events"))

	def test_a_website_that_asks_first(self) -> None:
		make_domain(OTHER, consent_required=1)
		self.assertIn("Nothing is sent before the visitor agrees", self.said("Events", OTHER))

	def test_the_script_was_asked_for(self) -> None:
		self.get(f"{SCRIPT}?key={self.key}")
		self.get(SCRIPT, headers={"Referer": f"https://{SHOP}/page"})
		self.get(f"{SCRIPT}?key=pk_000000000000000000000000")
		self.assertIn("asked for the script 2 times", self.said("Script"))

	def test_events_on_their_way(self) -> None:
		self.send(batch(self.key, event("e1"), event("e2", type="NONSENSE")))
		self.assertEqual(self.marks(), {"Tracking": FINE, "Script": FINE, "Events": FINE, "Stored": NOTE})
		self.assertIn("1 entries wait", self.said("Stored"))
		self.assertIn("1 events were taken", self.said("Events"))
		self.assertIn("1 were not", self.said("Events"))
		drain.drain()
		found = self.check()
		self.assertEqual(self.marks()["Stored"], FINE)
		newest = found["newest"]
		self.assertEqual((newest["type"], newest["page"]), ("PAGE_VIEW", f"https://{SHOP}/products"))
		self.assertEqual((newest["browser"], newest["not_counted"]), ("Chrome", ""))
		self.assertEqual(found["accepted"], 1)

	def test_nothing_is_told_of_who_it_was(self) -> None:
		self.track(event("e1", url=f"https://{SHOP}/a?email=ada@example.com#x"))
		told = json.dumps(self.check())
		for private in ("v_0000", "203.0.113", "ada@", "Mozilla"):
			self.assertNotIn(private, told)

	def test_what_does_not_count_says_why(self) -> None:
		self.track(event("e1"), agent=GOOGLEBOT)
		self.assertIn("a robot's (crawler)", self.said("Stored"))
		set_settings(exclude_internal_traffic=1)
		self.track(event("e2"), address="192.168.1.4")
		self.assertIn("an internal address", self.said("Stored"))

	def test_a_page_of_another_host(self) -> None:
		self.send(batch(self.key, event("e1")), 403, origin=f"https://{FOREIGN}")
		found = self.check()
		self.assertFalse(found["ok"])
		self.assertIn(
			f"1 requests with this website's key from pages of another host, last from {FOREIGN}",
			self.said("Host"),
		)
		self.assertIn(f"Allowed: {SHOP} and the hosts below it", self.said("Host"))
		domain = frappe.get_doc("Domain Configuration", SHOP)
		domain.update({"allowed_origins": f"www.{SHOP}"}).save()
		self.assertIn(f"Allowed: www.{SHOP}.", self.said("Host"))

	def test_the_key_of_another_website(self) -> None:
		make_domain(OTHER)
		self.send(batch(self.key, event("e1")), 403, origin=f"https://www.{OTHER}")
		self.assertEqual(self.marks(OTHER)["Key"], BROKEN)
		self.assertIn("Copy the tag of this one", self.said("Key", OTHER))
		self.assertIn(f"last from www.{OTHER}", self.said("Host"))

	def test_a_key_that_nobody_knows(self) -> None:
		self.send(batch("pk_000000000000000000000000", event("e1")), 401)
		self.assertIn("Copy it anew", self.said("Key"))

	def test_a_file_that_was_opened_from_disk(self) -> None:
		self.send(batch(self.key, event("e1")), 403, origin="null")
		self.assertEqual(self.marks()["Host"], NOTE)

	def test_limits(self) -> None:
		set_settings(limit_events_per_site_minute=1)
		self.send(batch(self.key, event("e1")))
		self.send(batch(self.key, event("e2")), 429)
		self.assertIn("1 requests beyond the limits", self.said("Limits"))

	def test_what_is_switched_off(self) -> None:
		make_domain(OTHER, enabled=0)
		self.assertEqual(self.marks(OTHER)["Tracking"], BROKEN)
		set_settings(enable_tracking=0)
		self.assertIn("TrackFlow Settings", self.said("Tracking"))

	def test_other_websites_are_others(self) -> None:
		make_domain(OTHER)
		self.track(event("e1"))
		self.assertEqual(self.check(OTHER)["newest"], None)
		self.assertEqual(self.check(OTHER)["accepted"], 0)


class TestStrangers(WebsiteTestCase):
	"""SEC-2, SEC-4: what strangers send makes no more figures, and is told as what it is."""

	def test_only_domains_that_are_there_are_counted(self) -> None:
		for number in range(3):
			origin = f"https://x{number}.example.net"
			self.send(batch(f"pk_{number:024x}", event("e1")), 401, origin=origin)
		tally.tell()
		self.assertEqual([name for name in tally.read(1)[1] if name.startswith("website.")], [])

	def test_a_host_is_a_host_or_nothing(self) -> None:
		for origin in ("https://<b>x</b>", "https://" + "a" * 300, "https://a b"):
			self.send(batch(self.key, event("e1")), 403, origin=origin)
		self.assertEqual(arrivals.refused_host(self.key), "")

	def test_a_host_is_told_once_a_minute(self) -> None:
		for host in (FOREIGN, "later.example.net"):
			self.send(batch(self.key, event("e1")), 403, origin=f"https://{host}")
		self.assertEqual(arrivals.refused_host(self.key), FOREIGN)


class TestCost(WebsiteTestCase):
	def test_statements(self) -> None:
		"""It is asked every few seconds while somebody waits."""
		self.track(event("e1"))
		website.check(SHOP)
		with counted_statements() as statements:
			website.check(SHOP)
		self.assertLessEqual(len(statements), 1)


class TestOnTheEdge(EdgeEventsTestCase):
	"""RED-10: what edges answer is counted as what the site answers."""

	def test_script_and_refusals(self) -> None:
		def is_told() -> bool:
			# An edge tells with one of its next writes.
			self.send(edge, batch(self.key, event("e2")))
			counts = website.look(get_config(), SHOP).counts or {}
			return (counts.get("scripts"), counts.get("origin")) == (1, 1) and counts.get("accepted", 0) > 0

		with self.edge() as edge:
			edge.get(f"/pixel/{self.key}/tracking.js")
			self.send(edge, batch(self.key, event("e1")), headers={"Origin": f"https://{FOREIGN}"})
			wait_until(is_told, "the edge did not tell")


class TestAccess(PermissionTestCase):
	"""ROL-P, SEC-1"""

	def test_who_may(self) -> None:
		make_domain(SHOP)
		path = f"/api/method/trackflow.api.domains.check_website?domain={SHOP}"
		for user, expected in ((MANAGER, 200), (CAMPAIGNER, 403), (NOBODY, 403), (None, 403)):
			with self.subTest(user):
				self.assertEqual(self.get(path, headers=self.authorization(user)).status_code, expected)
		missing = self.get(f"{path}x", headers=self.authorization(MANAGER))
		self.assertEqual(missing.status_code, 404)
