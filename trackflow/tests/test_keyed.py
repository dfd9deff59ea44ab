"""Requests of people's API with a key: who they act as, what they may, how they are refused (KEY-1, SEC-1, SEC-3)."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, ClassVar
from unittest.mock import patch
from urllib.parse import quote

import frappe
from frappe.utils import now_datetime
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from trackflow.access import api_keys, stored_keys
from trackflow.access.scopes import EDITED, SCOPES
from trackflow.config import forget_config, get_config
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.exceptions import StreamUnavailable
from trackflow.stream import buckets
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import (
	SHOP,
	make_campaign,
	make_domain,
	make_key,
	make_link,
	make_visitor,
	set_settings,
)
from trackflow.tests.test_redirect import _commands
from trackflow.tests.users import SECRET, PeopleTestCase

MANAGER, CAMPAIGNER, NOBODY = (f"keyed.{who}@example.com" for who in ("manager", "campaigns", "nobody"))
LINKS, CAMPAIGNS = "/api/resource/Tracked Link", "/api/resource/Link Campaign"
WHO = "/api/method/frappe.auth.get_logged_user"
# What comes after the key is taken off.
NEXT_HOOK = "trackflow.privacy.guarded.refuse_lookups"
REALTIME = "/api/method/trackflow.api.analytics.realtime"


class KeyedTestCase(PeopleTestCase):
	roles: ClassVar[dict[str, tuple[str, ...]]] = {
		MANAGER: (TRACKFLOW_MANAGER,),
		CAMPAIGNER: (CAMPAIGN_MANAGER,),
		NOBODY: (),
	}

	def key_of(self, user: str = MANAGER, *scopes: str, name: str = "", **values: Any) -> str:
		"""A key with these scopes, or all."""
		made = stored_keys.create(
			name or f"of {user} {len(frappe.get_all('TrackFlow API Key'))}",
			scopes or SCOPES,
			None,
			user,
			**values,
		)
		return made["key"]

	def ask(
		self, key: str, path: str = WHO, status: int = 200, method: str = "GET", **options: Any
	) -> TestResponse:
		headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
		answer = self.request(method, quote(path, safe="/?=&"), headers=headers, **options)
		self.assertEqual(answer.status_code, status, answer.text)
		return answer

	def reason(self, key: str, path: str = WHO, status: int = 403, **options: Any) -> str:
		return self.ask(key, path, status, **options).json["error"]


class TestActing(KeyedTestCase):
	"""KEY-1: a key acts as its user, by either header, and keeps no session."""

	def test_by_either_header(self) -> None:
		key = self.key_of()
		for headers in (
			{"Authorization": f"Bearer {key}"},
			{"Authorization": f"bearer   {key} "},
			{"X-TrackFlow-Key": key},
			{"X-TrackFlow-Key": f" {key} "},
			{"X-TrackFlow-Key": " ", "Authorization": f"Bearer {key}"},
		):
			answer = self.get(WHO, headers=headers)
			self.assertEqual((answer.status_code, answer.json), (200, {"message": MANAGER}), headers)

	def test_no_session_is_kept(self) -> None:
		"""No cookie is set, none deleted, no session begun or extended, no token wanted."""
		key = self.key_of()
		for path, options in (
			(WHO, {}),
			(LINKS, {"method": "POST", "json": {"target_url": "https://shop.example.com/"}}),
			(f"{LINKS}/none", {"status": 404}),
			("/api/resource/User", {"status": 403}),
		):
			answer = self.ask(key, path, **{"status": 200, **options})
			self.assertEqual(answer.headers.getlist("Set-Cookie"), [], path)
		with counted_statements() as statements:
			self.ask(key)
		self.assertFalse([one for one in statements if "tabSessions" in one])

	def test_never_beyond_its_user(self) -> None:
		"""All scopes, and still what its user may and no more."""
		make_campaign("Spring Sale")
		make_visitor()
		key = self.key_of(CAMPAIGNER)
		self.ask(key, f"{CAMPAIGNS}/Spring Sale")
		visitor = self.ask(key, "/api/resource/Visitor/v_00000000000000aa").json["data"]
		self.assertNotIn("contact_email", visitor)
		for path in ("TrackFlow Settings/TrackFlow Settings", "Click Queue", "Deal Attribution"):
			self.ask(key, f"/api/resource/{path}", 403)
		self.ask(key, "/api/method/trackflow.api.health.get_metrics", 403)
		nobody = self.key_of(NOBODY)
		for path in (LINKS, CAMPAIGNS, REALTIME):
			self.ask(nobody, path, 403)

	def test_documents(self) -> None:
		"""Made, read, changed, listed and deleted, by both versions of Frappe's addresses."""
		key = self.key_of(MANAGER, "campaigns:read", "campaigns:write")
		for number, base in enumerate(
			(CAMPAIGNS, "/api/v1/resource/Link Campaign", "/api/v2/document/Link Campaign")
		):
			name = f"By key {number}"
			body = {"campaign_name": name, "status": "Active", "budget": 5}
			made = self.ask(key, base, method="POST", json=body).json["data"]
			self.assertEqual((made["name"], made["owner"]), (name, MANAGER))
			one = f"{base}/{name}"
			changed = self.ask(key, one, method="PUT", json={"budget": 7}).json["data"]
			self.assertEqual(changed["budget"], 7)
			self.assertEqual(self.ask(key, one).json["data"]["budget"], 7)
			query = {"filters": json.dumps({"name": name}), "fields": '["name", "budget"]'}
			found = self.ask(key, base, query_string=query).json["data"]
			self.assertEqual(found, [{"name": name, "budget": 7.0}])
			self.ask(key, one, 202, method="DELETE")
			self.ask(key, one, 404)

	def test_methods_of_frappe_over_documents(self) -> None:
		key = self.key_of(MANAGER, "campaigns:read", "campaigns:write")
		client = "/api/method/frappe.client"
		doc = {"doctype": "Link Campaign", "campaign_name": "Spring Sale"}
		self.ask(key, f"{client}.insert", method="POST", json={"doc": doc})
		by_name = {"doctype": "Link Campaign", "name": "Spring Sale"}
		change = {**by_name, "fieldname": "budget", "value": 9}
		self.ask(key, f"{client}.set_value", method="POST", json=change)
		got = self.ask(key, f"{client}.get", query_string=by_name).json["message"]
		self.assertEqual(got["budget"], 9)
		listed = {"doctype": "Link Campaign", "fields": '["budget"]'}
		self.assertEqual(
			self.ask(key, f"{client}.get_list", query_string=listed).json["message"], [{"budget": 9.0}]
		)
		one = {"doctype": "Link Campaign", "fieldname": "budget", "filters": "Spring Sale"}
		self.assertEqual(
			self.ask(key, f"{client}.get_value", query_string=one).json["message"], {"budget": 9.0}
		)
		self.ask(key, f"{client}.delete", method="POST", json=by_name)
		self.assertFalse(frappe.db.exists("Link Campaign", "Spring Sale"))

	def test_reports(self) -> None:
		asked = {"report_name": "Link Performance", "filters": "{}"}
		run = "/api/method/frappe.desk.query_report.run"
		self.assertIn(
			"columns", self.ask(self.key_of(MANAGER, "links:read"), run, query_string=asked).json["message"]
		)
		other = self.key_of(MANAGER, "costs:read")
		self.assertEqual(self.reason(other, run, query_string=asked), "key_scope")

	def test_arguments_arrive(self) -> None:
		"""Frappe empties them when the user changes."""
		make_link("spring", title="Spring")
		answer = self.ask(self.key_of(), LINKS, query_string={"fields": '["title"]', "limit": 1})
		self.assertEqual(answer.json["data"], [{"title": "Spring"}])


class TestScopes(KeyedTestCase):
	"""KEY-1: never beyond its scopes, whatever its user may."""

	def test_each_scope_alone(self) -> None:
		doctypes = {
			"links": "Tracked Link",
			"campaigns": "Link Campaign",
			"analytics": "Attribution Model",
			"conversions": "Conversion",
			"costs": "Daily Campaign Metric",
			"events": "Visitor",
			"admin": "Domain Configuration",
		}
		for scope in SCOPES:
			key = self.key_of("Administrator", scope)
			own, what = scope.split(":")
			for noun, doctype in doctypes.items():
				path = f"/api/resource/{doctype}"
				read = self.request("GET", quote(path), headers={"X-TrackFlow-Key": key})
				is_open = (noun, what) == (own, "read")
				self.assertEqual(read.status_code, 200 if is_open else 403, (scope, doctype))
				sent = self.request(
					"PUT", quote(f"{path}/none"), headers={"X-TrackFlow-Key": key}, json={"x": 1}
				)
				is_open = (noun, what) == (own, "write") and doctype in EDITED
				self.assertEqual(sent.status_code, 404 if is_open else 403, (scope, doctype))
				for answer, is_there in ((read, True), (sent, doctype in EDITED)):
					if answer.status_code == 403:
						self.assertEqual(answer.json["error"], "key_scope" if is_there else "closed")

	def test_what_is_closed(self) -> None:
		"""As Administrator with every scope: other DocTypes, Frappe's methods, pages, files, the old way to call by name."""
		key = self.key_of("Administrator")
		cases = (
			("GET", "/api/resource/User", {}),
			("GET", "/api/resource/User/Administrator", {}),
			("POST", "/api/resource/User", {"json": {"email": "new@example.com"}}),
			("GET", "/api/resource/TrackFlow API Key", {}),
			("GET", "/api/resource/API Key Permission", {}),
			("POST", "/api/resource/TrackFlow API Key", {"json": {"key_name": "x", "user": "Administrator"}}),
			("GET", "/api/v2/document/User", {}),
			("GET", "/api/v2/doctype/Tracked Link/meta", {}),
			(
				"POST",
				"/api/method/trackflow.api.access.create_api_key",
				{"json": {"key_name": "x", "scopes": "[]"}},
			),
			("GET", "/api/method/frappe.client.get_password", {}),
			("GET", "/api/method/frappe.desk.reportview.get", {}),
			("POST", "/api/method/upload_file", {}),
			("POST", "/api/method/logout", {}),
			(
				"POST",
				"/api/method/run_doc_method",
				{"json": {"dt": "Tracked Link", "dn": "x", "method": "rename"}},
			),
			("POST", "/api/resource/Tracked Link/x", {"json": {"run_method": "rename"}}),
			("POST", "/api/v2/document/Tracked Link/x/method/rename", {}),
			("GET", "/", {}),
			("GET", "/app/tracked-link", {}),
			("GET", "/private/files/x.csv", {}),
			("GET", "/api", {}),
			("GET", "/api/none", {}),
			("POST", "/", {"data": {"cmd": "frappe.client.get_list", "doctype": "Tracked Link"}}),
			("GET", f"{LINKS}?cmd=frappe.client.get_list&doctype=User", {}),
			("GET", "/api/method/trackflow.api.tracking.get_tracking_script", {}),
		)
		for method, path, options in cases:
			with self.subTest(path):
				self.assertEqual(self.reason(key, path, method=method, **options), "closed")
		self.assertEqual(frappe.db.count("TrackFlow API Key"), 1)

	def test_no_way_through_a_list_or_a_document(self) -> None:
		"""A key for links that acts as Administrator reads and changes nothing but links."""
		campaign = make_campaign("Spring Sale", budget=5)
		link = make_link("spring", campaign=campaign.name)
		key = self.key_of("Administrator", "links:read", "links:write")
		for query in (
			{"fields": '["campaign.budget"]'},
			{"filters": '[["Link Campaign", "budget", ">", 1]]'},
			{"expand": '["campaign"]'},
			{"fields": '["name", "count(name)"]'},
		):
			self.assertEqual(self.reason(key, LINKS, 400, query_string=query), "argument")
		one = f"{LINKS}/{link.name}"
		for body in ({"parenttype": "Link Campaign", "parent": campaign.name}, {"doctype": "Link Campaign"}):
			self.assertEqual(self.reason(key, one, 400, method="PUT", json=body), "argument")
		for options in (
			{"data": json.dumps({"title": "T"}), "content_type": "text/plain"},
			{"data": {"data": json.dumps({"doctype": "Link Campaign", "title": "T"})}},
			{"json": {"data": {"title": "T"}}},
			{"json": [{"title": "T"}]},
		):
			self.assertEqual(self.reason(key, one, 400, method="PUT", **options), "argument")
		self.assertEqual(frappe.db.get_value("Tracked Link", link.name, "title"), link.title)

	def test_a_scope_for_events_of_a_domain(self) -> None:
		"""To send events opens nothing else, and no other scope can be narrowed; one that is all the same opens nothing."""
		make_domain(SHOP)
		key = self.key_of(MANAGER, "events:write")
		doc = frappe.get_last_doc("TrackFlow API Key")
		doc.scopes[0].permission_data = json.dumps({"domains": [SHOP]})
		doc.save()
		make_visitor()
		visitor = "/api/resource/Visitor/v_00000000000000aa"
		self.assertEqual(self.reason(key, visitor), "key_scope")
		for method in ("PUT", "DELETE"):
			self.assertEqual(self.reason(key, visitor, method=method, json={}), "closed")
		doc.scopes[0].permission_type = "events:read"
		self.assertRaises(frappe.ValidationError, doc.save)
		frappe.db.set_value("API Key Permission", doc.scopes[0].name, "permission_type", "events:read")
		forget_config()
		self.assertEqual(self.reason(key, visitor), "key_domain")


class TestRefused(KeyedTestCase):
	"""KEY-1: wrong, expired, revoked, elsewhere, too often: a status and a reason, and no oracle."""

	def test_by_what_is_wrong(self) -> None:
		make_domain(SHOP)
		key = self.key_of(name="good")
		past = now_datetime() - timedelta(minutes=1)
		other = key[:-1] + ("A" if key[-1] != "A" else "B")
		for shown, status, code in (
			(other, 401, "wrong_key"),
			(f"{key}x", 401, "wrong_key"),
			(key[: api_keys.PREFIX_LENGTH], 401, "wrong_key"),
			("tfk_0123456789abcdef_nobody", 401, "wrong_key"),
			(make_key("off", is_active=0), 401, "key_revoked"),
			(make_key("old", expires_on=past), 401, "key_expired"),
			(self.key_of(addresses=["192.0.2.0/24"]), 403, "key_address"),
			(make_key("events"), 403, "key_scope"),
		):
			with self.subTest(code=code):
				answer = self.ask(shown, REALTIME, status)
				self.assertEqual(answer.json["error"], code)
				self.assertEqual(answer.headers.get("WWW-Authenticate"), "Bearer" if status == 401 else None)
				self.assertEqual(
					(answer.headers["Cache-Control"], answer.mimetype), ("no-store", "application/json")
				)
				self.assertEqual(answer.headers.getlist("Set-Cookie"), [])

	def test_a_wrong_secret_and_an_unknown_key_are_alike(self) -> None:
		"""Byte for byte, whatever else is true of the key that has that prefix."""
		key = self.key_of(addresses=["192.0.2.0/24"], expires_on=now_datetime() - timedelta(days=1))
		wrong = self.ask(f"{key[: api_keys.PREFIX_LENGTH]}_x", LINKS, 401)
		unknown = self.ask("tfk_0123456789abcdef_x", LINKS, 401)
		without = ("Date", "X-Frappe-Request-Id")
		self.assertEqual(wrong.data, unknown.data)
		self.assertEqual(
			*([one for one in answer.headers if one[0] not in without] for answer in (wrong, unknown))
		)

	def test_as_much_is_done_for_an_unknown_key(self) -> None:
		"""Both are hashed and compared with a hash, in constant time."""
		key = self.key_of()
		config = get_config()
		compared = []

		def compare(one: str, other: str) -> bool:
			compared.append((len(one), len(other)))
			return False

		with patch("hmac.compare_digest", compare):
			for shown in (key, "tfk_0123456789abcdef_x", "", "x" * 600):
				self.assertIsNone(api_keys.known(shown, config))
		self.assertEqual(compared, [(64, 64)] * 4)

	def test_a_disabled_user(self) -> None:
		"""At once, also where the settings' snapshot does not know yet."""
		key = self.key_of(NOBODY)
		self.ask(key)
		frappe.db.set_value("User", NOBODY, "enabled", 0)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.set_value, "User", NOBODY, "enabled", 1)
		self.assertTrue(get_config().api_keys[key[: api_keys.PREFIX_LENGTH]].is_active)
		self.assertEqual(self.reason(key, status=401), "key_revoked")

	def test_the_snapshot_follows_users(self) -> None:
		key = self.key_of(NOBODY)
		user = frappe.get_doc("User", NOBODY)
		for enabled in (0, 1):
			user.enabled = enabled
			user.save()
			self.assertEqual(get_config().api_keys[key[: api_keys.PREFIX_LENGTH]].is_active, bool(enabled))

	def test_addresses(self) -> None:
		"""As `incoming` knows the caller: by trusted proxies alone, never by what somebody claims."""
		key = self.key_of(addresses=["203.0.113.0/24", "2001:db8::/32"])
		self.ask(key, address="203.0.113.9")
		self.ask(key, address="2001:db8::7")
		for address in ("198.51.100.1", "2001:db9::1", "::ffff:198.51.100.1"):
			self.assertEqual(self.reason(key, address=address), "key_address")
		claimed = {"X-Forwarded-For": "203.0.113.9"}
		self.assertEqual(self.reason(key, address="198.51.100.1", headers=claimed), "key_address")
		set_settings(trusted_proxies="198.51.100.1")
		self.ask(key, address="198.51.100.1", headers=claimed)

	def test_blocked_addresses(self) -> None:
		key = self.key_of()
		set_settings(blocked_addresses="198.51.100.0/24")
		self.assertEqual(self.reason(key, address="198.51.100.1"), "blocked")
		self.ask(key)

	def test_revoked_and_rotated_at_once(self) -> None:
		key = self.key_of(name="mine")
		self.ask(key)
		fresh = stored_keys.rotate("mine")["key"]
		self.assertEqual(self.reason(key, status=401), "wrong_key")
		self.ask(fresh)
		stored_keys.revoke("mine")
		self.assertEqual(self.reason(fresh, status=401), "key_revoked")

	def test_two_logins(self) -> None:
		"""A key beside a session, or beside Frappe's own key, is refused: who acts is never in doubt."""
		key = self.key_of()
		login = self.request("POST", "/api/method/login", data={"usr": MANAGER, "pwd": self._password()})
		sid = next(one for one in login.headers.getlist("Set-Cookie") if one.startswith("sid=")).split(";")[
			0
		][4:]
		self.assertEqual(self.get(WHO, cookies={"sid": sid}).json, {"message": MANAGER})
		self.assertEqual(self.reason(key, status=400, cookies={"sid": sid}), "two_logins")
		headers = {**self.authorization(CAMPAIGNER), "X-TrackFlow-Key": key}
		answer = self.get(WHO, headers=headers)
		self.assertEqual((answer.status_code, answer.json["error"]), (400, "two_logins"))
		# A session that is none, as program's cookie jars have it, is nobody's.
		for sid in ("Guest", "0123456789abcdef"):
			self.ask(key, cookies={"sid": sid})

	def _password(self) -> str:
		user = frappe.get_doc("User", MANAGER)
		user.new_password = "Contract-7-words"
		user.save(ignore_permissions=True)
		return user.new_password or "Contract-7-words"


class TestLimits(KeyedTestCase):
	"""KEY-1, COL-3: limits per minute, hour and day, all moved by one script; else that of the settings."""

	def test_each_of_its_own(self) -> None:
		for field in ("limit_per_minute", "limit_per_hour", "limit_per_day"):
			key = self.key_of(**{field: 2})
			self.ask(key)
			# What is refused for its scope costs as much.
			self.ask(key, "/api/resource/User", 403)
			answer = self.ask(key, status=429)
			self.assertEqual(answer.json["error"], "too_many")
			self.assertGreater(int(answer.headers["Retry-After"]), 0)

	def test_that_of_the_settings(self) -> None:
		set_settings(limit_api_requests_per_key_hour=1)
		key, other = self.key_of(), self.key_of()
		self.ask(key)
		self.ask(key, status=429)
		self.ask(other)
		self.ask(self.key_of(limit_per_minute=5))

	def test_a_wrong_key_takes_nothing(self) -> None:
		key = self.key_of(limit_per_minute=1)
		for _each in range(3):
			self.ask(f"{key[: api_keys.PREFIX_LENGTH]}_x", status=401)
		self.ask(key)

	def test_one_question_for_all_of_them(self) -> None:
		key = self.key_of(limit_per_minute=9, limit_per_hour=9, limit_per_day=9)
		self.ask(key)
		with patch.object(buckets, "take", wraps=buckets.take) as take:
			self.ask(key)
		((wanted,),) = (call.args for call in take.call_args_list)
		self.assertEqual(len(wanted), 3)

	def test_without_redis_there_are_none(self) -> None:
		key = self.key_of(limit_per_minute=1)
		with patch.object(buckets, "take", side_effect=StreamUnavailable("away")):
			for _each in range(3):
				self.ask(key)


class TestOthers(KeyedTestCase):
	"""What is no key of ours is Frappe's business, as before."""

	def test_frappes_own_keys(self) -> None:
		token = f"{self.keys[MANAGER]}:{SECRET}"
		basic = base64.b64encode(token.encode()).decode()
		for value in (f"token {token}", f"Basic {basic}"):
			answer = self.get(WHO, headers={"Authorization": value})
			self.assertEqual(answer.json, {"message": MANAGER})
		for value in (f"token {self.keys[MANAGER]}:wrong", "token nobody:x"):
			self.assertEqual(self.get(WHO, headers={"Authorization": value}).status_code, 401)

	def test_other_bearers(self) -> None:
		"""Frappe's OAuth and other apps have bearers; who has none is a guest, and refused by Frappe."""
		for value in ("Bearer nobodys-token", "Bearer tfk_short", "Bearer", "Bearer ", "Digest x"):
			answer = self.get(WHO, headers={"Authorization": value})
			self.assertIn(answer.status_code, (401, 403), value)
			self.assertNotIn("error", answer.json or {}, value)

	def test_a_key_by_other_ways_is_none(self) -> None:
		"""As the name of a Basic login, as Frappe's token, and for Frappe's keys of other DocTypes."""
		key = self.key_of()
		prefix, secret = key[: api_keys.PREFIX_LENGTH], key[api_keys.PREFIX_LENGTH + 1 :]
		basic = base64.b64encode(f"{key}:".encode()).decode()
		for headers in (
			{"Authorization": f"Basic {basic}"},
			{"Authorization": f"token {prefix}:{secret}"},
			{
				"Authorization": f"token {prefix}:{secret}",
				"Frappe-Authorization-Source": "TrackFlow API Key",
			},
			{
				"Authorization": f"token {prefix}:{api_keys.hash_of(secret)}",
				"Frappe-Authorization-Source": "TrackFlow API Key",
			},
		):
			self.assertEqual(self.get(WHO, headers=headers).status_code, 401, headers)
		for query in ({"api_key": key}, {"X-TrackFlow-Key": key}, {"key": key}):
			self.assertEqual(self.get(WHO, query_string=query).status_code, 403)
		self.assertEqual(self.get(WHO, cookies={"X-TrackFlow-Key": key}).status_code, 403)

	def test_several_headers(self) -> None:
		"""Servers join them by commas: then none is a key."""
		key, other = self.key_of(), self.key_of(CAMPAIGNER)
		for value in (f"Bearer {key}, Bearer {other}", f"Bearer {key},Bearer {key}"):
			answer = self.get(WHO, headers={"Authorization": value})
			self.assertEqual((answer.status_code, answer.json["error"]), (401, "wrong_key"))
		answer = self.get(WHO, headers={"X-TrackFlow-Key": f"{key},{other}"})
		self.assertEqual((answer.status_code, answer.json["error"]), (401, "wrong_key"))
		# Of the two headers ours is the one that counts; the other must be nobody's login.
		answer = self.get(WHO, headers={"X-TrackFlow-Key": key, "Authorization": f"Bearer {other}"})
		self.assertEqual((answer.status_code, answer.json), (200, {"message": MANAGER}))

	def test_hostile_headers(self) -> None:
		key = self.key_of()
		for value in (
			f"{key}\0",
			f"\0{key}",
			"\0" * 40,
			"é" * 40,
			"tfk_0123456789abcdef_" + "é" * 9000,
			f"{key}{'x' * 9000}",
			"tfk_" + "0" * 100_000,
			"'; DROP TABLE `tabUser`; --",
			"{{ 7 * 7 }}",
			"\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
		):
			shown = value.encode().decode("latin-1")
			answer = self._raw("HTTP_X_TRACKFLOW_KEY", shown)
			self.assertEqual((answer.status_code, answer.json["error"]), (401, "wrong_key"), value[:40])
			self.assertLess(self._raw("HTTP_AUTHORIZATION", f"Bearer {shown}").status_code, 500)

	def _raw(self, name: str, value: str) -> TestResponse:
		"""A header as a server hands it on that lets everything through."""
		frappe.db.commit()
		return self.request("GET", WHO, environ_base={name: value})

	def test_a_request_that_asks_beforehand(self) -> None:
		answer = self.request("OPTIONS", LINKS, headers={"X-TrackFlow-Key": "x"})
		self.assertEqual(answer.status_code, 200)

	@given(st.text(max_size=200))
	def test_whatever_stands_there(self, text: str) -> None:
		"""No key of ours comes of it, and no error."""
		for headers in (
			{api_keys.HEADER: text},
			{"authorization": text},
			{"authorization": f"Bearer {text}"},
		):
			shown = api_keys.of_people(headers)
			self.assertIsNone(api_keys.known(shown, get_config()))


class TestCost(KeyedTestCase):
	"""Who shows no key pays nothing; a key costs no more than Frappe's own."""

	def test_nothing_without_a_key(self) -> None:
		"""The same statements and round trips with our hooks as without, for guests and for people."""
		make_link("spring")
		headers = self.authorization(MANAGER)
		for path, options in (
			("/r/spring", {}),
			("/api/method/ping", {}),
			("/api/method/trackflow.api.tracking.get_tracking_script", {}),
			(LINKS, {"headers": headers}),
		):
			self.get(path, **options)
			with_hooks = self._taken(path, **options)
			with _without_keys():
				self.assertEqual(self._taken(path, **options), with_hooks, path)

	def test_no_more_statements_than_frappes_own_keys(self) -> None:
		key, token = self.key_of(), self.authorization(MANAGER)
		shown = {"X-TrackFlow-Key": key}
		for headers in (shown, token):
			self.get(LINKS, headers=headers)
		statements, trips = self._taken(LINKS, headers=shown)
		others, _trips = self._taken(LINKS, headers=token)
		self.assertLessEqual(len(statements), len(others))
		self.assertFalse(
			[one for one in statements if "TrackFlow API Key" in one or "API Request Log" in one]
		)
		# The settings, the limits; and the log, once the answer has left.
		self.assertLessEqual(sum("evalsha" in one.lower() for one in trips), 2, trips)

	def test_the_key_is_in_no_statement(self) -> None:
		"""Frappe looks for bearers among its own tokens; neither it nor any later hook gets to see ours."""
		key = self.key_of()
		for shown in (key, "tfk_0123456789abcdef_secret"):
			secret = shown[api_keys.PREFIX_LENGTH + 1 :]
			for headers in (
				{"Authorization": f"Bearer {shown}"},
				{"Authorization": f"Bearer {shown}", "X-TrackFlow-Key": key},
			):
				seen: list[str] = []
				probe = patch(NEXT_HOOK, lambda: seen.append(str(frappe.request.headers)))
				with counted_statements() as statements, probe:
					self.get(WHO, headers=headers)
				self.assertFalse([one for one in statements if secret in one])
				self.assertTrue(seen and not [one for one in seen if secret in one])

	def _taken(self, path: str, **options: Any) -> tuple[list[str], list[str]]:
		"""Statements, and of each round trip the command and its first key."""
		asked: list[str] = []
		# So that no figures travel along with one of the two.
		untold = patch("trackflow.stream.tally.due", return_value="")
		with untold, counted_statements() as statements, _commands(asked):
			self.get(quote(path), **options)
		return statements, [",".join(one.split(",")[:4])[:200] for one in asked]


@contextmanager
def _without_keys() -> Iterator[None]:
	"""As if there were no hooks of ours for keys."""
	with ExitStack() as stack:
		for hook in ("take_key", "authenticate", "finish"):
			stack.enter_context(patch(f"trackflow.access.keyed.{hook}", lambda **_given: None))
		yield
