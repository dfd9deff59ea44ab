"""HOST-2: the replay sees what differs between two hosts, and nothing else. Pure."""

import json
import unittest
from typing import Any

from trackflow.tests.replay.cases import CASES, CRM_CASES, PREPARATION
from trackflow.tests.replay.client import Answer, Case, Host
from trackflow.tests.replay.compare import differences

CASE = Case("a case", "GET", "/x")


def answer(value: Any = None, status: int = 200, text: str = "", **headers: str) -> Answer:
	"""An answer with this JSON, or this text."""
	kind = "text/html" if value is None else "application/json"
	pairs = [("Content-Type", kind), *((name.replace("_", "-"), one) for name, one in headers.items())]
	return Answer(status, pairs, (text if value is None else json.dumps(value)).encode())


def found(one: Answer, other: Answer, case: Case = CASE, saved: Any = ({}, {})) -> list[str]:
	"""What the replay says differs."""
	return [difference.what for difference in differences(case, one, other, saved)]


class TestComparison(unittest.TestCase):
	def test_what_hosts_make_up_is_no_difference(self) -> None:
		one = answer(
			{"data": {"name": "0123456789", "creation": "2026-01-01 00:00:00.1", "key": "pk_" + "a" * 24}}
		)
		other = answer(
			{"data": {"name": "abcdefghij", "creation": "2026-02-02 10:00:00", "key": "pk_" + "b" * 24}}
		)
		self.assertEqual(found(one, other), [])
		self.assertEqual(found(answer({"exc": "a"}), answer({"exc": "b"})), [])
		one, other = answer(Location="https://a/?tfclid=x.y"), answer(Location="https://a/?tfclid=z.z")
		self.assertEqual(found(one, other), [])
		saved = ({"host": "one.localhost:8000"}, {"host": "other.localhost"})
		self.assertEqual(
			found(answer({"a": "one.localhost:8000"}), answer({"a": "other.localhost"}), saved=saved), []
		)

	def test_what_matters_is(self) -> None:
		self.assertEqual(found(answer({"data": {"a": 1}}), answer({"data": {"a": "1"}})), ["json.data.a"])
		self.assertEqual(
			found(answer({"data": {"a": None}}), answer({"data": {}})), ["json.data", "json.data.a"]
		)
		self.assertEqual(
			found(answer({"a": [{"b": 1}]}), answer({"a": [{"b": 1}, {"b": 1}]})),
			["json.a.1.b", "json.a.length"],
		)
		self.assertEqual(found(answer(Allow="GET"), answer()), ["Allow"])
		self.assertEqual(found(answer(status=302), answer(status=301)), ["status"])
		refused = answer({"exc_type": "ValidationError"}, status=417)
		self.assertEqual(found(answer({"data": {"a": 1}}), refused), ["json.exc_type", "status"])

	def test_cookies_differ_by_name_and_attributes(self) -> None:
		one = answer(Set_Cookie="sid=a; Path=/; HttpOnly; SameSite=Lax")
		self.assertEqual(found(one, answer(Set_Cookie="sid=b; Path=/; HttpOnly; SameSite=Lax")), [])
		self.assertEqual(found(one, answer(Set_Cookie="sid=a; Path=/; SameSite=Lax")), ["cookie sid"])
		self.assertEqual(
			found(one, answer(Set_Cookie="sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")), ["cookie sid"]
		)
		self.assertEqual(found(one, answer()), ["cookie sid"])

	def test_pages_are_compared_where_they_are_the_apps(self) -> None:
		page = Case("a page", "GET", "/r/x", page=True)
		self.assertEqual(found(answer(text="a"), answer(text="b"), page), ["body"])
		self.assertEqual(found(answer(text="a"), answer(text="b")), [])

	def test_messages_count_where_they_are_raised(self) -> None:
		raised, explained = {"message": "No", "raise_exception": 1}, {"message": "Guests have no role"}
		messages = [
			answer({"_server_messages": json.dumps([json.dumps(one)])}) for one in (raised, explained)
		]
		self.assertIn("json._server_messages.0.message", found(messages[0], answer({})))
		self.assertEqual(found(messages[1], answer({})), [])
		self.assertEqual(found(messages[0], answer({}), Case("", "GET", "/", wording=False)), [])


class TestCases(unittest.TestCase):
	def test_names_are_unique(self) -> None:
		names = [case.name for case in (*PREPARATION, *CASES, *CRM_CASES)]
		self.assertEqual(sorted(names), sorted(set(names)))
		self.assertGreater(len(CASES), 60)

	def test_what_was_saved_is_filled_in(self) -> None:
		host = Host("http://one.localhost:8000/")
		host.saved["link"] = "abc"
		self.assertEqual(host.fill("$base/r/$link?x=$unknown"), "http://one.localhost:8000/r/abc?x=$unknown")
