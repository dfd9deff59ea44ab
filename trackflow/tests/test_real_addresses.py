"""Addresses as people paste them, held against the URL standard's own parser: what a browser opens is what was entered,
plus the parameters (LNK-2, RED-6)."""

from __future__ import annotations

import unittest
from pathlib import Path
from urllib.parse import parse_qsl

from ada_url import URL

from trackflow.links.destination import (
	MAX_LENGTH,
	DestinationError,
	ascii_url,
	build,
	check,
	forward,
	place_for,
)

PARAMETERS = {"source": "news letter", "medium": "e-mail", "campaign": "frühling", "ref": "a&b=c"}
ADDED = [
	("utm_source", "news letter"),
	("utm_medium", "e-mail"),
	("utm_campaign", "frühling"),
	("ref", "a&b=c"),
]


def addresses() -> list[str]:
	lines = Path(__file__).with_name("data").joinpath("urls.txt").read_text("utf-8").splitlines()
	return [line for line in lines if line and not line.startswith("#")]


def pairs(query: str) -> list[tuple[str, str]]:
	return parse_qsl(query.lstrip("?"), keep_blank_values=True, max_num_fields=500)


def long_address(length: int) -> str:
	start = "https://example.com/a?q="
	return start + "x" * (length - len(start))


class TestRealAddresses(unittest.TestCase):
	def test_there_are_hundreds_and_all_may_be_targets(self):
		self.assertGreater(len(addresses()), 250)
		for address in addresses():
			with self.subTest(address):
				check(address, ["links.example"])

	def test_nothing_is_changed_where_nothing_is_added(self):
		for address in addresses():
			self.assertEqual(build(address, {}), address)
			self.assertEqual(forward(address, ""), address)

	def test_a_browser_opens_what_was_entered(self):
		"""An international host goes out as punycode, letters as UTF-8: the standard's parser sees the same address."""
		for address in addresses():
			with self.subTest(address):
				sent = ascii_url(address)
				self.assertTrue(sent.isascii())
				self.assertEqual(URL(sent).href, URL(address).href)

	def test_parameters_come_behind_the_targets_own_and_change_nothing_else(self):
		for address in addresses():
			with self.subTest(address):
				before, after = URL(address), URL(ascii_url(build(address, PARAMETERS)))
				for part in ("protocol", "host", "pathname", "hash"):
					self.assertEqual(getattr(after, part), getattr(before, part))
				self.assertTrue(
					after.search.startswith(before.search.rstrip("&")), (before.search, after.search)
				)
				own = {name for name, _value in pairs(before.search)}
				wanted = [pair for pair in ADDED if pair[0] not in own]
				self.assertEqual(pairs(after.search), pairs(before.search) + wanted)

	def test_the_click_id_comes_behind_everything_and_is_there_once(self):
		for address in addresses():
			with self.subTest(address):
				wanted = [*pairs(URL(address).search), ("tfclid", "abc.def")]
				for old in (address, "pasted".join(place_for(address, "tfclid"))):
					new = "abc.def".join(place_for(old, "tfclid"))
					self.assertEqual(pairs(URL(ascii_url(new)).search), wanted)

	def test_what_the_short_link_was_asked_with_never_wins(self):
		for address in addresses():
			with self.subTest(address):
				own = pairs(URL(address).search)
				carried = forward(address, "gclid=carried&q=carried&sid=no&cmd=no&qr=1&tfclid=no&new=%20+%2B")
				got = pairs(URL(ascii_url(carried)).search)
				self.assertEqual(got[: len(own)], own)
				names = {name for name, _value in own}
				wanted = [("gclid", "carried"), ("q", "carried"), ("new", "  +")]
				self.assertEqual(got[len(own) :], [pair for pair in wanted if pair[0] not in names])

	def test_two_thousand_and_forty_eight_characters_and_not_one_more(self):
		check(long_address(MAX_LENGTH))
		self.assertEqual(build(long_address(MAX_LENGTH), {}), long_address(MAX_LENGTH))
		with self.assertRaises(DestinationError):
			check(long_address(MAX_LENGTH + 1))
