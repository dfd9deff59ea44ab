"""Webhooks: what happens is written down with it and told to a real server (WHK-1)."""

import json
import logging
import os
import signal
import time
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import bulk, doctor, keys
from trackflow.config import get_config
from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase, counted_statements, fork, is_shared, work
from trackflow.tests.factories import make_campaign, make_link, make_webhook
from trackflow.tests.receiver import Dripping, Receiver, Silent, nobody, wait_for
from trackflow.tests.users import make_user, remove_user
from trackflow.webhooks import managing, outbox, sender, signing, target
from trackflow.webhooks.messages import EVENTS
from trackflow.webhooks.outbox import DELIVERY
from trackflow.webhooks.retrying import NOTICE_AT, PAUSE_AT

HOOK = "API Key Webhook Event"
MANAGER = "hooks.manager@example.com"


class WebhookTestCase(TrackFlowTestCase):
	"""A receiver on this machine, which the site's configuration allows."""

	def setUp(self) -> None:
		super().setUp()
		self.enterContext(patch.object(sender, "allows_private", lambda: True))
		self.receiver = self.enterContext(Receiver())

	def send(self, at: datetime | None = None) -> int:
		"""A run, at that time if any."""
		frappe.db.commit()
		return sender.Run((lambda: at) if at else now_datetime).work()

	def rows(self, *fields: str, **filters: Any) -> list[Any]:
		frappe.db.commit()
		fields = fields or ("name", "status", "attempts", "error_message", "response_code", "next_attempt_at")
		return frappe.get_all(DELIVERY, filters=filters, fields=list(fields), order_by="creation, name")

	def hook(self, name: str) -> Any:
		frappe.db.commit()
		fields = ["consecutive_failures", "is_paused", "held_until", "lease", "leased_until"]
		return frappe.db.get_value(HOOK, name, fields, as_dict=True)

	def put(self, number: int, event: str = "link.created") -> list[str]:
		"""So many events that happen one after the other."""
		names = []
		for _one in range(number):
			names.append(make_link().name)
			frappe.db.commit()
		return names

	def links_received(self) -> list[str]:
		return [item["link"] for one in self.receiver.received for item in json.loads(one.body)["items"]]


class TestOutbox(WebhookTestCase):
	"""What happens is written down in the same transaction, and only for who subscribes."""

	def test_told_with_what_happened(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		link = make_link()
		(row,) = self.rows("event_type", "status", "item_count", "payload", "webhook_url")
		self.assertEqual(
			(row.event_type, row.status, row.item_count, row.webhook_url),
			("link.created", "Pending", 1, self.receiver.address),
		)
		(item,) = json.loads(row.payload)["items"]
		self.assertEqual((item["link"], item["short_code"]), (link.name, link.short_code))

	def test_what_did_not_happen_is_not_told(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		make_link()
		frappe.db.rollback()
		self.assertEqual(self.rows(), [])

	def test_without_a_subscriber_nothing_is_asked(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		config = get_config()
		with counted_statements() as statements:
			outbox.tell("link.clicked", lambda _zone: self.fail("nobody asked for it"), config)
			outbox.tell("conversion.created", lambda _zone: self.fail("nobody asked for it"))
		self.assertEqual(statements, [])

	def test_one_that_is_off_or_whose_key_is(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		key = frappe.get_doc("TrackFlow API Key", "hooks")
		key.webhook_events[0].is_active = 0
		key.save()
		self.put(1)
		key.webhook_events[0].is_active = 1
		key.is_active = 0
		key.save()
		self.put(1)
		key.is_active, key.expires_on = 1, now_datetime() - timedelta(days=1)
		key.save()
		self.put(1)
		self.assertEqual((self.rows(), outbox.subscribers("link.created")), ([], []))

	def test_what_waits_for_one_that_goes_is_given_up(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(1)
		managing.remove(hook)
		self.send()
		(row,) = self.rows()
		self.assertEqual(row.status, "Failed")
		self.assertIn("gone", row.error_message)
		self.assertEqual(self.receiver.received, [])

	def test_sent_anew_without_its_name_it_stays_the_same(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		frappe.db.set_value(HOOK, hook, "is_paused", 1)
		doc = frappe.get_doc("TrackFlow API Key", "hooks")
		same = {"event_type": "link.created", "webhook_url": self.receiver.address, "is_active": 1}
		doc.set("webhook_events", [same, {**same, "event_type": "campaign.updated"}])
		doc.save()
		doc.reload()
		self.assertEqual(
			[(row.name == hook, row.is_paused) for row in doc.webhook_events], [(True, 1), (False, 0)]
		)


class TestDelivering(WebhookTestCase):
	"""A POST with a signature; what fails is tried again."""

	def test_a_job_delivers_after_the_commit(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		link = make_link()
		work()
		(sent,) = self.receiver.received
		body = json.loads(sent.body)
		(row,) = self.rows("name", "status", "attempts", "response_code", "response_excerpt", "delivered_at")
		self.assertEqual(
			(row.status, row.attempts, row.response_code, row.response_excerpt),
			("Delivered", 1, 200, "thanks"),
		)
		self.assertTrue(row.delivered_at)
		self.assertEqual(
			(sent.headers["webhook-id"], body["id"], body["event"]), (row.name, row.name, "link.created")
		)
		self.assertEqual(sent.headers["trackflow-event"], "link.created")
		self.assertEqual(self.links_received(), [link.name])
		self.assertRegex(body["created_at"], r"^\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d$")

	def test_what_waits_goes_in_the_order_in_which_it_happened(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		names = self.put(5)
		self.assertEqual(self.send(), 5)
		self.assertEqual(self.links_received(), names)
		self.assertEqual(self.receiver.most_at_once, 1)

	def test_an_error_is_tried_again(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(1)
		self.receiver.answers = [(500, {}, b"<b>broken</b>")]
		now = now_datetime()
		self.assertEqual(self.send(now), 1)
		(row,) = self.rows("status", "attempts", "error_message", "next_attempt_at", "response_excerpt")
		self.assertEqual((row.status, row.attempts), ("Pending", 1))
		self.assertIn("500", row.error_message)
		self.assertNotIn("<b>", row.response_excerpt)
		self.assertTrue(timedelta(seconds=40) < row.next_attempt_at - now < timedelta(seconds=80))
		self.assertEqual(self.hook(hook).consecutive_failures, 1)
		self.assertEqual(self.send(now + timedelta(seconds=30)), 0)
		self.assertEqual(self.send(now + timedelta(seconds=90)), 1)
		self.assertEqual([row.status for row in self.rows()], ["Delivered"])
		self.assertEqual(self.hook(hook).consecutive_failures, 0)
		ids = {one.headers["webhook-id"] for one in self.receiver.received}
		self.assertEqual((len(ids), len(self.receiver.received)), (1, 2))

	def test_after_a_day_it_is_given_up_and_can_be_sent_again(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(1)
		self.receiver.answers = [(503, {}, b"")] * 14
		start = now = now_datetime()
		while (row := self.rows()[0]).status == "Pending":
			now = max(now, row.next_attempt_at) + timedelta(seconds=1)
			self.send(now)
		self.assertEqual((row.status, row.attempts), ("Failed", 14))
		self.assertTrue(timedelta(hours=17) < now - start < timedelta(hours=31), now - start)
		# Fourteen attempts are one delivery.
		self.assertEqual((self.hook(hook).consecutive_failures, self.hook(hook).is_paused), (1, 0))
		self.assertEqual(managing.redeliver([row.name]), 1)
		self.assertEqual(self.send(), 1)
		self.assertEqual(self.rows()[0].status, "Delivered")

	def test_what_arrived_at_a_webhook_that_is_gone_stays_delivered(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(1)
		self.send()
		managing.remove(hook)
		(row,) = self.rows()
		with self.assertRaisesRegex(frappe.ValidationError, "gone"):
			managing.redeliver([row.name])
		self.assertEqual(self.rows()[0].status, "Delivered")

	def test_it_waits_as_long_as_it_is_asked_to(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(2)
		self.receiver.answers = [(429, {"Retry-After": "7200"}, b"")]
		now = now_datetime()
		self.assertEqual(self.send(now), 1)
		self.assertEqual(self.hook(hook).held_until, now + timedelta(hours=2))
		for minutes in (10, 60, 119):
			self.assertEqual(self.send(now + timedelta(minutes=minutes)), 0)
		self.assertEqual(self.send(now + timedelta(minutes=121)), 2)

	def test_redirects_are_not_followed(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		self.put(1)
		self.receiver.answers = [(307, {"Location": f"http://127.0.0.1:{self.receiver.port}/other"}, b"")]
		self.send()
		(row,) = self.rows()
		self.assertEqual((row.status, row.response_code), ("Pending", 307))
		self.assertIn("redirect", row.error_message)
		self.assertEqual([one.path for one in self.receiver.received], ["/hook"])

	def test_of_a_long_answer_only_the_beginning_is_read(self) -> None:
		make_webhook(self.receiver.address, "link.created")
		self.put(1)
		self.receiver.answers = [(200, {}, b"x" * 50_000_000)]
		self.send()
		(row,) = self.rows("status", "response_excerpt")
		self.assertEqual((row.status, len(row.response_excerpt)), ("Delivered", target.EXCERPT))

	def test_one_that_never_answers(self) -> None:
		silent = self.enterContext(Silent())
		make_webhook(silent.address, "link.created")
		self.put(1)
		with patch.object(target, "TIMEOUT_SECONDS", 0.2):
			self.send()
		(row,) = self.rows()
		self.assertEqual((row.status, row.attempts, row.response_code), ("Pending", 1, 0))
		self.assertIn("no answer", row.error_message)

	def test_one_that_drips_its_answer(self) -> None:
		"""Each byte comes in time, all of it never: the whole has an end."""
		make_webhook(self.receiver.address, "link.created")
		self.put(1)
		self.receiver.dribble = 0.1
		began = time.monotonic()
		with patch.object(target, "LONGEST_SECONDS", 0.5):
			self.send()
		self.assertLess(time.monotonic() - began, 5)
		self.assertEqual([row.status for row in self.rows()], ["Pending"])

	def test_one_that_drips_has_no_more_time_wherever_it_does(self) -> None:
		"""WHK-1: in TLS's greetings, in its head, in a body behind which it hangs up."""
		head = b"HTTP/1.1 200 Said\r\nConnection: close\r\nX-Long: "
		body = b"HTTP/1.1 200 Said\r\nConnection: close\r\nContent-Length: 1000\r\n\r\nthanks"
		cases = (
			("https", b"\x16\x03\x03\x40\x00", (0, target.TIMEOUT)),
			("http", head, (0, target.TIMEOUT)),
			("http", body, (200, "")),
		)
		for scheme, first, expected in cases:
			with (
				self.subTest(first),
				Dripping(first) as dripping,
				patch.object(target, "LONGEST_SECONDS", 1.5),
			):
				began = time.monotonic()
				outcome = target.post(
					target.Attempt(f"{scheme}://127.0.0.1:{dripping.port}/hook", {}, b"{}", True)
				)
				self.assertLess(time.monotonic() - began, 5)
				self.assertEqual((outcome.status, outcome.error), expected)

	def test_nobody_listens(self) -> None:
		make_webhook(nobody(), "link.created")
		self.put(1)
		self.send()
		(row,) = self.rows()
		self.assertEqual((row.status, row.attempts), ("Pending", 1))
		self.assertIn("cannot be reached", row.error_message)


class TestSlowTargets(WebhookTestCase):
	"""One slow or dead target holds up nobody else's."""

	def test_another_key_is_served_meanwhile(self) -> None:
		slow = self.enterContext(Receiver())
		make_webhook(slow.address, "link.created", key="a slow one")
		make_webhook(self.receiver.address, "link.created", key="b fast one")
		served = Event()
		waited: list[bool] = []
		# The slow one answers when the other has all of its own.
		slow.before = lambda _request: waited.append(served.wait(10))
		self.receiver.before = lambda _request: len(self.receiver.received) == 4 and served.set()
		self.put(4)
		self.assertEqual(self.send(), 8)
		self.assertEqual(waited, [True] * 4)
		self.assertEqual(slow.most_at_once, 1)

	def test_webhooks_with_nothing_to_tell_cost_no_statements(self) -> None:
		"""WHK-1: of each delivery, however many there are."""
		make_webhook(self.receiver.address, "link.created")
		counts = []
		for many in (1, 9):
			for number in range(many):
				make_webhook(f"{self.receiver.address}/{many}-{number}", "campaign.updated", key="idle")
			self.put(4)
			with counted_statements() as statements:
				self.assertEqual(self.send(), 4)
			counts.append(len(statements))
		self.assertLessEqual(counts[1], counts[0] + 2)

	def test_a_dead_one_costs_a_run_three_attempts(self) -> None:
		make_webhook(nobody(), "link.created", key="dead")
		make_webhook(self.receiver.address, "link.created", key="living")
		self.put(10)
		self.assertEqual(self.send(), 10 + sender.MOST_FAILURES)
		self.assertEqual(len(self.receiver.received), 10)


class TestPausing(WebhookTestCase):
	"""Managers are told at 5 deliveries that failed in a row; at 20 the webhook is paused, and nothing is lost."""

	def notices(self) -> list[str]:
		frappe.db.commit()
		filters = {"document_type": "TrackFlow Settings", "subject": ("like", "%webhook%")}
		return frappe.get_all("Notification Log", filters=filters, pluck="subject", order_by="creation, name")

	def setUp(self) -> None:
		super().setUp()
		self._forget()
		self.addCleanup(self._forget)

	def _forget(self) -> None:
		frappe.db.delete("Notification Log", {"subject": ("like", "%webhook%")})
		frappe.db.commit()

	def test_notice_and_pause(self) -> None:
		make_user(MANAGER, TRACKFLOW_MANAGER)
		self.addCleanup(remove_user, MANAGER)
		(hook,) = make_webhook(nobody(), "link.created")
		now = now_datetime()
		for number in range(1, PAUSE_AT + 1):
			self.put(1)
			now = now_datetime() + timedelta(seconds=1)
			self.send(now)
			state = self.hook(hook)
			self.assertEqual((state.consecutive_failures, state.is_paused), (number, int(number == PAUSE_AT)))
			told = {subject for subject in self.notices()}
			self.assertEqual(len(told), (number >= NOTICE_AT) + (number == PAUSE_AT), number)
		self.put(3)
		self.assertEqual(self.send(now_datetime() + timedelta(days=2)), 0)
		self.assertEqual({row.status for row in self.rows()}, {"Pending"})
		self.assertFalse([one for one in self.notices() if "/hook" in one])

	def test_what_waits_for_a_month_is_given_up(self) -> None:
		"""WHK-1: for a webhook that is paused and forgotten; whoever comes back to it can have it sent all the same."""
		(hook,) = make_webhook(self.receiver.address, "link.created")
		(running,) = make_webhook(nobody(), "link.created", key="running")
		old, _young = self.put(2)
		bulk.update(HOOK, {hook: {"is_paused": 1}})
		long_ago = now_datetime() - sender.LONGEST_WAIT - timedelta(hours=1)
		filters = {"payload": ("like", f"%{old}%")}
		frappe.db.set_value(DELIVERY, filters, "next_attempt_at", long_ago)
		self.send()
		states = [(row.status, row.next_attempt_at is None) for row in self.rows(webhook=hook)]
		self.assertEqual(states, [("Failed", True), ("Pending", False)])
		(row,) = self.rows(webhook=hook, status="Failed")
		self.assertIn(f"{sender.LONGEST_WAIT.days} days", row.error_message)
		self.assertEqual({one.status for one in self.rows(webhook=running)}, {"Pending"})
		managing.redeliver([row.name])
		managing.resume(hook)
		self.send()
		self.assertEqual(len(self.receiver.received), 2)

	def test_six_hours_without_the_target_lose_nothing(self) -> None:
		"""Down for six simulated hours, in which something happens every ten minutes and the scheduler runs each minute: paused on
		the way, resumed when it is back."""
		down = nobody()
		(hook,) = make_webhook(down, "link.created")
		start = now_datetime().replace(microsecond=0)
		names, paused_at = [], None
		for minute in range(6 * 60):
			now = start + timedelta(minutes=minute)
			if minute % 10 == 0:
				with patch.object(outbox, "now_datetime", lambda now=now: now):
					names += self.put(1)
			self.send(now)
			if paused_at is None and self.hook(hook).is_paused:
				paused_at = minute
		self.assertTrue(180 <= paused_at < 240, paused_at)
		self.assertEqual({row.status for row in self.rows()}, {"Pending"})
		# Its address answers again.
		frappe.db.set_value(HOOK, hook, "webhook_url", self.receiver.address)
		self.assertEqual(self.send(start + timedelta(hours=7)), 0)
		self.assertEqual(managing.resume(hook), len(names))
		frappe.db.sql
		self.send(start + timedelta(hours=7))
		self.assertEqual({row.status for row in self.rows()}, {"Delivered"})
		self.assertEqual(sorted(self.links_received()), sorted(names))
		self.assertEqual((self.hook(hook).is_paused, self.hook(hook).consecutive_failures), (0, 0))


class TestWorkers(WebhookTestCase):
	"""Workers die, and are many: nothing is lost, and nothing goes twice at one time."""

	def test_killed_between_commit_and_delivery(self) -> None:
		"""The job that the commit queued never ran: the scheduler's run a minute later delivers."""
		make_webhook(self.receiver.address, "link.created")
		names = self.put(2)
		self.assertEqual(self.send(), 2)
		self.assertEqual(self.links_received(), names)

	def test_killed_with_the_lease_in_its_hand(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(1)
		now = now_datetime() + timedelta(seconds=1)
		dead = sender.Run(lambda: now)
		self.assertIsNotNone(dead._take(hook))
		self.assertEqual(self.send(now + timedelta(seconds=30)), 0)
		self.assertEqual(self.send(now + timedelta(seconds=61)), 1)
		self.assertEqual([row.status for row in self.rows()], ["Delivered"])
		# It was not dead, after all: what it says of the delivery is of no account any more.
		dead._end(sender.Flight(hook, self.rows()[0].name), target.Outcome(status=500))
		self.assertEqual([row.status for row in self.rows()], ["Delivered"])
		self.assertEqual(self.hook(hook).consecutive_failures, 0)

	def test_a_second_run_finds_it_taken(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(2)
		first, second = sender.Run(), sender.Run()
		frappe.db.commit()
		self.assertIsNotNone(first._take(hook))
		self.assertIsNone(second._take(hook))

	def test_a_lease_is_renewed_while_an_answer_is_waited_for(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.put(1)
		leases: list[Any] = []
		clock = iter(range(10_000))
		start = now_datetime()
		going = Event()
		self.receiver.before = lambda _request: wait_for(going)
		real = sender.Run._renew

		def renew(run: sender.Run) -> None:
			real(run)
			leases.append(self.hook(hook).leased_until)
			if len(leases) == 2:
				going.set()

		with patch.object(sender, "RENEW_SECONDS", 0.05), patch.object(sender.Run, "_renew", renew):
			sender.Run(lambda: start + timedelta(seconds=next(clock))).work()
		self.assertGreater(leases[1], leases[0])
		self.assertEqual([row.status for row in self.rows()], ["Delivered"])
		self.assertIsNone(self.hook(hook).lease)

	def test_two_processes(self) -> None:
		if not is_shared():
			self.skipTest("SQLite has one process")
		make_webhook(self.receiver.address, "link.created")
		names = self.put(30)
		self.receiver.before = lambda _request: time.sleep(0.01)

		def deliver() -> None:
			for _run in range(3):
				sender.send_due()

		children = [fork(deliver) for _one in range(3)]
		for child in children:
			self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
		frappe.db.rollback()
		self.assertEqual(self.links_received(), names)
		self.assertEqual(self.receiver.most_at_once, 1)

	def test_a_process_that_is_killed_while_it_sends(self) -> None:
		if not is_shared():
			self.skipTest("SQLite has one process")
		make_webhook(self.receiver.address, "link.created")
		names = self.put(3)
		arrived, going = Event(), Event()

		def before(_request: Any) -> None:
			arrived.set()
			wait_for(going)

		self.receiver.before = before

		child = fork(sender.send_due)
		wait_for(arrived)
		os.kill(child, signal.SIGKILL)
		os.waitpid(child, 0)
		going.set()
		self.receiver.before = lambda _request: None
		frappe.db.rollback()
		self.assertEqual(self.send(), 0)
		self.assertEqual(self.send(now_datetime() + timedelta(seconds=61)), 3)
		self.assertEqual({row.status for row in self.rows()}, {"Delivered"})
		# What had arrived came once more, under its own id.
		self.assertEqual(self.links_received(), [names[0], *names])
		self.assertEqual(len({one.headers["webhook-id"] for one in self.receiver.received}), 3)
