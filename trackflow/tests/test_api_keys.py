"""API keys: made, shown once, checked, revoked (KEY-1 as far as events need it, COL-2)."""

import json
from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow.access import api_keys, stored_keys
from trackflow.config import get_config
from trackflow.stream.drain import drain
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import SHOP, event, make_domain, make_key, set_settings
from trackflow.tests.test_collector import CollectorTestCase
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.tests.users import make_user, remove_user

VISITOR = "v_00000000000000aa"
METHOD = "/api/method/trackflow.api.access.create_api_key"


class KeyTestCase(CollectorTestCase):
	def sent(
		self, key: str, status: int = 202, header: str = "Authorization", **options: Any
	) -> dict[str, Any]:
		"""What a server is answered that sends an event with this key and no Origin."""
		body = {"events": [event(options.pop("event_id", "e1"), **options.pop("values", {}))]}
		if named := options.pop("public_key", None):
			body["publicKey"] = named
		shown = f"Bearer {key}" if header == "Authorization" else key
		return self.send(json.dumps(body).encode(), status, origin=None, headers={header: shown}, **options)


class TestTheSecret(KeyTestCase):
	"""KEY-1: shown once, stored as a hash, the prefix visible."""

	def test_only_its_hash_is_kept(self) -> None:
		key = make_key()
		doc = frappe.get_last_doc("TrackFlow API Key")
		self.assertTrue(key.startswith(doc.api_key + "_") and len(key) > 60)
		secret = key[api_keys.PREFIX_LENGTH + 1 :]
		self.assertNotIn(secret, frappe.as_json(doc.as_dict()))
		self.assertEqual(doc.secret_hash, api_keys.hash_of(secret))
		self.assertNotIn(secret, repr(get_config()))

	def test_nobody_can_choose_or_change_it(self) -> None:
		values = {"key_name": "mine", "user": "Administrator", "api_key": "tfk_0", "secret_hash": "x"}
		doc = frappe.get_doc({"doctype": "TrackFlow API Key", **values}).insert()
		self.assertNotIn("tfk_0", (doc.api_key, doc.secret_hash))
		former = doc.secret_hash
		doc.update({"secret_hash": "y", "api_key": "tfk_1"})
		doc.save()
		self.assertEqual((doc.secret_hash, doc.reload().secret_hash), (former, former))

	def test_a_form_shows_it_once(self) -> None:
		frappe.clear_messages()
		doc = frappe.get_doc(
			{"doctype": "TrackFlow API Key", "key_name": "mine", "user": "Administrator"}
		).insert()
		self.assertIn(doc.api_key, str(frappe.get_message_log()))
		frappe.clear_messages()
		doc.save()
		self.assertFalse(frappe.get_message_log())

	def test_every_new_key_is_another(self) -> None:
		self.assertNotEqual(make_key("a"), make_key("b"))


class TestServers(KeyTestCase):
	"""COL-2: a request without an Origin is a server's, and needs a key with the scope."""

	def test_taken_in_both_headers(self) -> None:
		key = make_key()
		self.assertEqual(self.sent(key)["accepted"], 1)
		self.assertEqual(self.sent(key, header="X-TrackFlow-Key")["duplicate"], 1)
		drain()
		self.assertEqual(frappe.get_all("Visitor Event", pluck="domain"), [SHOP])

	def test_who_is_refused(self) -> None:
		key = make_key()
		past = now_datetime() - timedelta(minutes=1)
		make_domain("other.example.com")
		cases = [
			(key[:-1] + ("A" if key[-1] != "A" else "B"), 401, "wrong_key"),
			("tfk_0123456789abcdef_nobody", 401, "wrong_key"),
			("nonsense", 401, "wrong_key"),
			(key[: api_keys.PREFIX_LENGTH], 401, "wrong_key"),
			(make_key("off", is_active=0), 401, "key_revoked"),
			(make_key("old", expires_on=past), 401, "key_expired"),
			(make_key("far", addresses=["192.0.2.0/24"]), 403, "key_address"),
			(make_key("reader", scopes=["events:read"]), 403, "key_scope"),
			(make_key("elsewhere", domain=None), 400, "no_key"),
		]
		for shown, status, code in cases:
			with self.subTest(code=code):
				self.assertEqual(self.sent(shown, status)["error"], code)
		drain()
		self.assertEqual(frappe.db.count("Visitor Event"), 0)

	def test_a_right_key_from_the_right_address(self) -> None:
		key = make_key(addresses=["203.0.113.0/24", "2001:db8::/32"])
		self.sent(key)
		self.sent(key, address="2001:db8::7")
		self.sent(key, 403, address="198.51.100.1")

	def test_of_its_domain_alone(self) -> None:
		other = make_domain("other.example.com")
		key = make_key()
		self.assertEqual(self.sent(key, 403, public_key=other.public_key)["error"], "key_domain")
		anywhere = make_key("anywhere", domain=None)
		self.sent(anywhere, public_key=other.public_key, values={"url": "https://other.example.com/"})

	def test_a_narrowed_scope(self) -> None:
		other = make_domain("other.example.com")
		anywhere = make_key("narrow", domain=None)
		doc = frappe.get_last_doc("TrackFlow API Key")
		doc.scopes[0].permission_data = json.dumps({"domains": [SHOP]})
		doc.save()
		self.sent(anywhere, public_key=self.key)
		self.assertEqual(self.sent(anywhere, 403, public_key=other.public_key)["error"], "key_domain")
		doc.scopes[0].permission_data = json.dumps({"moon": "full"})
		doc.save()
		self.assertEqual(self.sent(anywhere, 403, public_key=self.key)["error"], "key_scope")

	def test_a_disabled_users_key(self) -> None:
		email = "keys@example.com"
		self.addCleanup(remove_user, email)
		user = make_user(email, "TrackFlow Manager")
		key = make_key(user=email)
		self.sent(key)
		user.enabled = 0
		user.save()
		frappe.get_last_doc("TrackFlow API Key").save()
		self.assertEqual(self.sent(key, 401)["error"], "key_revoked")

	def test_whose_event_it_is(self) -> None:
		"""A server speaks for its visitors: their address and browser, not its own; and it must say who."""
		set_settings(gdpr_compliance_enabled=0)
		key = make_key()
		told = {"ip": "198.51.100.9", "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/130.0"}
		self.sent(key, values=told, agent="python-requests/2")
		self.sent(key, event_id="e2", values={"userAgent": None}, agent="python-requests/2")
		drain()
		first, second = frappe.get_all("Visitor Event", fields=["*"], order_by="event_id")
		self.assertEqual((first.ip_address, first.browser, first.counted), ("198.51.100.9", "Firefox", 1))
		self.assertEqual((second.ip_address or "", second.counted, second.is_bot), ("", 1, 0))
		verdict = self.sent(key, 400, event_id="e3", values={"visitorId": None})
		self.assertIn("whose event", verdict["rejected"][0]["reason"])

	def test_a_website_cannot_claim_an_address(self) -> None:
		set_settings(gdpr_compliance_enabled=0)
		self.track(event("e1", ip="198.51.100.9", userAgent="Other/1"))
		row = frappe.get_last_doc("Visitor Event")
		self.assertEqual((row.ip_address, row.browser), ("203.0.113.7", "Chrome"))

	def test_own_ids_of_a_website(self) -> None:
		"""The same name is the same visitor, another on another website, and is not kept itself."""
		for number, name in enumerate(("ada", "ada", "bob")):
			self.track(event(str(number), visitorId=None, anonymousId=name))
		rows = frappe.get_all("Visitor Event", fields=["*"], order_by="event_id")
		self.assertEqual(len({row.visitor for row in rows}), 2)
		self.assertEqual(rows[0].visitor, rows[1].visitor)
		self.assertNotIn("bob", frappe.as_json(rows))

	def test_without_consent_a_servers_visitors_are_told_apart_for_a_day(self) -> None:
		domain = frappe.get_doc("Domain Configuration", SHOP)
		domain.consent_required = 1
		domain.save()
		key = make_key()
		for number, visitor in enumerate((VISITOR, VISITOR, "v_00000000000000bb")):
			self.sent(key, event_id=str(number), values={"visitorId": visitor})
		drain()
		rows = frappe.get_all("Visitor", fields=["name", "is_cookieless"])
		self.assertEqual(sorted(row.is_cookieless for row in rows), [1, 1])
		self.assertNotIn(VISITOR, [row.name for row in rows])


class TestManaging(KeyTestCase):
	"""KEY-1, ROL-P: who may make keys."""

	def create(self, status: int, user: str = "") -> dict[str, Any]:
		def answer() -> Any:
			return stored_keys.create("mine", ["events:write"], SHOP)

		frappe.set_user(user or "Guest")
		try:
			if status != 200:
				self.assertRaises(frappe.PermissionError, answer)
				return {}
			return answer()
		finally:
			frappe.set_user("Administrator")

	def test_by_role(self) -> None:
		for email, role, status in (
			("keys-none@example.com", "Website Manager", 403),
			("keys-campaign@example.com", "Campaign Manager", 403),
			("keys-manager@example.com", "TrackFlow Manager", 200),
		):
			self.addCleanup(remove_user, email)
			make_user(email, role)
			self.create(status, email)
		self.create(403)
		self.assertEqual(frappe.get_last_doc("TrackFlow API Key").user, "keys-manager@example.com")

	def test_nobody_gives_away_what_others_may(self) -> None:
		email = "keys-manager@example.com"
		self.addCleanup(remove_user, email)
		make_user(email, "TrackFlow Manager")
		frappe.set_user(email)
		try:
			self.assertRaises(
				frappe.PermissionError, stored_keys.create, "theirs", ["events:write"], None, "Administrator"
			)
		finally:
			frappe.set_user("Administrator")

	def test_guests_cannot_over_http(self) -> None:
		data = {"key_name": "x", "scopes": '["events:write"]'}
		self.assertEqual(self.request("POST", METHOD, data=data).status_code, 403)
		self.assertEqual(self.get(METHOD).status_code, 403)

	def test_by_a_manager_over_http(self) -> None:
		"""Answered once, and only so often (COL-3: management methods per address and hour)."""
		set_settings(limit_management_requests_per_address_hour=1)
		email = "keys-manager@example.com"
		self.addCleanup(remove_user, email)
		user = make_user(email, "TrackFlow Manager")
		user.update({"api_key": "keymanager", "api_secret": "secret"})
		user.save(ignore_permissions=True)
		options = {
			"headers": {"Authorization": "token keymanager:secret"},
			"data": {
				"key_name": "mine",
				"scopes": '["events:write"]',
				"domain": SHOP,
				"addresses": '["10.0.0.0/8"]',
			},
		}
		made = self.request("POST", METHOD, **options)
		self.assertEqual(made.status_code, 200, made.text)
		self.sent(made.json["message"]["key"], 403)
		self.sent(made.json["message"]["key"], address="10.1.2.3")
		self.assertNotIn("_server_messages", made.json)
		refused = self.request("POST", METHOD, **options)
		self.assertEqual((refused.status_code, refused.json["error"]), (429, "too_many"))


class TestList(PermissionTestCase):
	"""KEY-1 over HTTP: who may see keys and switch them off; what a key was is told to nobody."""

	PATH = "/api/method/trackflow.api.access."

	def listed(self) -> list[dict[str, Any]]:
		answer = self.get(f"{self.PATH}list_api_keys", headers=self.authorization(MANAGER))
		self.assertEqual(answer.status_code, 200, answer.text)
		for key in self.made:
			self.assertNotIn(key[api_keys.PREFIX_LENGTH + 1 :], answer.text)
		self.assertNotIn("hash", answer.text)
		return answer.json["message"]

	def setUp(self) -> None:
		super().setUp()
		make_domain(SHOP)
		past = now_datetime() - timedelta(minutes=1)
		self.made = [make_key("old", expires_on=past), make_key("shop"), make_key("unbound", domain=None)]

	def test_what_is_told(self) -> None:
		old, shop, unbound = self.listed()
		self.assertEqual([one["state"] for one in (old, shop, unbound)], ["expired", "active", "active"])
		self.assertEqual((shop["domain"], shop["scopes"], unbound["domain"]), (SHOP, ["events:write"], None))
		self.assertEqual(shop["prefix"], self.made[1][: api_keys.PREFIX_LENGTH])
		self.assertTrue(shop["created_at"] and old["expires_at"] and not shop["expires_at"])

	def test_switched_off(self) -> None:
		def revoke(user: str | None, name: str = "shop") -> int:
			path, headers = f"{self.PATH}revoke_api_key", self.authorization(user)
			return self.request("POST", path, headers=headers, json={"name": name}).status_code

		for user in (CAMPAIGNER, NOBODY, None):
			self.assertEqual(revoke(user), 403)
			path, headers = f"{self.PATH}list_api_keys", self.authorization(user)
			self.assertEqual(self.get(path, headers=headers).status_code, 403)
		self.assertEqual(self.listed()[1]["state"], "active")
		self.assertEqual((revoke(MANAGER), revoke(MANAGER, "nobody")), (200, 404))
		self.assertEqual(self.listed()[1]["state"], "revoked")

	def test_statements_do_not_grow_with_keys(self) -> None:
		taken = []
		for number in (1, 6):
			for one in range(number):
				make_key(f"{number}-{one}")
			with counted_statements() as statements:
				stored_keys.listed()
			taken.append(len(statements))
		self.assertEqual(*taken)


class TestCommand(CommandTestCase):
	"""CLI-1: `trackflow api-key`."""

	def test_made_listed_revoked(self) -> None:
		make_domain(SHOP)
		made = json.loads(self.invoke("api-key", "create", "shop", "--domain", SHOP, "--json").output)
		self.assertTrue(made["key"].startswith(made["prefix"]))
		listing = self.invoke("api-key", "list").output
		self.assertIn(made["prefix"], listing)
		self.assertIn("events:write", listing)
		self.assertNotIn(made["key"], listing)
		self.assertEqual(self.invoke("api-key", "revoke", made["prefix"]).exit_code, 0)
		[row] = json.loads(self.invoke("api-key", "list", "--json").output)
		self.assertEqual((row["name"], row["is_active"]), ("shop", 0))
		self.assertIn("only now", self.invoke("api-key", "create", "other").output)

	def test_what_there_is_not(self) -> None:
		with self.assertRaises(frappe.DoesNotExistError):
			stored_keys.revoke("nobody")
		self.assertNotEqual(self.invoke("api-key", "create", "x", "--scope", "moon").exit_code, 0)
