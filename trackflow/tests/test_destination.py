"""Destinations: what is added to a target address, what is carried over, and what may be a target (LNK-2, RED-3)."""

from __future__ import annotations

import unittest
from decimal import Decimal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from trackflow.links.destination import (
	MAX_LENGTH,
	NEVER_FORWARDED,
	DestinationError,
	ascii_url,
	build,
	check,
	forward,
	kept,
	place_for,
)
from trackflow.tests.properties import given, st

KEYS = st.text("abcdefXYZ_-.[]", min_size=1, max_size=6)
VALUES = st.text(max_size=12).filter(lambda text: not any(0xD800 <= ord(char) <= 0xDFFF for char in text))
RAW_PIECES = st.text("abcXYZ019=%+._~-:/?@!$'()*,;äß漢", max_size=10)
TARGETS = st.builds(
	lambda path, pieces, fragment: (
		"https://shop.example/"
		+ path
		+ ("?" + "&".join(pieces) if pieces is not None else "")
		+ ("#" + fragment if fragment is not None else "")
	),
	st.text("abc/%+-é", max_size=8),
	st.none() | st.lists(RAW_PIECES, max_size=5),
	st.none() | st.text("abc/?&=%#", max_size=8),
)


def parameters_of(url: str) -> list[tuple[str, str]]:
	return parse_qsl(url.partition("#")[0].partition("?")[2], keep_blank_values=True)


class TestBuild(unittest.TestCase):
	"""LNK-2: parameters are added, and nothing of the target is changed."""

	def test_table(self):
		utm = {"source": "news", "medium": "email"}
		for target, parameters, expected in (
			("https://a.example", utm, "https://a.example?utm_source=news&utm_medium=email"),
			("https://a.example/", utm, "https://a.example/?utm_source=news&utm_medium=email"),
			("https://a.example/p?", utm, "https://a.example/p?utm_source=news&utm_medium=email"),
			("https://a.example/p?a=1&", utm, "https://a.example/p?a=1&utm_source=news&utm_medium=email"),
			(
				"https://a.example/p?a=1#top",
				utm,
				"https://a.example/p?a=1&utm_source=news&utm_medium=email#top",
			),
			("https://a.example/#/route?x=1", {"source": "n"}, "https://a.example/?utm_source=n#/route?x=1"),
			("https://a.example/?a=1&a=2&b=&c", {"term": "t"}, "https://a.example/?a=1&a=2&b=&c&utm_term=t"),
			(
				"https://a.example/?q=%C3%A4+%e4&z=ä",
				{"term": "t"},
				"https://a.example/?q=%C3%A4+%e4&z=ä&utm_term=t",
			),
			("https://a.example/?utm_source=own", utm, "https://a.example/?utm_source=own&utm_medium=email"),
			("https://a.example/?utm_source=", utm, "https://a.example/?utm_source=&utm_medium=email"),
			("https://a.example/?utm_source", utm, "https://a.example/?utm_source&utm_medium=email"),
			(
				"https://a.example/?utm%5Fsource=own",
				utm,
				"https://a.example/?utm%5Fsource=own&utm_medium=email",
			),
			(
				"https://a.example/#utm_source=x",
				{"source": "n"},
				"https://a.example/?utm_source=n#utm_source=x",
			),
			(
				"https://bücher.example/ä",
				{"campaign": "a b&c"},
				"https://bücher.example/ä?utm_campaign=a%20b%26c",
			),
			("https://a.example/", {}, "https://a.example/"),
			("https://a.example/?", {}, "https://a.example/?"),
		):
			with self.subTest(target=target):
				self.assertEqual(build(target, parameters), expected)

	def test_short_names_become_utm_names_and_others_stay(self):
		self.assertEqual(
			build(
				"https://a.example/",
				{"source": "s", "medium": "m", "campaign": "c", "content": "n", "term": "t", "ref": "r"},
			),
			"https://a.example/?utm_source=s&utm_medium=m&utm_campaign=c&utm_content=n&utm_term=t&ref=r",
		)

	def test_blank_fields_are_left_out_but_blank_parameters_are_meant(self):
		self.assertEqual(
			build("https://a.example/", {"source": "", "medium": None, "flag": "", "gone": None, " ": "x"}),
			"https://a.example/?flag=",
		)

	def test_values_of_every_scalar_type(self):
		self.assertEqual(
			build("https://a.example/", {"a": 1, "b": True, "c": False, "d": Decimal("1.50"), "e": 0}),
			"https://a.example/?a=1&b=true&c=false&d=1.50&e=0",
		)
		with self.assertRaises(DestinationError):
			build("https://a.example/", {"a": {"b": 1}})

	def test_repeated_parameters_are_added_in_order(self):
		self.assertEqual(
			build("https://a.example/", [("tag", "a"), ("tag", "b"), ("x", "")]),
			"https://a.example/?tag=a&tag=b&x=",
		)
		self.assertEqual(build("https://a.example/", {"tag": ["a", "b"]}), "https://a.example/?tag=a&tag=b")

	def test_the_field_wins_over_the_same_additional_parameter(self):
		self.assertEqual(
			build("https://a.example/", [("source", "field"), ("utm_source", "extra")]),
			"https://a.example/?utm_source=field",
		)

	@given(TARGETS, st.lists(st.tuples(KEYS, VALUES), max_size=5))
	def test_nothing_of_the_target_is_changed(self, target, parameters):
		built = build(target, parameters)
		front, hash_sign, fragment = target.partition("#")
		self.assertTrue(built.startswith(front))
		self.assertTrue(built.endswith(hash_sign + fragment))
		before = parameters_of(target)
		self.assertEqual(parameters_of(built)[: len(before)], before)

	@given(TARGETS, st.lists(st.tuples(KEYS, VALUES), max_size=5))
	def test_what_is_added_can_be_read_back(self, target, parameters):
		present = {name for name, _value in parameters_of(target)}
		# A piece without "=" or with an empty name is a name for us and nothing for parse_qsl.
		present |= {
			unquote(piece.partition("=")[0])
			for piece in target.partition("#")[0].partition("?")[2].split("&")
		}
		before = len(parameters_of(target))
		self.assertEqual(
			parameters_of(build(target, parameters))[before:],
			[(name, value) for name, value in parameters if name not in present],
		)

	@given(TARGETS, st.dictionaries(KEYS | st.sampled_from(["source", "term"]), VALUES, max_size=5))
	def test_building_twice_is_building_once(self, target, parameters):
		once = build(target, parameters)
		self.assertEqual(build(once, parameters), once)


class TestKept(unittest.TestCase):
	"""UI-1: what people typed and will not find in the address."""

	def test_table(self):
		for target, parameters, expected in (
			("https://a.example/", {"source": "x"}, []),
			("https://a.example/?utm_source=y", {"source": "x", "medium": "z"}, ["utm_source"]),
			("https://a.example/?utm%5Fsource", {"source": "x"}, ["utm_source"]),
			("https://a.example/?utm_source=y", {"source": ""}, []),
			("https://a.example/?ref=1#utm_source=y", {"source": "x", "ref": ["a", "b"]}, ["ref"]),
		):
			self.assertEqual(kept(target, parameters), expected)


class TestForward(unittest.TestCase):
	"""RED-3: with forward_query the short link's own parameters are carried over, the target's win."""

	def test_table(self):
		for destination, query, expected in (
			("https://a.example/?x=1", "y=2", "https://a.example/?x=1&y=2"),
			("https://a.example/?x=1", "?x=9&y=2", "https://a.example/?x=1&y=2"),
			("https://a.example/#top", "y=2&y=3&z=", "https://a.example/?y=2&y=3&z=#top"),
			("https://a.example/", "qr=1&sid=s&cmd=c&tfclid=t&ok=1", "https://a.example/?ok=1"),
			("https://a.example/", "s%69d=s&ok=1", "https://a.example/?ok=1"),
			("https://a.example/", "qr=1", "https://a.example/"),
			("https://a.example/", "", "https://a.example/"),
			("https://a.example/", "q=%C3%A4+b%20c&&", "https://a.example/?q=%C3%A4+b%20c"),
			(
				"https://a.example/",
				"q=a\r\nSet-Cookie: x#f",
				"https://a.example/?q=a%0D%0ASet-Cookie:%20x%23f",
			),
		):
			with self.subTest(destination=destination, query=query):
				self.assertEqual(forward(destination, query), expected)

	@given(TARGETS, st.text(max_size=30))
	def test_no_query_can_break_out(self, destination, query):
		result = forward(destination, query)
		head, hash_sign, fragment = destination.partition("#")
		self.assertTrue(result.startswith(head))
		self.assertTrue(result.endswith(hash_sign + fragment))
		added = result[len(head) : len(result) - len(hash_sign + fragment)]
		self.assertRegex(added, r"\A[!-~]*\Z")
		names = {name for name, _value in parse_qsl(added.lstrip("?&"), keep_blank_values=True)}
		self.assertTrue(names.isdisjoint(NEVER_FORWARDED))


class TestSetParameter(unittest.TestCase):
	"""RED-6: a click id in a pasted address never survives beside the new one."""

	def test_table(self):
		for url, expected in (
			("https://a.example/", "https://a.example/?tfclid=new"),
			("https://a.example/?tfclid=old", "https://a.example/?tfclid=new"),
			("https://a.example/?a=1&tfclid=old&b=2#f", "https://a.example/?a=1&b=2&tfclid=new#f"),
			("https://a.example/?a=%20&&b", "https://a.example/?a=%20&&b&tfclid=new"),
		):
			with self.subTest(url=url):
				self.assertEqual("new".join(place_for(url, "tfclid")), expected)


class TestAsciiUrl(unittest.TestCase):
	"""LNK-2: international addresses are kept as entered and still fit into a header."""

	def test_table(self):
		for url, expected in (
			("https://a.example/%e4?x=%20#{}|", "https://a.example/%e4?x=%20#{}|"),
			(
				"https://bücher.example:8080/ä?ö=%C3%BC#ß",
				"https://xn--bcher-kva.example:8080/%C3%A4?%C3%B6=%C3%BC#%C3%9F",
			),
			("https://straße.example", "https://xn--strae-oqa.example"),
			("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
			# What an app's address says is the app's to know: no host is looked for in it.
			("shop://é:x/[ä", "shop://%C3%A9:x/[%C3%A4"),
			("shop://[x", "shop://[x"),
		):
			with self.subTest(url=url):
				self.assertEqual(ascii_url(url), expected)

	@given(TARGETS)
	def test_is_ascii_and_changes_no_ascii_character(self, url):
		result = ascii_url(url)
		self.assertTrue(result.isascii())
		self.assertEqual(result, quote(url, safe="".join(map(chr, range(0x21, 0x7F)))))


class TestCheck(unittest.TestCase):
	"""LNK-2: what may be a target."""

	def test_accepted(self):
		for url in (
			"https://a.example",
			"HTTP://A.example/",
			"https://a.example:8443/p?q=1#f",
			"https://bücher.example/ä?q=ö",
			"https://例え。テスト/",
			"https://a.example/%20%2F?mail=a@b.example",
			"https://a.example/@user",
			"https://[2001:db8::1]/",
			"https://my_host.example/",
			"https://a.example/?path=C:\\x",
			"https://a.example/" + "x" * (MAX_LENGTH - len("https://a.example/")),
		):
			with self.subTest(url=url):
				check(url, own_hosts=["go.example"])

	def test_refused(self):
		for url in (
			"",
			"a.example/p",
			"//a.example/p",
			"/p",
			"ftp://a.example/",
			"javascript:alert(1)",
			"javascript://a.example/%0aalert(1)",
			"data:text/html,x",
			"mailto:a@b.example",
			"https:a.example",
			"https:/a.example",
			"https://",
			"https:///a.example",
			"https://?x=1",
			"https://#x",
			"https://:80/",
			"https://user@a.example/",
			"https://user:secret@a.example/",
			"https://@a.example/",
			"https://a.example\\@b.example/",
			"https:\\\\a.example/",
			"https://a.example/a b",
			" https://a.example/",
			"https://a.example/\n",
			"https://a.example/\r\nX: y",
			"https://a.example/\t",
			"https://a.example/\x00",
			"https://a.example/\x7f",
			"https://a.example/\x85",
			"https://a.example/\u2028",
			"https://a.example/\u00a0",
			"https://a.example/\ud800",
			"https://a.example:99999/",
			"https://a.example:port/",
			"https://[::1/",
			"https://a..example/",
			"https://.example/",
			"https://a%2eexample/",
			"https://<b>.example/",
			"https://a.example/" + "x" * (MAX_LENGTH + 1 - len("https://a.example/")),
		):
			with self.subTest(url=url), self.assertRaises(DestinationError):
				check(url)

	def test_short_links_of_this_site_are_refused(self):
		own = ["go.example", "bücher.example", "127.0.0.1", "port.example:8000", "https://url.example/"]
		for url in (
			"https://go.example/r/abc",
			"http://GO.Example/r/abc?x=1#f",
			"https://go.example:443/r/abc",
			"http://go.example:80/r/abc",
			"http://go.example:8000/r/abc",
			"https://go.example./r/abc",
			"https://go。example/r/abc",
			"https://ｇｏ.example/r/abc",
			"https://g\u00ado.example/r/abc",
			"https://go.example/r//abc",
			"https://go.example//r/abc",
			"https://go.example/r%2Fabc",
			"https://go.example/%2Fr/abc",
			"https://go.example/%72/abc",
			"https://go.example/%2572/abc",
			"https://go.example/x/../r/abc",
			"https://go.example/x/%2e%2e/r/abc",
			"https://go.example/./r/abc",
			"https://go.example/R/abc",
			"https://go.example/r/",
			"https://BÜCHER.example/r/abc",
			"https://xn--bcher-kva.example/r/abc",
			"https://XN--BCHER-KVA.example/r/abc",
			"http://127.0.0.1/r/abc",
			"http://2130706433/r/abc",
			"http://0x7f.1/r/abc",
			"http://0177.0.0.1/r/abc",
			"http://port.example:8000/r/abc",
			"https://url.example/r/abc",
			"https://go.example/api/method/trackflow.www.redirect.handle_redirect?tracking_id=abc",
			"https://go.example/?cmd=trackflow.www.redirect.handle%5Fredirect&tracking_id=abc",
		):
			with self.subTest(url=url), self.assertRaisesRegex(DestinationError, "short link"):
				check(url, own_hosts=own)

	def test_all_names_of_this_machine_are_one(self):
		"""A site that answers as localhost answers under each of them."""
		for own in ("localhost", "127.0.0.1:8000", "http://localhost:8000", "[::1]", "0.0.0.0"):
			port = ":8000" if "8000" in own else ""
			for host in (
				"localhost",
				"LocalHost.",
				"127.1",
				"127.0.0.2",
				"0",
				"0.0.0.0",
				"[::1]",
				"[::]",
				"[::ffff:127.0.0.1]",
			):
				with self.subTest(own=own, host=host), self.assertRaisesRegex(DestinationError, "short link"):
					check(f"http://{host}{port}/r/abc", own_hosts=[own])
			check(f"http://10.0.0.1{port}/r/abc", own_hosts=[own])
			check("http://localhost:9000/other", own_hosts=[own])
		for host in ("localhost", "127.0.0.1", "[::1]"):
			check(f"http://{host}/r/abc", own_hosts=["go.example", "10.0.0.1"])

	def test_other_addresses_are_no_short_links(self):
		own = ["go.example", "port.example:8000", "::not a host::"]
		for url in (
			"https://go.example/",
			"https://go.example/rabbits/abc",
			"https://go.example/shop/r/abc",
			"https://go.example/?to=/r/abc",
			"https://go.example/#/r/abc",
			"https://www.go.example/r/abc",
			"https://other.example/r/abc",
			"https://port.example/r/abc",
			"https://port.example:9000/r/abc",
		):
			with self.subTest(url=url):
				check(url, own_hosts=own)

	def test_the_prefix_can_be_another(self):
		check("https://go.example/r/abc", ["go.example"], prefix="/go/")
		with self.assertRaises(DestinationError):
			check("https://go.example/go/abc", ["go.example"], prefix="/go/")

	def test_both_readings_of_sharp_s_are_the_same_host(self):
		for url in (
			"https://straße.example/r/a",
			"https://xn--strae-oqa.example/r/a",
			"https://STRASSE.example/r/a",
		):
			with self.subTest(url=url), self.assertRaises(DestinationError):
				check(url, ["straße.example"])

	@given(
		st.text(max_size=60)
		| st.text("htps:/.@[]%\\?#r0x7f1", max_size=40).map(lambda tail: "https://" + tail)
	)
	def test_any_text_is_accepted_or_refused_in_words(self, text):
		try:
			check(text, own_hosts=["go.example", "127.0.0.1"])
		except DestinationError as error:
			self.assertTrue(str(error))
		else:
			parts = urlsplit(text)
			self.assertIn(parts.scheme, ("http", "https"))
			self.assertTrue(parts.hostname)
			self.assertIsNone(parts.username)
			self.assertTrue(ascii_url(build(text, {"source": "x"})).isascii())
