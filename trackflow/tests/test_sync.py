"""Forms on their way to Pipedrive: noted, found, written, and what becomes of them, against a real server on loopback (SYN-1)."""

import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow.privacy import erasure
from trackflow.stream import connection
from trackflow.stream.connection import connect as queue_redis
from trackflow.sync import claims, gather, pipedrive, run, state, transport
from trackflow.sync.intake import LOG
from trackflow.tests.base import fork, is_shared
from trackflow.tests.factories import SHOP, event_record, set_settings
from trackflow.tests.pipedrive_server import TOKEN, Pipedrive, key_of
from trackflow.tests.sync_case import ADA, SimulatedTime, SyncTestCase, form, rows_of_mapping, soon, visitor
from trackflow.tracking import store


class TestIntake(SyncTestCase):
	"""Which forms are to be synced, and when."""

	delay = 7

	def test_a_form_waits_for_seven_minutes(self) -> None:
		self.submit()
		row = self.log()
		self.assertEqual((row.status, row.email, row.first_name), ("pending", "ada@example.com", "Ada"))
		self.assertAlmostEqual((row.due_at - now_datetime()).total_seconds(), 7 * 60, delta=30)
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.assertEqual(self.work().rows_written, 0)
		self.make_due()
		self.assertEqual(self.work().done["synced"], 1)

	def test_the_same_submission_again_adds_nothing(self) -> None:
		sent = form()
		self.submit(sent)
		self.make_due()
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.work()
		for _number in range(2):
			store.store([sent])
			# Also where the event itself was deleted by its age meanwhile.
			frappe.db.delete("Visitor Event")
		frappe.db.commit()
		self.make_due()
		self.work()
		self.assertEqual((self.state(), self.pipedrive.updates[1]), (("synced", ""), 1))

	def test_who_cannot_be_searched_for(self) -> None:
		self.submit(
			form(typed={"first_name": "Ada"}),
			form(typed={"email": "no address"}),
			event_record(1, domain=SHOP),
		)
		self.assertEqual(self.logs(), [])
		self.submit(form(typed={"first_name": "Ada", "last_name": "Lovelace"}))
		self.assertEqual(self.log().email, None)

	def test_who_said_an_address_before(self) -> None:
		said = {
			"contact_email": "ada@example.com",
			"consent_status": "Granted",
			"consent_policy_version": "1",
		}
		self.submit(event_record(1, event_type="IDENTIFY", domain=SHOP, person=said), form(typed={}))
		self.assertEqual(self.log().email, "ada@example.com")

	def test_nothing_where_it_is_off(self) -> None:
		set_settings(sync_enabled=0)
		self.submit()
		self.assertEqual(self.logs(), [])

	def test_who_may_not_leave(self) -> None:
		denied = {"consent_status": "Denied", "consent_policy_version": "1"}
		self.submit(
			form(1, person=denied),
			form(2, is_internal=True),
			form(3, counted=False),
			form(4, cookieless=True),
		)
		self.assertEqual(self.logs(), [])
		for values, expected in (
			({"consent_required": 1}, 0),
			({"consent_required": 0, "privacy_level": "GDPR"}, 0),
			({"consent_required": 0, "privacy_level": "Standard"}, 1),
		):
			frappe.get_doc("Domain Configuration", SHOP).update(values).save()
			self.submit(form(5, person={}))
			self.assertEqual(len(self.logs()), expected, values)
		frappe.get_doc("Domain Configuration", SHOP).update({"privacy_level": "HIPAA"}).save()
		self.submit(form(6))
		self.assertEqual(len(self.logs()), 1)


class TestSync(SyncTestCase):
	"""Found by e-mail, else by name; updated, never created."""

	def test_what_is_written(self) -> None:
		ada = self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.pipedrive.add("Ada Lovelace", "other@example.com")
		began = time.time() - 600
		seen = {"domain": SHOP, "utm": {"utm_source": "news"}, "city": "Paris", "country": "FR"}
		self.submit(
			event_record(
				1, at=began, url=f"https://{SHOP}/?gclid=g-1&x=1", click_ids={"gclid": "g-1"}, **seen
			),
			form(at=began + 300, url=f"https://{SHOP}/contact", address="203.0.113.9", **seen),
		)
		self.work()
		row = self.log()
		self.assertEqual((row.status, row.remote_id, row.attempts), ("synced", str(ada), 1))
		written = self.written(ada)
		self.assertEqual(
			written.pop("First seen"), now_datetime().date().isoformat() if began % 86400 > 0 else ""
		)
		self.assertRegex(written.pop("Last visit"), r"^\w+ \d+, \d{4} at \d+:\d\d [AP]M$")
		self.assertEqual(
			written,
			{
				"Source": "news",
				"Google click": "g-1",
				"Pages": f"https://{SHOP}/",
				"Duration": "5 minutes",
				"Location": "Paris, FR",
				"Views": 1,
				"Address": "203.0.113.9",
			},
		)
		self.assertEqual(json.loads(row.payload), self.pipedrive.persons[ada]["custom_fields"])
		self.assertEqual(self.pipedrive.persons[ada]["name"], "Ada Lovelace")
		self.assertEqual(dict(self.pipedrive.updates), {ada: 1})
		self.assert_nothing_but_updates()
		self.assertEqual(self.pipedrive.tokens, {TOKEN})

	def test_by_name_where_nobody_has_the_address(self) -> None:
		ada = self.pipedrive.add("ada lovelace", "office@example.com")
		self.submit()
		self.work()
		self.assertEqual((self.state(), dict(self.pipedrive.updates)), (("synced", ""), {ada: 1}))
		self.assertEqual(len(self.pipedrive.asked("GET", "search")), 2)

	def test_nobody(self) -> None:
		self.pipedrive.add("Ada Lovelacey", "ada@example.community")
		self.submit()
		self.work()
		self.assertEqual((self.state(), self.pipedrive.updates), (("not_found", "nobody"), {}))
		self.assert_nothing_but_updates()

	def test_two_with_one_address_are_never_guessed_between(self) -> None:
		for name in ("Ada Lovelace", "Ada King"):
			self.pipedrive.add(name, "ada@example.com")
		self.submit()
		self.work()
		self.assertEqual((self.state(), self.pipedrive.updates), (("error", "several"), {}))
		self.assertIn("1, 2", self.log().error_message)

	def test_the_second_of_them_on_another_page(self) -> None:
		self.pipedrive.page = 1
		for name in ("Ada Lovelace", "Ada King"):
			self.pipedrive.add(name, "ada@example.com")
		self.submit()
		self.work()
		self.assertEqual(self.state(), ("error", "several"))
		self.assertEqual(len(self.pipedrive.asked("GET", "cursor=c1")), 1)

	def test_a_person_that_goes_meanwhile(self) -> None:
		ada = self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.pipedrive.fails = lambda method, _path: 404 if method == "PATCH" else None
		self.submit()
		self.work()
		self.assertEqual((self.state(), self.written(ada)), (("not_found", "nobody"), {}))

	def test_two_forms_of_one_person_are_one_update(self) -> None:
		ada = self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit(form(utm={"utm_source": "old"}, at=time.time() - 60), form(utm={"utm_source": "new"}))
		self.assertEqual(self.work().done["synced"], 2)
		self.assertEqual((self.pipedrive.updates[ada], self.written(ada)["Source"]), (1, "new"))
		self.assertEqual({row.status for row in self.logs()}, {"synced"})

	def test_addresses_stay_at_the_level_gdpr(self) -> None:
		frappe.get_doc("Domain Configuration", SHOP).update({"privacy_level": "GDPR"}).save()
		ada = self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit(form(address="203.0.113.9"))
		self.work()
		self.assertEqual(self.state()[0], "synced")
		self.assertNotIn("Address", self.written(ada))

	def test_in_batches_up_to_a_limit(self) -> None:
		for number in range(1, 61):
			self.pipedrive.add(f"Person {number}", f"p{number}@example.com")
		self.submit(*[form(number, typed={"email": f"p{number}@example.com"}) for number in range(1, 61)])
		self.assertEqual(self.work(limit=10).done["synced"], 10)
		told: list[int] = []
		self.assertEqual(self.work(tell=told.append).done["synced"], 50)
		self.assertEqual((told[-1], set(self.pipedrive.updates.values())), (50, {1}))

	def test_the_job_of_every_five_minutes(self) -> None:
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit()
		with patch.object(run, "enqueue") as enqueue:
			self.assertEqual(run.queue(), 1)
			set_settings(sync_enabled=0)
			self.assertEqual(run.queue(), 0)
		self.assertEqual(enqueue.call_args.kwargs["job_id"], "crm-sync")
		self.assertIs(frappe.get_attr(enqueue.call_args.args[0]), run.job)
		self.assertEqual(run.job().rows_written, 1)

	def test_one_address_does_not_fill_the_memory(self) -> None:
		"""Somebody may send one form thousands of times: so many are taken at once, the first first, and the rest is the next turn's."""
		ada = self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit(*(form(number) for number in range(1, 13)))
		self.make_due()
		now = now_datetime()
		with patch.object(claims, "MOST_OF_ADDRESSES", 5):
			first = claims.take(now, soon(10), 2)
			self.assertEqual((len(first), claims.take(now, soon(10), 2)), (5, []))
			claims.give_back(first, now)
			self.assertEqual(self.work().done["synced"], 12)
		self.assertEqual(
			(set(self.pipedrive.updates), {row.status for row in self.logs()}), ({ada}, {"synced"})
		)

	def test_what_waits_for_a_month_is_given_up(self) -> None:
		"""Also where the sync is off for good; whoever wants it all the same has it tried again."""
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit(form(1), form(2, typed={"email": "bob@example.com"}))
		set_settings(sync_enabled=0)
		frappe.db.set_value(LOG, {"email": "ada@example.com"}, "due_at", now_datetime() - claims.LONGEST_WAIT)
		run.queue()
		old, young = self.logs()
		self.assertEqual((old.status, old.reason, young.status), ("error", "expired", "pending"))
		self.assertIn(f"{claims.LONGEST_WAIT.days} days", old.error_message)
		set_settings(sync_enabled=1)
		self.assertEqual(claims.try_again([old.name], now_datetime()), 1)
		self.work()
		self.assertEqual(self.logs()[0].status, "synced")

	def test_each_visitor_has_pages_of_its_own(self) -> None:
		"""One who saw thousands of them takes none from another."""
		pages = [
			event_record(number, at=time.time() - 100 + place, url=f"https://{SHOP}/{number}/{place}")
			for number, many in ((1, 9), (2, 3))
			for place in range(many)
		]
		store.store([*reversed(pages)])
		with patch.object(gather, "MOST_ADDRESSES", 4):
			found = gather._pages({visitor(1), visitor(2)})
		expected = {
			visitor(number): [f"https://{SHOP}/{number}/{place}" for place in range(many)]
			for number, many in ((1, 4), (2, 3))
		}
		self.assertEqual(found, expected)


class TestMisbehaving(SyncTestCase):
	"""A Pipedrive that does all that servers do."""

	def setUp(self) -> None:
		super().setUp()
		self.ada = self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit()
		self.clock = SimulatedTime()

	def fail(self, *failures: Any, method: str = "", path: str = "") -> None:
		"""The next requests of that kind fail so."""
		left = list(failures)

		def fails(asked: str, at: str) -> Any:
			return left.pop(0) if left and method in asked and path in at else None

		self.pipedrive.fails = fails

	def begin_again(self) -> None:
		"""The form as it was, and a closed circuit."""
		queue_redis().delete(connection.key(state.KEY))
		frappe.db.set_value(LOG, {"email": "ada@example.com"}, {"status": "pending", "attempts": 0})
		self.make_due()

	def test_two_more_attempts_with_growing_pauses(self) -> None:
		self.fail(500, 503, method="GET")
		self.work(clock=self.clock)
		self.assertEqual((self.state()[0], self.clock.slept), ("synced", [0.01, 0.02]))
		self.assertEqual(self.pipedrive.updates[self.ada], 1)

	def test_then_later_runs_and_not_for_good(self) -> None:
		for attempt in range(1, 6):
			self.fail(500, 502, 504)
			self.work(clock=self.clock)
			row = self.log()
			self.assertEqual((row.reason, row.attempts), ("unreachable", attempt))
			self.assertEqual(row.status, "error" if attempt == 5 else "pending")
			self.assertEqual(self.work(clock=self.clock).rows_written, 0, "not before its time")
			self.clock.ahead += 3600
		self.assertIn("504", row.error_message)

	def test_what_is_no_answer(self) -> None:
		"""It is asked for again, and counts as a failure."""
		for failure in (
			"garbage",
			"cut",
			{"status": 200, "body": {"success": False}},
			{"status": 200, "body": {"success": True, "data": {"items": "x"}}},
			{"status": 200, "body": ["success"]},
		):
			with self.subTest(failure):
				self.begin_again()
				self.fail(failure, failure, failure, method="GET")
				self.work(clock=self.clock)
				self.assertEqual((self.state(), state.current().failures), (("pending", "unreachable"), 3))
				self.begin_again()
				self.fail(failure, method="GET")
				self.work(clock=self.clock)
				self.assertEqual((self.state()[0], state.current().failures), ("synced", 0))

	def test_hanging(self) -> None:
		for failure in ("hang", "drip", "drip head"):
			with self.subTest(failure), patch.object(transport, "TIMEOUT_SECONDS", 0.3):
				self.begin_again()
				self.fail(*[failure] * 3)
				began = time.monotonic()
				self.work()
				self.assertLess(time.monotonic() - began, 5)
				self.assertEqual(self.state(), ("pending", "unreachable"))

	def test_thirty_seconds_in_all(self) -> None:
		"""Whatever each request and pause may take."""
		self.fail({"status": 429, "headers": {"Retry-After": "5"}}, 500, 500, method="GET")
		with patch.object(run, "BUDGET_SECONDS", 4.0):
			self.work(clock=self.clock)
		self.assertEqual(self.state(), ("pending", "unreachable"))
		self.assertEqual(len(self.pipedrive.requests), 1)
		self.assertLess(sum(self.clock.slept), 4.01)

	def test_a_short_wait_is_waited_for(self) -> None:
		self.fail({"status": 429, "headers": {"Retry-After": "2"}}, method="GET")
		self.work(clock=self.clock)
		self.assertEqual((self.state()[0], self.clock.slept), ("synced", [2.0]))

	def test_a_long_wait_is_everybodys_and_no_attempt(self) -> None:
		self.fail({"status": 429, "headers": {"Retry-After": "600"}}, method="PATCH")
		report = self.work(clock=self.clock)
		self.assertEqual((report.done["later"], self.clock.slept), (1, []))
		self.assertEqual((self.state(), self.log().attempts), (("pending", ""), 0))
		self.assertEqual(state.current().failures, 0)
		asked = len(self.pipedrive.requests)
		self.make_due()
		self.work(clock=self.clock)
		self.assertEqual(len(self.pipedrive.requests), asked, "nobody asks before the time")
		self.clock.ahead += 601
		self.work(clock=self.clock)
		self.assertEqual(self.state()[0], "synced")

	def test_redirects_are_not_followed(self) -> None:
		with Pipedrive() as other:
			self.fail({"status": 302, "headers": {"Location": f"{other.address}/api/v2/persons/search"}})
			report = self.work(clock=self.clock)
			self.assertEqual(other.requests, [])
		self.assertIn("redirect", report.stopped.text)
		self.assertEqual(self.state(), ("pending", ""))

	def test_a_wrong_token_stops_everything_and_nobody_is_to_blame(self) -> None:
		set_settings(sync_token="wrong")
		report = self.work(clock=self.clock)
		self.assertIn("token", report.stopped.text)
		self.assertEqual((self.state(), self.log().attempts), (("pending", ""), 0))
		self.assertEqual((len(self.pipedrive.requests), state.trouble()), (1, report.stopped.text))
		set_settings(sync_token=TOKEN)
		self.work(clock=self.clock)
		self.assertEqual((self.state()[0], state.trouble()), ("synced", ""))

	def test_a_field_whose_key_changed_is_the_mappings_fault(self) -> None:
		self.pipedrive.fields[0] = ("f" * 40, "Source", "varchar")
		report = self.work(clock=self.clock)
		self.assertIn(key_of("Source"), report.stopped.text)
		self.assertEqual((self.state(), self.log().attempts), (("pending", ""), 0))
		set_settings(sync_fields=rows_of_mapping("gclid", "location", "page_views"))
		self.work(clock=self.clock)
		self.assertEqual(self.state()[0], "synced")

	def test_values_that_it_does_not_take_are_the_forms_fault(self) -> None:
		self.fail(422, method="PATCH")
		self.work(clock=self.clock)
		self.assertEqual(self.state(), ("error", "refused"))

	def test_the_circuit(self) -> None:
		"""Opens after 5 failures in a row; half-open after 60 s; closed after 2 successes. An open one is nobody's attempt."""
		self.submit(*[form(number, typed={"email": f"p{number}@example.com"}) for number in range(2, 12)])
		heard: list[str] = []
		broken = True
		self.pipedrive.fails = lambda _method, _path: 500 if broken else None
		report = self.work(clock=self.clock, hear=lambda one: heard.append(one.state))
		self.assertEqual((len(self.pipedrive.requests), heard), (5, ["open"]))
		self.assertIn("too often", report.stopped.text)
		self.assertEqual(sorted(row.attempts for row in self.logs()), [*[0] * 10, 1])
		self.work(clock=self.clock)
		self.assertEqual(len(self.pipedrive.requests), 5)
		self.clock.ahead += 60
		self.work(clock=self.clock, hear=lambda one: heard.append(one.state))
		self.assertEqual((len(self.pipedrive.requests), heard), (6, ["open", "half_open", "open"]))
		self.clock.ahead += 60
		broken = False
		self.work(clock=self.clock, hear=lambda one: heard.append(one.state))
		self.assertEqual(heard[3:], ["half_open", "closed"])
		self.clock.ahead += 600
		self.work(clock=self.clock)
		self.assertEqual({row.status for row in self.logs()}, {"synced", "not_found"})

	def test_no_secret_anywhere(self) -> None:
		for failure in (500, 401, "garbage", {"status": 302, "headers": {"Location": "/x"}}, 422):
			self.begin_again()
			self.fail(*[failure] * 9)
			report = self.work(clock=self.clock)
			told = json.dumps([report.stopped, self.log(), state.trouble()], default=str)
			self.assertNotIn(TOKEN, told)
			self.assertNotIn("ada", f"{report.stopped.text} {self.log().error_message or ''}".lower())


class TestKilled(SyncTestCase):
	"""A worker that ends between Pipedrive's answer and our commit: the next one writes the same again, and nothing else."""

	def test_between_update_and_commit(self) -> None:
		ada = self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit()

		class Killed(BaseException):
			"""Stands for a process that ends here."""

		with patch.object(claims, "settle", side_effect=Killed), self.assertRaises(Killed):
			self.work()
		frappe.db.rollback()
		self.assertEqual((self.state()[0], self.pipedrive.updates[ada]), ("pending", 1))
		written = self.written(ada)
		self.assertEqual(self.work().rows_written, 0, "it is still the dead worker's")
		clock = SimulatedTime()
		clock.ahead = run.CLAIM_SECONDS + 1
		self.assertEqual(self.work(clock=clock).done["synced"], 1)
		self.assertEqual((self.written(ada), len(self.pipedrive.persons)), (written, 1))
		self.assertEqual((self.log().attempts, self.pipedrive.updates[ada]), (2, 2))
		self.assert_nothing_but_updates()

	def test_a_worker_that_was_told_to_end_gives_back(self) -> None:
		for number in range(1, 4):
			self.pipedrive.add(f"Person {number}", f"p{number}@example.com")
		self.submit(*[form(number, typed={"email": f"p{number}@example.com"}) for number in range(1, 4)])
		with (
			patch.object(run, "planned", side_effect=KeyboardInterrupt),
			self.assertRaises(KeyboardInterrupt),
		):
			self.work()
		frappe.db.rollback()
		self.assertEqual(self.work().done["synced"], 2)

	def test_what_comes_too_late_is_not_heard(self) -> None:
		self.submit()
		(mine,) = claims.take(now_datetime(), now_datetime() + timedelta(seconds=-1), 5)
		(theirs,) = claims.take(now_datetime(), now_datetime() + timedelta(minutes=5), 5)
		self.assertEqual((claims.held([mine]), claims.held([theirs])), ([], [theirs]))
		self.assertEqual(claims.give_back([mine], now_datetime()), 0)
		self.assertEqual(claims.try_again([theirs.name], now_datetime()), 0)


class TestTwoWorkers(SyncTestCase):
	"""Two workers at once: no person is updated twice."""

	def test_each_person_once(self) -> None:
		if not is_shared():
			self.skipTest("Needs a database and a Redis that processes share")
		for number in range(1, 121):
			self.pipedrive.add(f"Person {number}", f"p{number}@example.com")
		forms = [form(number, typed={"email": f"p{number}@example.com"}) for number in range(1, 121)]
		again = [form(number, typed={"email": f"p{number}@example.com"}) for number in range(1, 121)]
		self.submit(*forms, *again)
		self.make_due()

		def worker() -> None:
			frappe.local.conf[pipedrive.ADDRESS] = self.pipedrive.address
			run.work()

		children = [fork(worker) for _number in range(2)]
		for child in children:
			self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
		self.work()
		self.assertEqual({row.status for row in self.logs()}, {"synced"})
		self.assertEqual(set(self.pipedrive.updates.values()), {1})
		self.assertEqual(len(self.pipedrive.updates), 120)


class TestPrivacy(SyncTestCase):
	"""COL-7, CRM-8: what was said in the meantime holds."""

	delay = 7

	def test_consent_that_is_withdrawn_while_a_form_waits(self) -> None:
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit()
		frappe.db.set_value("Visitor", visitor(), "consent_status", "Denied")
		self.make_due()
		self.assertEqual(self.work().done["withdrawn"], 1)
		self.assertEqual((self.logs(), self.pipedrive.requests), ([], []))

	def test_another_browser_of_the_person_refused(self) -> None:
		self.submit(form(1), form(2, typed={}, person={"contact_email": "ada@example.com"}))
		frappe.db.set_value("Visitor", visitor(1), "contact_email", "ada@example.com")
		frappe.db.set_value("Visitor", visitor(2), "consent_status", "Denied")
		self.make_due()
		self.work()
		self.assertEqual(self.pipedrive.requests, [])

	def test_an_erased_person(self) -> None:
		self.submit()
		erasure.erase("ada@example.com", visitor())
		self.make_due()
		self.work()
		self.assertEqual((self.logs(), self.pipedrive.requests), ([], []))

	def after_taking(self, happens: Callable[[], Any]) -> None:
		"""A run in which something happens when the worker has its batch."""
		original = claims.take

		def taken(*arguments: Any) -> Any:
			found = original(*arguments)
			happens()
			frappe.db.commit()
			return found

		with patch.object(claims, "take", taken):
			self.work(limit=1)

	def test_erased_while_a_worker_holds_it(self) -> None:
		self.submit()
		self.make_due()
		self.after_taking(lambda: erasure.erase("ada@example.com", visitor()))
		self.assertEqual((self.logs(), self.pipedrive.requests), ([], []))

	def test_withdrawn_while_a_worker_holds_it(self) -> None:
		self.submit()
		self.make_due()
		self.after_taking(lambda: frappe.db.set_value("Visitor", visitor(), "consent_status", "Denied"))
		self.assertEqual((self.logs(), self.pipedrive.requests), ([], []))

	def test_who_was_on_a_domain_of_the_level_hipaa(self) -> None:
		self.submit()
		frappe.get_doc(
			{"doctype": "Domain Configuration", "domain": "clinic.example.com", "privacy_level": "HIPAA"}
		).insert()
		store.store([event_record(1, domain="clinic.example.com")])
		self.make_due()
		self.work()
		self.assertEqual((self.logs(), self.pipedrive.requests), ([], []))
