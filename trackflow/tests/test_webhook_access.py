"""Who may have webhooks, where they may go, and that nobody learns their secret (WHK-1, SEC-1, SEC-3)."""

import json
import logging
from datetime import timedelta
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime
from werkzeug.test import TestResponse

from trackflow import doctor, keys
from trackflow.access import stored_keys
from trackflow.access.scopes import SCOPES
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.health import measure
from trackflow.tests.factories import make_link, make_webhook
from trackflow.tests.receiver import Receiver, nobody
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_webhook_rules import sample
from trackflow.tests.test_webhooks import HOOK, WebhookTestCase
from trackflow.tests.users import PeopleTestCase
from trackflow.webhooks import managing, sender, signing, target
from trackflow.webhooks.outbox import DELIVERY

MANAGER, OTHER, CAMPAIGNER = (f"hooks.{who}@example.com" for who in ("manager", "other", "campaigns"))
URL = "https://hooks.example.com/trackflow"


class TestWhereTheyMayGo(WebhookTestCase):
	"""SEC-3: to the public internet by https; looked up and judged each time, and connected to what was judged."""

	def private(self) -> Any:
		return patch.object(sender, "allows_private", lambda: False)

	def test_addresses(self) -> None:
		wrong = (
			"http://hooks.example.com/", "ftp://hooks.example.com/", "hooks.example.com", "https://", "https://u:p@hooks.example.com/",
			"https://hooks.example.com/#a", "https://hooks.example.com:x/", "https://127.0.0.1/", "https://[::1]/", "https://localhost/",
			"https://169.254.169.254/latest", "https://10.0.0.1/", "javascript:alert(1)", "https://hooks.example.com/" + "a" * 2048,
		)  # fmt: skip
		with self.private():
			for url in wrong:
				with self.subTest(url), self.assertRaises(frappe.ValidationError):
					make_webhook(url, "link.created")
			make_webhook(f" {URL}?token=abc ", "link.created")
		self.assertEqual(frappe.get_all(HOOK, pluck="webhook_url"), [f"{URL}?token=abc"])

	def test_a_private_address_behind_a_public_name(self) -> None:
		for number, address in enumerate(
			("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1")
		):
			asked: list[str] = []

			def resolve(host: str, port: int, address: str = address, asked: list[str] = asked) -> list[str]:
				asked.append(host)
				# A public one beside it does not make it better.
				return ["93.184.215.14", address]

			url = f"https://hooks{number}.example.com:{self.receiver.port}/"
			with (
				self.private(),
				patch.object(target, "resolve", resolve),
				patch("socket.socket.connect") as connect,
			):
				make_webhook(url, "link.created", key=f"key {number}")
				self.put(1)
				self.send()
				connect.assert_not_called()
			self.assertIn(f"hooks{number}.example.com", asked)
			row = self.rows("status", "error_message", webhook_url=url)[-1]
			self.assertIn("private network", row.error_message)
		self.assertEqual(self.receiver.received, [])

	def test_what_was_judged_is_what_is_connected_to(self) -> None:
		"""The name is looked up once, and by nobody else: the system's own name server knows no such host."""
		asked: list[str] = []

		def resolve(host: str, _port: int) -> list[str]:
			asked.append(host)
			return ["127.0.0.1"]

		with patch.object(target, "resolve", resolve):
			make_webhook(f"http://hooks.invalid:{self.receiver.port}/hook", "link.created")
			self.put(1)
			self.send()
		self.assertEqual([row.status for row in self.rows()], ["Delivered"])
		self.assertEqual(asked, ["hooks.invalid"])
		self.assertEqual(self.receiver.received[0].headers["host"], f"hooks.invalid:{self.receiver.port}")

	def test_a_name_that_there_is_not(self) -> None:
		with patch.object(target, "resolve", lambda _host, _port: []):
			make_webhook("https://hooks.invalid/", "link.created")
			self.put(1)
			self.send()
		self.assertIn("not found", self.rows()[0].error_message)

	def test_no_proxy_is_used(self) -> None:
		with (
			Receiver() as proxy,
			patch.dict("os.environ", {"http_proxy": proxy.address, "HTTP_PROXY": proxy.address}),
		):
			make_webhook(self.receiver.address, "link.created")
			self.put(1)
			self.send()
			self.assertEqual((len(self.receiver.received), proxy.received), (1, []))


class TestSecret(WebhookTestCase):
	"""Made with the first webhook, shown once, kept nowhere."""

	def setUp(self) -> None:
		super().setUp()
		stored_keys.create("hooks", SCOPES)

	def test_shown_once_and_good_for_the_signature(self) -> None:
		added = managing.add("hooks", self.receiver.address, ["link.created"])
		again = managing.add("hooks", self.receiver.address, ["campaign.updated"])
		self.assertIsNone(again["secret"])
		self.put(1)
		self.send()
		(sent,) = self.receiver.received
		is_genuine = sample()["is_genuine"]
		self.assertTrue(is_genuine(sent.headers, sent.body, added["secret"]))
		another = managing.make_secret("hooks")
		self.assertNotEqual(another, added["secret"])
		self.assertFalse(is_genuine(sent.headers, sent.body, another))
		self.put(1)
		self.send()
		sent = self.receiver.received[-1]
		self.assertTrue(is_genuine(sent.headers, sent.body, another))

	def test_a_form_shows_it_once_beside_the_key(self) -> None:
		"""In one message: the desk shows the button of the last one alone."""
		frappe.clear_messages()
		doc = frappe.get_doc(
			{
				"doctype": "TrackFlow API Key",
				"key_name": "form",
				"user": "Administrator",
				"scopes": [{"permission_type": "links:read"}],
			}
		)
		doc.append(
			"webhook_events",
			{"event_type": "link.created", "webhook_url": "https://hooks.example.com/", "is_active": 1},
		)
		doc.insert()
		[told] = frappe.get_message_log()
		key, secret = told["primary_action"]["args"].split("\n")
		self.assertTrue(key.startswith(doc.api_key) and secret.startswith("whsec_"))
		self.assertTrue(key in told["message"] and secret in told["message"])
		frappe.clear_messages()
		doc.save()
		self.assertFalse(frappe.get_message_log())

	def test_the_key_may_be_rotated(self) -> None:
		"""Another key is no other secret: receivers need not be told."""
		secret = managing.add("hooks", self.receiver.address, ["link.created"])["secret"]
		stored_keys.rotate("hooks")
		self.put(1)
		self.send()
		(sent,) = self.receiver.received
		self.assertTrue(sample()["is_genuine"](sent.headers, sent.body, secret))

	def test_it_is_nowhere(self) -> None:
		logged: list[str] = []
		handler = logging.Handler()
		handler.emit = lambda record: logged.append(record.getMessage())
		logging.getLogger().addHandler(handler)
		self.addCleanup(logging.getLogger().removeHandler, handler)
		secret = managing.add("hooks", f"{self.receiver.address}?token=in-the-address", ["link.created"])[
			"secret"
		]
		down = managing.add("hooks", f"{nobody()}?token=in-the-address", ["link.created"])
		self.assertIsNone(down["secret"])
		self.put(6)
		self.receiver.answers = [(500, {}, b"")] * 3
		for _run in range(3):
			self.send(now_datetime() + timedelta(minutes=10))
		managing.ping(frappe.get_all(HOOK, pluck="name")[0])
		bare = secret.removeprefix(signing.PREFIX)
		stored = [
			frappe.get_all(doctype, fields=["*"])
			for doctype in ("TrackFlow API Key", HOOK, DELIVERY, "Error Log", "Notification Log")
		]
		stored.append(frappe.get_doc("TrackFlow API Key", "hooks").as_dict())
		shown = [
			str(stored),
			str(logged),
			str(doctor.examine()),
			str(managing.listed()),
			str(measure.metrics()),
		]
		self.assertFalse([one for one in shown if bare in one])
		told = [str(logged), str(doctor.examine()), str(frappe.get_all("Notification Log", fields=["*"]))]
		self.assertFalse([one for one in told if "in-the-address" in one])

	def test_an_id_cannot_be_chosen(self) -> None:
		secret = managing.add("hooks", self.receiver.address, ["link.created"])["secret"]
		doc = frappe.get_doc("TrackFlow API Key", "hooks")
		doc.webhook_secret_id = "mine"
		doc.save()
		doc.reload()
		self.assertEqual(signing.shown(keys.webhook_secret(doc.webhook_secret_id)), secret)


class TestPeople(PeopleTestCase):
	"""Over HTTP: who may what, in whose name."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {
		MANAGER: (TRACKFLOW_MANAGER,),
		OTHER: (TRACKFLOW_MANAGER,),
		CAMPAIGNER: (CAMPAIGN_MANAGER,),
	}

	def setUp(self) -> None:
		super().setUp()
		self.enterContext(patch.object(sender, "allows_private", lambda: True))
		self.receiver = self.enterContext(Receiver())
		stored_keys.create("of manager", SCOPES, user=MANAGER)
		frappe.db.commit()

	def call(
		self, user: str, method: str, status: int = 200, verb: str = "POST", **given: Any
	) -> TestResponse:
		how = {"json": given} if verb == "POST" else {"query_string": given}
		path = f"/api/method/trackflow.api.webhooks.{method}"
		answer = self.request(verb, path, headers=self.authorization(user), **how)
		self.assertEqual(answer.status_code, status, answer.text)
		return answer

	def add(
		self, user: str = MANAGER, status: int = 200, events: Any = ("link.created",), **given: Any
	) -> TestResponse:
		given = {"key": "of manager", "url": self.receiver.address, "events": list(events), **given}
		return self.call(user, "add_webhook", status, **given)

	def test_from_the_first_to_the_last(self) -> None:
		secret = self.add(events=["link.created", "link.clicked"]).json["message"]["secret"]
		self.assertRegex(secret, r"^whsec_[A-Za-z0-9+/]{43}=$")
		hooks = self.call(MANAGER, "get_webhooks", verb="GET").json["message"]["webhooks"]
		self.assertEqual(
			[(one["event"], one["url"], one["state"], one["pending"]) for one in hooks],
			[
				("link.created", self.receiver.address, "active", 0),
				("link.clicked", self.receiver.address, "active", 0),
			],
		)
		name = hooks[0]["name"]
		self.receiver.answers = [(204, {}, b""), (500, {}, b"oh")]
		said = self.call(MANAGER, "test_webhook", webhook=name).json["message"]
		self.assertEqual((said["delivered"], said["status"], said["message"]), (True, 204, ""))
		said = self.call(MANAGER, "test_webhook", webhook=name).json["message"]
		self.assertEqual((said["delivered"], said["status"]), (False, 500))
		self.assertEqual(self.receiver.events(), ["ping", "ping"])
		self.assertTrue(
			sample()["is_genuine"](self.receiver.received[0].headers, self.receiver.received[0].body, secret)
		)
		frappe.db.set_value(HOOK, name, {"is_paused": 1, "consecutive_failures": 20})
		make_link()
		frappe.db.commit()
		sender.Run().work()
		hooks = self.call(MANAGER, "get_webhooks", verb="GET").json["message"]["webhooks"]
		self.assertEqual((hooks[0]["state"], hooks[0]["pending"], hooks[0]["failures"]), ("paused", 1, 20))
		self.assertEqual(self.call(MANAGER, "resume_webhook", webhook=name).json["message"]["pending"], 1)
		sender.Run().work()
		rows = self.call(MANAGER, "get_deliveries", verb="GET", webhook=name, limit=1).json["message"]
		self.assertEqual(
			[(row["event_type"], row["status"]) for row in rows], [("link.created", "Delivered")]
		)
		self.assertNotIn("payload", rows[0])
		self.call(MANAGER, "redeliver", names=[rows[0]["name"]])
		sender.Run().work()
		sent = [one for one in self.receiver.received if one.headers["trackflow-event"] != "ping"]
		self.assertEqual([one.headers["webhook-id"] for one in sent], [rows[0]["name"]] * 2)
		self.call(MANAGER, "remove_webhook", webhook=name)
		self.assertEqual(len(self.call(MANAGER, "get_webhooks", verb="GET").json["message"]["webhooks"]), 1)

	def test_only_to_a_key_of_ones_own(self) -> None:
		"""Else a manager would be told what another one may read."""
		self.add(OTHER, 403)
		self.call(OTHER, "make_webhook_secret", 403, key="of manager")
		self.add()
		doc = frappe.get_doc("TrackFlow API Key", "of manager")
		frappe.set_user(OTHER)
		doc.webhook_events[0].webhook_url = "https://evil.example/"
		self.assertRaises(frappe.PermissionError, doc.save)
		frappe.set_user("Administrator")
		self.add(CAMPAIGNER, 403)
		self.call(CAMPAIGNER, "get_webhooks", 403, verb="GET")

	def test_rows_of_another_key_are_not_taken_over(self) -> None:
		"""A webhook would bring what waits for it, and a key without its addresses would be good from everywhere."""
		(name,) = make_webhook(URL, "deal.won", key="administrators")
		doc = frappe.get_doc(stored_keys.DOCTYPE, "administrators")
		doc.append("ip_whitelist", {"ip_address": "192.0.2.1"})
		doc.save()
		frappe.db.commit()
		address = doc.ip_whitelist[0].name
		hook = {
			"name": name,
			"event_type": "link.created",
			"webhook_url": self.receiver.address,
			"is_active": 1,
		}
		for table, row in (
			("webhook_events", hook),
			("ip_whitelist", {"name": address, "ip_address": "192.0.2.2"}),
		):
			answer = self.request(
				"PUT",
				f"/api/resource/{stored_keys.DOCTYPE}/of manager",
				json={table: [row]},
				headers=self.authorization(MANAGER),
			)
			self.assertEqual(answer.status_code, 417, answer.text)
			self.assertIn("is not of this key", answer.text)
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value(HOOK, name, ["parent", "webhook_url"]), ("administrators", URL))
		whitelisted = frappe.db.get_value("API Key IP Whitelist", address, ["parent", "ip_address"])
		self.assertEqual(whitelisted, ("administrators", "192.0.2.1"))

	def test_an_event_takes_its_scope(self) -> None:
		stored_keys.create("narrow", ["links:read"], user=MANAGER)
		frappe.db.commit()
		self.add(key="narrow")
		answer = self.add(key="narrow", status=417, events=["deal.won"])
		self.assertIn("conversions:read", answer.text)
		self.add(status=417, events=["no.such"])
		self.add(status=417, events=["link.created", "link.created"])
		self.add(status=417, events="{}")
		self.add(status=404, key="none")

	def test_what_is_not_there(self) -> None:
		for method in ("test_webhook", "resume_webhook", "remove_webhook"):
			self.call(MANAGER, method, 404, webhook="x")
		self.assertEqual(self.call(MANAGER, "redeliver", names=["x"]).json["message"]["queued"], 0)
		self.call(MANAGER, "redeliver", 417, names=["x"] * 1001)
		self.assertEqual(self.call(MANAGER, "get_deliveries", verb="GET").json["message"], [])

	def test_a_save_changes_no_figure(self) -> None:
		self.add()
		(name,) = frappe.get_all(HOOK, pluck="name")
		doc = frappe.get_doc("TrackFlow API Key", "of manager")
		frappe.db.set_value(HOOK, name, {"is_paused": 1, "consecutive_failures": 20})
		doc.webhook_events[0].update({"is_paused": 0, "consecutive_failures": 0})
		doc.save()
		self.assertEqual(frappe.db.get_value(HOOK, name, ["is_paused", "consecutive_failures"]), (1, 20))


class TestCommands(WebhookTestCase, CommandTestCase):
	"""CLI-1: `trackflow webhooks`."""

	def test_listed_resumed_sent(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		frappe.db.set_value(HOOK, hook, {"is_paused": 1, "consecutive_failures": 20})
		self.put(2)
		[row] = json.loads(self.invoke("webhooks", "list", "--json").output)
		self.assertEqual((row["name"], row["state"], row["pending"], row["failed"]), (hook, "paused", 2, 0))
		self.assertIn("link.created", self.invoke("webhooks", "list").output)
		self.assertIn("0 deliveries", self.invoke("webhooks", "send").output)
		self.assertIn("2 deliveries", self.invoke("webhooks", "resume", hook).output)
		self.assertEqual(json.loads(self.invoke("webhooks", "send", "--json").output), {"tried": 2})
		self.assertEqual(len(self.receiver.received), 2)
		result = self.invoke("webhooks", "resume", "nobody")
		self.assertEqual((result.exit_code, result.output), (1, "Error: There is no webhook nobody.\n"))


class TestHealth(WebhookTestCase):
	"""Doctor and the page of health tell what waits and what was given up (RPT-3)."""

	def finding(self) -> Any:
		frappe.db.commit()
		return next(one for one in doctor.examine() if one.check == "Webhooks")

	def test_figures(self) -> None:
		(hook,) = make_webhook(self.receiver.address, "link.created")
		self.assertEqual(self.finding().mark, doctor.FINE)
		self.put(3)
		self.assertEqual(measure.webhooks()["pending"], 3)
		first = frappe.get_all(DELIVERY, pluck="name", order_by="name")[0]
		frappe.db.set_value(DELIVERY, first, "status", "Failed")
		self.assertEqual((self.finding().mark, measure.webhooks()["failed"]), (doctor.NOTE, 1))
		long_ago = now_datetime() - timedelta(hours=3)
		frappe.db.set_value(DELIVERY, {"status": "Pending"}, "next_attempt_at", long_ago)
		self.assertIn("queue default", self.finding().text)
		frappe.db.set_value(HOOK, hook, "is_paused", 1)
		self.assertEqual((self.finding().mark, measure.webhooks()["paused"]), (doctor.BROKEN, 1))
		self.assertIn("Resume", self.finding().text)
