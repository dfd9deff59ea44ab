"""Limits and blocked addresses (COL-3), on the site; those of the edge are in test_edge_events."""

import json
import unittest
from typing import Any
from unittest.mock import patch

import frappe
from hypothesis import given
from hypothesis import strategies as st

from trackflow.access import limits
from trackflow.config import get_config
from trackflow.edge.rates import Rates
from trackflow.exceptions import StreamUnavailable
from trackflow.stream import buckets, connection, spool
from trackflow.stream.buckets import Bucket
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import SHOP, batch, event, make_domain, make_key, make_link, set_settings
from trackflow.tests.test_collector import ORIGIN, CollectorTestCase

CONSENT = "/api/method/trackflow.api.tracking.record_consent"


def waiting() -> int:
	return queue_redis().xlen(connection.key("stream"))


class TestBuckets(TrackFlowTestCase):
	"""COL-3: a token bucket in Redis, moved by one script; all of a request's buckets give, or none does."""

	def test_empty_after_its_capacity(self) -> None:
		bucket = Bucket("one", 3, 60)
		self.assertEqual([buckets.take([bucket]) for _ in range(3)], [0, 0, 0])
		self.assertIn(buckets.take([bucket]), range(1, 21))

	def test_it_fills_up_again(self) -> None:
		quick = Bucket("quick", 2, 60)
		buckets.take([quick._replace(wanted=2)])
		# As if it had been emptied a minute ago.
		key = buckets.keys([quick])[0]
		tokens, at = queue_redis().get(key).split()
		queue_redis().set(key, b"%b %f" % (tokens, float(at) - 60), ex=60)
		self.assertEqual([buckets.take([quick]), buckets.take([quick])], [0, 0])
		self.assertGreater(buckets.take([quick]), 0)

	def test_all_or_none(self) -> None:
		full, empty = Bucket("full", 10, 60), Bucket("empty", 1, 60)
		buckets.take([empty])
		self.assertGreater(buckets.take([full._replace(wanted=10), empty]), 0)
		self.assertEqual(buckets.take([full._replace(wanted=10)]), 0)

	def test_more_than_it_ever_holds_takes_all(self) -> None:
		"""A batch larger than the limit must not be refused for ever."""
		small = Bucket("small", 5, 60, 100)
		self.assertEqual(buckets.take([small]), 0)
		self.assertGreater(buckets.take([small]), 0)

	def test_what_is_not_used_is_forgotten(self) -> None:
		buckets.take([Bucket("one", 3, 60)])
		self.assertIn(queue_redis().ttl(buckets.keys([Bucket("one", 3, 60)])[0]), range(1, 61))


class TestEvents(CollectorTestCase):
	"""COL-3: requests per address and minute, events per site and minute, requests per key and hour."""

	def test_by_address(self) -> None:
		set_settings(limit_events_per_address_minute=2)
		for number in range(2):
			self.send(batch(self.key, event(str(number))))
		refused = self.send(batch(self.key, event("3")), 429)
		self.assertEqual(refused["error"], "too_many")
		self.assertIn(int(self.answer.headers["Retry-After"]), range(1, 61))
		self.assertEqual(self.answer.headers["Access-Control-Allow-Origin"], "*")
		self.assertEqual(waiting(), 2)
		self.send(batch(self.key, event("3")), address="198.51.100.1")

	def test_what_is_refused_counts_too(self) -> None:
		set_settings(limit_events_per_address_minute=2)
		self.send(b"rubbish", 400)
		self.send(batch("pk_nobody", event("1")), 401)
		self.send(b"rubbish", 429)

	def test_an_ipv6_network_is_one_address(self) -> None:
		set_settings(limit_events_per_address_minute=1)
		self.send(batch(self.key, event("1")), address="2001:db8:1:1::1")
		self.send(batch(self.key, event("2")), 429, address="2001:db8:1:1::2")
		self.send(batch(self.key, event("2")), address="2001:db8:1:2::1")

	def test_by_site(self) -> None:
		set_settings(limit_events_per_site_minute=3)
		self.send(batch(self.key, event("1"), event("2")))
		self.send(batch(self.key, event("3"), event("4")), 429, address="198.51.100.1")
		self.send(batch(self.key, event("3")), address="198.51.100.2")
		other = make_domain("other.example.com").public_key
		page = event("1", url="https://other.example.com/")
		self.send(batch(other, page), origin="https://other.example.com", address="198.51.100.3")

	def test_by_key(self) -> None:
		set_settings(limit_api_requests_per_key_hour=2, limit_events_per_address_minute=1)
		first, second = make_key("first"), make_key("second", limit_per_minute=1)
		for key, times in ((first, 2), (second, 1)):
			for number in range(times):
				self.send(batch("", event(f"{number}")), origin=None, headers={"X-TrackFlow-Key": key})
			self.send(batch("", event("more")), 429, origin=None, headers={"X-TrackFlow-Key": key})

	def test_nought_is_no_limit(self) -> None:
		set_settings(limit_events_per_address_minute=0, limit_events_per_site_minute=0)
		for number in range(5):
			self.send(batch(self.key, event(str(number))))
		self.assertFalse(list(queue_redis().scan_iter(f"{connection.key('bucket')}*")))

	def test_no_address_stands_in_redis(self) -> None:
		self.send(batch(self.key, event("1")))
		[name] = [one for one in queue_redis().scan_iter("*bucket:events*")]
		self.assertNotIn(b"203.0.113", name)

	def test_without_redis_there_is_no_limit(self) -> None:
		set_settings(limit_events_per_address_minute=1)
		config = get_config()
		wanted = limits.of_address("events", "203.0.113.7", config, b"secret")
		with patch.object(connection, "connect", side_effect=StreamUnavailable("gone")):
			self.assertEqual([limits.wait_for(wanted) for _ in range(3)], [0, 0, 0])

	def test_blocked_addresses(self) -> None:
		set_settings(blocked_addresses="203.0.113.0/28\n2001:db8::/32")
		for address in ("203.0.113.7", "2001:db8::1"):
			self.assertEqual(self.send(batch(self.key, event("1")), 403, address=address)["error"], "blocked")
			self.assertEqual(self.request("POST", CONSENT, address=address).status_code, 403)
		self.assertEqual(waiting(), 0)
		self.send(batch(self.key, event("1")), address="203.0.113.99")

	def test_a_proxy_is_believed_only_if_it_is_ours(self) -> None:
		"""COL-3: nobody gets a fresh bucket by claiming another address."""
		set_settings(limit_events_per_address_minute=1)
		for number, status in ((1, 202), (2, 429)):
			forged = {"X-Forwarded-For": f"192.0.2.{number}"}
			self.send(batch(self.key, event(str(number))), status, headers=forged)


class TestOtherEndpoints(TrackFlowTestCase):
	"""COL-3: redirects and consents have limits of their own."""

	def test_consents(self) -> None:
		set_settings(limit_consents_per_address_minute=1)
		options: dict[str, Any] = {
			"data": {"consent": "granted"},
			"headers": {"Sec-Fetch-Site": "same-origin"},
		}
		self.assertEqual(self.request("POST", CONSENT, **options).status_code, 200)
		refused = self.request("POST", CONSENT, **options)
		self.assertEqual((refused.status_code, refused.mimetype), (429, "application/json"))
		self.assertTrue(refused.headers["Retry-After"])

	def test_scripts_and_images(self) -> None:
		"""Each counted by itself: images are no requests with events."""
		key = make_domain(SHOP).public_key
		set_settings(
			limit_scripts_per_address_minute=1,
			limit_images_per_address_minute=2,
			limit_events_per_address_minute=1,
		)
		method = "/api/method/trackflow.api.tracking."
		scripts = [self.get(f"{method}get_tracking_script?key={key}").status_code for _ in range(2)]
		referer = {"Referer": f"{ORIGIN}/"}
		images = [self.get(f"{method}pixel?key={key}", headers=referer).status_code for _ in range(3)]
		self.assertEqual((scripts, images), ([200, 429], [200, 200, 429]))

	def test_redirects(self) -> None:
		make_link("spring")
		set_settings(limit_redirects_per_address_minute=2)
		answers = [self.get("/r/spring") for _ in range(3)]
		self.assertEqual([one.status_code for one in answers], [302, 302, 429])
		self.assertGreater(int(answers[2].headers["Retry-After"]), 0)
		self.assertNotIn("Location", answers[2].headers)
		self.assertEqual(self.get("/r/spring", address="198.51.100.1").status_code, 302)
		drain()
		self.assertEqual(frappe.db.count("Click Event"), 3)

	def test_trying_codes_is_limited_too(self) -> None:
		set_settings(limit_redirects_per_address_minute=2)
		self.assertEqual([self.get(f"/r/nobody{one}").status_code for one in range(3)], [404, 404, 429])

	def test_blocked_addresses_are_not_redirected(self) -> None:
		make_link("spring")
		set_settings(blocked_addresses="203.0.113.7")
		self.assertEqual(self.get("/r/spring").status_code, 403)
		self.assertEqual(self.get("/r/spring", address="203.0.113.8").status_code, 302)

	def test_every_setting_belongs_to_one_endpoint(self) -> None:
		of_code = [one.field for one in (*limits.ENDPOINTS.values(), limits.SITE_EVENTS, limits.KEY_REQUESTS)]
		meta = frappe.get_meta("TrackFlow Settings")
		of_form = [one.fieldname for one in meta.fields if one.fieldname.startswith("limit_")]
		self.assertEqual(sorted(of_code), sorted(of_form))


class TestRates(unittest.TestCase):
	"""COL-3 on the edge: in the process's memory, within bounds."""

	def test_empty_and_full_again(self) -> None:
		rates = Rates()
		self.assertEqual([rates.take("a", 2, 60, 0.0) for _ in range(3)], [0, 0, 30])
		self.assertEqual(rates.take("b", 2, 60, 0.0), 0)
		self.assertEqual(rates.take("a", 2, 60, 30.0), 0)
		self.assertEqual(rates.take("a", 2, 60, 30.0), 30)

	def test_no_limit(self) -> None:
		self.assertEqual({Rates().take("a", 0, 60, 0.0)}, {0})

	def test_memory_has_a_bound(self) -> None:
		rates = Rates(most=100)
		for number in range(1000):
			rates.take(str(number), 1, 60, 0.0)
		self.assertLessEqual(len(rates._buckets), 100)
		self.assertGreater(rates.take("999", 1, 60, 0.0), 0)

	@given(
		st.integers(1, 20),
		st.lists(st.floats(0, 10, allow_nan=False), min_size=1, max_size=200),
	)
	def test_never_more_than_the_limit_allows(self, capacity: int, pauses: list[float]) -> None:
		rates, now, given_out = Rates(), 0.0, 0
		for pause in pauses:
			now += pause
			given_out += not rates.take("a", capacity, 60, now)
		self.assertLessEqual(given_out, capacity + now * capacity / 60 + 1e-6)


class TestPreflight(CollectorTestCase):
	"""COL-2: whether a page may send is answered by its origin, on the site too."""

	PATH = "/api/method/trackflow.api.tracking.track_event"

	def asked(self, origin: str) -> Any:
		headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
		return self.request("OPTIONS", self.PATH, headers=headers)

	def test_a_page_of_ours(self) -> None:
		answer = self.asked(ORIGIN)
		self.assertEqual(answer.status_code, 204)
		self.assertEqual(answer.headers["Access-Control-Allow-Origin"], ORIGIN)
		self.assertEqual(answer.headers["Access-Control-Allow-Methods"], "POST")

	def test_any_other(self) -> None:
		make_domain("off.example.com", enabled=0)
		for origin in ("https://evil.example.org", "null", "", "https://off.example.com"):
			answer = self.asked(origin)
			self.assertEqual(answer.status_code, 403)
			self.assertNotIn("Access-Control-Allow-Origin", answer.headers)

	def test_of_nothing_else(self) -> None:
		answer = self.request("OPTIONS", "/api/method/ping", headers={"Origin": ORIGIN})
		self.assertNotIn("Access-Control-Allow-Origin", answer.headers)


class TestNothingIsStored(CollectorTestCase):
	"""COL-2: of an origin that may not send, not one byte is stored."""

	def test_neither_stream_nor_spool_nor_database(self) -> None:
		marker = "marker-of-a-stranger"
		body = batch(self.key, event("e1", title=marker, properties={"x": marker}))
		before = frappe.db.count("Error Log")
		for origin, headers in (
			("https://evil.example.org", {}),
			(None, {}),
			(None, {"Referer": "https://evil.example.org/"}),
		):
			self.send(body, 403, origin=origin, headers=headers)
		redis = queue_redis()
		held = b" ".join(
			one + b" " + (redis.dump(one) or b"") for one in redis.scan_iter("*") if b"bucket" not in one
		)
		self.assertNotIn(marker.encode(), held)
		self.assertEqual((waiting(), spool.size()), (0, 0))
		self.assertFalse(list(redis.scan_iter("*seen*")))
		drain()
		for doctype in ("Visitor Event", "Visitor", "Visitor Session", "Click Queue"):
			self.assertEqual(frappe.db.count(doctype), 0)
		self.assertEqual(frappe.db.count("Error Log"), before)
		self.assertNotIn(marker, json.dumps(self.send(body, 403, origin="https://evil.example.org")))
