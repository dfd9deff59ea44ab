"""Visitor ids, signed clicks and addresses (RED-4 to RED-6, COL-3, COL-7, SEC-3)."""

from __future__ import annotations

import ipaddress
import unittest

from trackflow.tests.properties import given, st
from trackflow.tracking.identity import (
	NetworkError,
	client_address,
	cookieless_id,
	hash_address,
	in_ranges,
	is_private,
	is_visitor_id,
	mask_address,
	new_visitor_id,
	parse_network,
	read_click,
	sign_click,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
CLICK_IDS = st.text("abcXYZ019_-", min_size=1, max_size=100)
IPV4, IPV6 = st.ip_addresses(v=4), st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None)
ADDRESSES = IPV4 | IPV6


class TestVisitorId(unittest.TestCase):
	"""Section 2, RED-5: `v_` and 16 hex digits, random or from a keyed hash."""

	def test_form(self):
		for text, expected in (
			("v_0123456789abcdef", True),
			("v_0123456789ABCDEF", False),
			("v_0123456789abcde", False),
			("v_0123456789abcdef0", False),
			("v_0123456789abcdef\n", False),
			("x_0123456789abcdef", False),
			("", False),
			(None, False),
			(5, False),
		):
			with self.subTest(text=text):
				self.assertEqual(is_visitor_id(text), expected)

	def test_new_ids_are_valid_and_different(self):
		ids = {new_visitor_id() for _ in range(100)}
		self.assertEqual(len(ids), 100)
		self.assertTrue(all(map(is_visitor_id, ids)))

	def test_cookieless_is_the_same_for_the_same(self):
		one = cookieless_id(KEY, "shop.example", "203.0.113.7", "Firefox")
		self.assertTrue(is_visitor_id(one))
		self.assertEqual(one, cookieless_id(KEY, "Shop.Example ", "203.0.113.7", " Firefox"))
		self.assertEqual(one, cookieless_id(KEY, "shop.example", "::ffff:203.0.113.7", "Firefox"))

	def test_cookieless_differs_in_every_part(self):
		ids = {
			cookieless_id(KEY, "shop.example", "203.0.113.7", "Firefox"),
			cookieless_id(OTHER_KEY, "shop.example", "203.0.113.7", "Firefox"),
			cookieless_id(KEY, "blog.example", "203.0.113.7", "Firefox"),
			cookieless_id(KEY, "shop.example", "203.0.113.8", "Firefox"),
			cookieless_id(KEY, "shop.example", "203.0.113.7", "Safari"),
		}
		self.assertEqual(len(ids), 5)

	def test_parts_do_not_run_into_each_other(self):
		self.assertNotEqual(cookieless_id(KEY, "a", "bc", "d"), cookieless_id(KEY, "ab", "c", "d"))

	@given(st.text(), st.text(), st.text())
	def test_cookieless_takes_any_text(self, domain, address, user_agent):
		self.assertTrue(is_visitor_id(cookieless_id(KEY, domain, address, user_agent)))


class TestSignedClick(unittest.TestCase):
	"""RED-6, SEC-3: signed click ids that nobody else can make."""

	@given(CLICK_IDS, st.binary(min_size=1, max_size=64))
	def test_reads_what_was_signed(self, click_id, secret):
		signed = sign_click(click_id, secret)
		self.assertRegex(signed, r"\A[A-Za-z0-9_.-]+\Z")
		self.assertEqual(len(signed), len(click_id) + 17)
		self.assertEqual(read_click(signed, secret), click_id)

	@given(CLICK_IDS, st.integers(0, 200), st.sampled_from("abA0_-.~ä"))
	def test_no_character_can_be_changed(self, click_id, position, character):
		signed = sign_click(click_id, KEY)
		position %= len(signed)
		changed = signed[:position] + character + signed[position + 1 :]
		self.assertEqual(read_click(changed, KEY), click_id if changed == signed else None)

	def test_what_is_not_signed(self):
		signed = sign_click("abc", KEY)
		for text in (
			None,
			5,
			"",
			".",
			"abc",
			"abc.",
			signed[:-1],
			signed + "A",
			signed + ".",
			signed + "=",
			"\ud800.x",
		):
			with self.subTest(text=text):
				self.assertIsNone(read_click(text, KEY))
		self.assertIsNone(read_click(signed, OTHER_KEY))

	def test_ids_that_do_not_fit_into_a_url(self):
		for click_id in ("", "a b", "a.b", "ä", "a/b", "x" * 101):
			with self.subTest(click_id=click_id), self.assertRaises(ValueError):
				sign_click(click_id, KEY)

	@given(st.text())
	def test_any_text_is_no_click(self, text):
		self.assertIsNone(read_click(text, KEY))


class TestAddresses(unittest.TestCase):
	"""COL-7: addresses masked or hashed."""

	def test_mask(self):
		for address, expected in (
			("203.0.113.77", "203.0.113.0"),
			(" 203.0.113.77 ", "203.0.113.0"),
			("::ffff:203.0.113.77", "203.0.113.0"),
			("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
			("2001:DB8::1", "2001:db8::"),
			("fe80::1%eth0", "fe80::"),
			("", ""),
			(None, ""),
			("nowhere", ""),
			("203.0.113", ""),
		):
			with self.subTest(address=address):
				self.assertEqual(mask_address(address), expected)

	def test_hash(self):
		hashed = hash_address("203.0.113.77", KEY)
		self.assertRegex(hashed, r"\A[0-9a-f]{32}\Z")
		self.assertEqual(hashed, hash_address("::ffff:203.0.113.77", KEY))
		self.assertNotEqual(hashed, hash_address("203.0.113.78", KEY))
		self.assertNotEqual(hashed, hash_address("203.0.113.77", OTHER_KEY))
		self.assertEqual(hash_address("nowhere", KEY), "")

	@given(ADDRESSES)
	def test_a_mask_keeps_the_network_and_nothing_else(self, address):
		masked = ipaddress.ip_address(mask_address(str(address)))
		length = 24 if address.version == 4 else 48
		self.assertIn(address, ipaddress.ip_network((masked, length)))


class TestRanges(unittest.TestCase):
	"""RED-4: internal ranges (CIDR, v4 and v6) and private addresses."""

	def test_private(self):
		for address, expected in (
			("10.1.2.3", True),
			("172.16.0.1", True),
			("172.32.0.1", False),
			("192.168.1.1", True),
			("127.0.0.1", True),
			("169.254.1.1", True),
			("100.64.0.1", True),
			("100.128.0.1", False),
			("::1", True),
			("::2", False),
			("fd00::1", True),
			("fe80::1%eth0", True),
			("::ffff:10.0.0.1", True),
			("8.8.8.8", False),
			# Addresses of examples stand for strangers in texts and tests, and are nobody's own network.
			("203.0.113.7", False),
			("2001:db8::1", False),
			("2606:4700::1", False),
			("", False),
			("nowhere", False),
		):
			with self.subTest(address=address):
				self.assertEqual(is_private(address), expected)

	def test_in_ranges(self):
		networks = ["203.0.113.0/24", " 198.51.100.7 ", "2001:db8::/32", ipaddress.ip_network("192.0.2.0/24")]
		for address, expected in (
			("203.0.113.255", True),
			("203.0.114.0", False),
			("198.51.100.7", True),
			("198.51.100.8", False),
			("192.0.2.1", True),
			("2001:db8:ffff::1", True),
			("2001:db9::1", False),
			("::ffff:203.0.113.1", True),
			("nowhere", False),
		):
			with self.subTest(address=address):
				self.assertEqual(in_ranges(address, networks), expected)
		self.assertFalse(in_ranges("203.0.113.1", []))

	def test_networks_with_bits_behind_the_prefix(self):
		self.assertEqual(str(parse_network("203.0.113.7/24")), "203.0.113.0/24")

	def test_no_network(self):
		for text in ("", "nowhere", "203.0.113.0/33", "203.0.113"):
			with self.subTest(text=text), self.assertRaises(NetworkError):
				parse_network(text)


class TestClientAddress(unittest.TestCase):
	"""COL-3: the headers of proxies count only where the peer is a trusted one."""

	PROXY, INNER, CLIENT, FAKE = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.9"
	TRUSTED = ("10.0.0.0/8",)

	def check(self, expected: str, headers: dict[str, str], peer: str = PROXY) -> None:
		headers = {name.lower(): value for name, value in headers.items()}
		with self.subTest(headers=headers, peer=peer):
			self.assertEqual(client_address(peer, headers, self.TRUSTED), expected)

	def test_strangers_cannot_name_another_address(self):
		for name in ("X-Forwarded-For", "X-Real-IP", "Client-IP"):
			self.check(self.CLIENT, {name: self.FAKE}, peer=self.CLIENT)
		self.assertEqual(client_address(self.PROXY, {"x-forwarded-for": self.FAKE}, ()), self.PROXY)

	def test_without_headers_it_is_the_peer(self):
		self.check(self.PROXY, {})
		self.check(self.PROXY, {"X-Forwarded-For": " "})
		self.check("2001:db8::1", {}, peer="2001:DB8:0::1")
		self.check("", {}, peer="")

	def test_forwarded_for_is_read_from_the_right(self):
		for header, expected in (
			(self.CLIENT, self.CLIENT),
			(f"{self.FAKE}, {self.CLIENT}", self.CLIENT),
			(f"{self.FAKE}, {self.CLIENT}, {self.INNER}", self.CLIENT),
			(f"{self.FAKE},{self.CLIENT},{self.INNER},{self.PROXY}", self.CLIENT),
			# All trusted: the farthest, which is where the chain began.
			(f"{self.INNER}, {self.PROXY}", self.INNER),
			("2001:db8::7", "2001:db8::7"),
			(f"{self.CLIENT}:4711", self.CLIENT),
			("[2001:db8::7]:4711", "2001:db8::7"),
			(f'"{self.CLIENT}"', self.CLIENT),
			(f"::ffff:{self.CLIENT}", self.CLIENT),
			# What stands left of the client's own hop is the client's invention, and not read.
			(f"nonsense, {self.CLIENT}", self.CLIENT),
		):
			self.check(expected, {"X-Forwarded-For": header})

	def test_other_headers_in_their_order(self):
		self.check(self.CLIENT, {"x-real-ip": self.CLIENT})
		self.check(self.CLIENT, {"client-ip": self.CLIENT})
		self.check(self.CLIENT, {"X-Real-IP": self.CLIENT, "Client-IP": self.FAKE})
		self.check(self.CLIENT, {"X-Forwarded-For": self.CLIENT, "X-Real-IP": self.FAKE})

	def test_malformed_headers_leave_the_peer(self):
		for header in (
			"unknown",
			f"{self.CLIENT}, ",
			"1.2.3.4.5",
			",",
			f"{self.CLIENT}, unknown",
			"[2001:db8::7",
		):
			expected = "2001:db8::7" if header.startswith("[") else self.PROXY
			self.check(expected, {"X-Forwarded-For": header})
		self.check(self.PROXY, {"X-Real-IP": "unknown"})
		self.check(self.PROXY, {"X-Forwarded-For": ", ".join([self.CLIENT] * 1000)})

	@given(st.text(max_size=80), ADDRESSES)
	def test_whatever_the_header_says_there_is_an_address(self, header, peer):
		for trusted in ((), ("0.0.0.0/0", "::/0")):
			answer = client_address(str(peer), {"x-forwarded-for": header}, trusted)
			ipaddress.ip_address(answer)
			if not trusted:
				self.assertEqual(answer, str(peer))
