"""Channels and sources, rule by rule of the documented grouping (TCH-1)."""

from __future__ import annotations

import unittest

from trackflow.tests.properties import given, st
from trackflow.tracking.channels import (
	CHANNELS,
	CLICK_IDS,
	classify,
	is_paid,
	platform,
	source_of_referrer,
)
from trackflow.tracking.sources import site_of_host, site_of_source


class TestClassify(unittest.TestCase):
	"""TCH-1: GA4's default channel grouping, in its order, plus AI assistants."""

	def check(self, expected, source="", medium="", campaign="", referrer="", click_ids=None):
		with self.subTest(
			source=source, medium=medium, campaign=campaign, referrer=referrer, click_ids=click_ids
		):
			self.assertEqual(classify(source, medium, campaign, referrer, click_ids), expected)

	def test_direct(self):
		self.check("Direct")
		self.check("Direct", None, None, None, None, None)
		self.check("Direct", "(direct)", "(none)")
		self.check("Direct", "(direct)", "(not set)")
		self.check("Direct", "(Direct)")
		self.check("Direct", click_ids={"gclid": ""})
		self.check("Direct", referrer="about:blank")
		# Tagged by somebody, but with nothing that a rule knows: not direct.
		self.check("Unassigned", campaign="spring")
		self.check("Unassigned", "(direct)", "something")

	def test_cross_network(self):
		self.check("Cross-network", "google", "cpc", "Brand Cross-Network 2026")
		self.check("Cross-network", "google", "organic", "cross-network")

	def test_paid_channels_need_a_paid_medium(self):
		for medium in (
			"cpc",
			"CPC",
			"cpm-x",
			"ppc",
			"retargeting",
			"paid",
			"paid_social",
			"paidsearch",
			"xcpx",
		):
			self.check("Paid Shopping", "amazon", medium)
			self.check("Paid Shopping", "google", medium, "summer-shop")
			self.check("Paid Search", "google", medium)
			self.check("Paid Search", "Bing", medium)
			self.check("Paid Search", "www.google.de", medium)
			self.check("Paid Social", "facebook", medium)
			self.check("Paid Social", "m.facebook.com", medium)
			self.check("Paid Social", "facebook_ads", medium)
			self.check("Paid Social", "LinkedIn Ads", medium)
			self.check("Paid Video", "youtube", medium)
			self.check("Paid Other", "partner.example", medium)
			self.check("Paid Other", "", medium)

	def test_display(self):
		for medium in ("display", "banner", "expandable", "interstitial", "CPM"):
			self.check("Display", "partner.example", medium)
		self.check("Display", "facebook", "display")
		# "cpm" is a paid medium too, and the site's own rule comes first.
		self.check("Paid Search", "google", "cpm")

	def test_shopping_campaigns(self):
		for campaign, is_shopping in (
			("shop", True),
			("my-shop", True),
			("eshop", True),
			("1shop", True),
			("google shopping", True),
			("xshopping", True),
			("Shop-2026", True),
			("workshop", False),
			("bishop", False),
			("barbershop", False),
			("spring", False),
		):
			self.check("Organic Shopping" if is_shopping else "Email", "newsletter", "email", campaign)
			self.check("Paid Shopping" if is_shopping else "Paid Other", "partner.example", "cpc", campaign)

	def test_organic_channels(self):
		self.check("Organic Shopping", "ebay.co.uk", "referral")
		self.check("Organic Social", "facebook", "referral")
		self.check("Organic Social", "t.co", "referral")
		self.check("Organic Social", "lnkd.in", "")
		self.check("Organic Video", "youtube.com", "referral")
		self.check("Organic Search", "duckduckgo", "referral")
		self.check("Organic Search", "unknown.example", "organic")
		for medium in ("social", "social-network", "social-media", "sm", "social network", "social media"):
			self.check("Organic Social", "unknown.example", medium)
		for medium in ("video", "my-video-ad"):
			self.check("Organic Video", "unknown.example", medium)

	def test_the_other_rules(self):
		for medium in ("referral", "app", "link"):
			self.check("Referral", "unknown.example", medium)
		for word in ("email", "e-mail", "e_mail", "e mail", "EMail"):
			self.check("Email", "newsletter", word)
			self.check("Email", word, "whatever")
		self.check("Affiliates", "partner.example", "affiliate")
		self.check("Audio", "podcast", "audio")
		self.check("SMS", "sms", "")
		self.check("SMS", "shop", "sms")
		self.check("Mobile Push Notifications", "app", "webpush")
		self.check("Mobile Push Notifications", "app", "mobile")
		self.check("Mobile Push Notifications", "app", "notifications")
		self.check("Mobile Push Notifications", "firebase", "x")
		self.check("Unassigned", "newsletter", "")
		self.check("Unassigned", "brochure", "print")
		self.check("Unassigned", "x.example", "affiliates")

	def test_assistants(self):
		self.check("AI Assistant", "chatgpt.com", "")
		self.check("AI Assistant", "chatgpt.com", "referral")
		self.check("AI Assistant", "perplexity", "referral")
		self.check("AI Assistant", "unknown.example", "ai-assistant")
		self.check("AI Assistant", referrer="https://gemini.google.com/app")
		self.check("AI Assistant", referrer="https://copilot.microsoft.com/")
		self.check("AI Assistant", referrer="https://claude.ai/chat/1")
		self.check("Paid Other", "chatgpt.com", "cpc")

	def test_the_referrer_speaks_where_the_address_is_silent(self):
		self.check("Organic Search", referrer="https://www.google.com/")
		self.check("Organic Social", referrer="https://l.facebook.com/l.php?u=x")
		self.check("Organic Video", referrer="https://m.youtube.com/watch?v=1")
		self.check("Referral", referrer="https://news.example/article")
		self.check("Referral", referrer="https://mail.google.com/")
		self.check("Paid Search", medium="cpc", referrer="https://www.bing.com/search")
		self.check("Organic Search", campaign="spring", referrer="https://www.google.com/")
		self.check("Email", "newsletter", "email", "", "https://www.google.com/")
		self.check("Organic Search", "(not set)", "organic", "", "")

	def test_click_ids_that_prove_payment(self):
		for click_id, expected in (
			("gclid", "Paid Search"),
			("gbraid", "Paid Search"),
			("wbraid", "Paid Search"),
			("msclkid", "Paid Search"),
			("ttclid", "Paid Social"),
			("twclid", "Paid Social"),
			("li_fat_id", "Paid Social"),
			("sc_click_id", "Paid Social"),
		):
			self.check(expected, click_ids={click_id: "abc"})
			self.check(expected, click_ids=((click_id.upper(), "abc"),))
			self.check(expected, referrer="https://www.google.com/", click_ids={click_id: "abc"})
		self.check("Paid Search", "google", "organic", click_ids={"gclid": "abc"})
		self.check("Display", "google", "display", click_ids={"gclid": "abc"})
		self.check("Cross-network", "", "", "cross-network", click_ids={"gclid": "abc"})
		self.check("Paid Shopping", "", "", "shopping", click_ids={"gclid": "abc"})

	def test_fbclid_proves_no_payment(self):
		fbclid = {"fbclid": "abc"}
		self.check("Organic Social", click_ids=fbclid)
		self.check("Organic Social", referrer="https://l.instagram.com/", click_ids=fbclid)
		self.check("Paid Social", "facebook", "cpc", click_ids=fbclid)
		self.check("Paid Social", "", "paid", click_ids=fbclid)
		self.check("Email", "newsletter", "email", click_ids=fbclid)
		self.check("Paid Search", click_ids={"fbclid": "abc", "gclid": "def"})

	@given(
		st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=40),
		st.dictionaries(st.sampled_from([*CLICK_IDS, "other"]), st.text(max_size=3)),
	)  # fmt: skip
	def test_every_visit_has_a_channel(self, source, medium, campaign, referrer, click_ids):
		channel = classify(source, medium, campaign, referrer, click_ids)
		self.assertIn(channel, CHANNELS)
		self.assertEqual(
			channel, classify(source.upper().lower(), medium, campaign, referrer, click_ids.items())
		)


class TestPlatform(unittest.TestCase):
	"""TCH-1: the platform follows from the click id, else from the source of a paid visit."""

	def test_click_ids(self):
		for click_id, expected in (
			("gclid", "Google Ads"),
			("gbraid", "Google Ads"),
			("wbraid", "Google Ads"),
			("fbclid", "Meta"),
			("msclkid", "Microsoft Ads"),
			("ttclid", "TikTok"),
			("twclid", "X"),
			("li_fat_id", "LinkedIn"),
			("sc_click_id", "Snapchat"),
		):
			with self.subTest(click_id=click_id):
				self.assertEqual(platform("", "", {click_id: "abc"}), expected)
				self.assertEqual(platform("bing", "cpc", {click_id: "abc"}), expected)

	def test_order_of_belief(self):
		self.assertEqual(platform("", "", {"fbclid": "a", "gclid": "b"}), "Google Ads")

	def test_paid_sources(self):
		for source, expected in (
			("google", "Google Ads"),
			("youtube.com", "Google Ads"),
			("Facebook_Ads", "Meta"),
			("ig", "Meta"),
			("bing", "Microsoft Ads"),
			("linkedin", "LinkedIn"),
			("twitter", "X"),
			("pinterest.de", "Pinterest"),
			("amazon.co.uk", "Amazon Ads"),
			("duckduckgo", ""),
			("partner.example", ""),
			("", ""),
		):
			for medium in ("cpc", "paid_social", "display"):
				with self.subTest(source=source, medium=medium):
					self.assertEqual(platform(source, medium, {}), expected)
			with self.subTest(source=source, medium="unpaid"):
				self.assertEqual(platform(source, "referral", None), "")

	def test_a_paid_medium_with_the_referrer_as_source(self):
		self.assertEqual(platform("", "cpc", {}, "https://www.google.com/"), "Google Ads")

	def test_is_paid(self):
		for medium, expected in (
			("cpc", True),
			("Banner", True),
			("paid", True),
			("email", False),
			(None, False),
		):
			with self.subTest(medium=medium):
				self.assertEqual(is_paid(medium), expected)


class TestSourceOfReferrer(unittest.TestCase):
	"""TCH-1: an outside referrer gives one source for every host of a site."""

	def test_table(self):
		for referrer, expected in (
			("https://www.google.com/", ("google", "organic")),
			("https://google.co.uk/search?q=x", ("google", "organic")),
			("https://www.google.com.br/", ("google", "organic")),
			("https://news.google.com/", ("google", "organic")),
			("https://cn.bing.com/", ("bing", "organic")),
			("https://r.search.yahoo.com/", ("yahoo", "organic")),
			("https://yandex.com.tr/", ("yandex", "organic")),
			("https://search.brave.com/", ("brave", "organic")),
			("android-app://com.google.android.googlequicksearchbox/", ("google", "organic")),
			("https://mail.google.com/", ("mail.google.com", "referral")),
			("https://docs.google.com/", ("docs.google.com", "referral")),
			("https://mail.yahoo.com/", ("mail.yahoo.com", "referral")),
			("https://sellercentral.amazon.com/", ("sellercentral.amazon.com", "referral")),
			("https://www.amazon.com.au/", ("amazon.com", "referral")),
			("https://l.facebook.com/l.php", ("facebook.com", "referral")),
			("http://m.facebook.com", ("facebook.com", "referral")),
			("https://t.co/abc", ("x.com", "referral")),
			("https://de.pinterest.com/", ("pinterest.com", "referral")),
			("android-app://com.linkedin.android/", ("linkedin.com", "referral")),
			("android-app://org.some.app/", ("org.some.app", "referral")),
			("https://chatgpt.com/", ("chatgpt.com", "ai-assistant")),
			("https://chat.openai.com/", ("chatgpt.com", "ai-assistant")),
			("https://gemini.google.com/app", ("gemini.google.com", "ai-assistant")),
			("https://www.News.Example:8080/path", ("news.example", "referral")),
			("https://news.example./", ("news.example", "referral")),
			# Nobody's brand, whatever it is called.
			("https://google.evil.example/", ("google.evil.example", "referral")),
			("https://notgoogle.com/", ("notgoogle.com", "referral")),
			("https://google.com.evil.example/", ("google.com.evil.example", "referral")),
			("", ("", "")),
			(None, ("", "")),
			("about:blank", ("", "")),
			("javascript:alert(1)", ("", "")),
			("/path", ("", "")),
			("https://[bad/", ("", "")),
		):
			with self.subTest(referrer=referrer):
				self.assertEqual(source_of_referrer(referrer), expected)

	def test_the_own_site_is_no_referrer(self):
		own = ["shop.example", "WWW.Blog.Example:8000", "https://url.example/"]
		for referrer in (
			"https://shop.example/a",
			"https://www.shop.example/",
			"https://checkout.shop.example/",
			"https://SHOP.example:8443/",
			"https://blog.example/",
			"https://www.blog.example/",
			"https://url.example/x",
		):
			with self.subTest(referrer=referrer):
				self.assertEqual(source_of_referrer(referrer, own), ("", ""))
		for referrer in ("https://myshop.example/", "https://example/", "https://shop.example.evil.example/"):
			with self.subTest(referrer=referrer):
				self.assertEqual(source_of_referrer(referrer, own)[1], "referral")

	@given(
		st.text(max_size=60) | st.text("htps:/.@[]w%goleco", max_size=40).map(lambda tail: "https://" + tail)
	)
	def test_any_text(self, referrer):
		source, medium = source_of_referrer(referrer, ["shop.example"])
		self.assertEqual(bool(source), bool(medium))
		self.assertIn(medium, ("", "organic", "referral", "ai-assistant"))


class TestSources(unittest.TestCase):
	"""TCH-1: the table of known sites is in order."""

	def test_a_sites_domain_leads_back_to_it(self):
		for name in ("google", "facebook", "x", "youtube", "amazon", "chatgpt", "hackernews", "naver-blog"):
			with self.subTest(name=name):
				site = site_of_source(name)
				self.assertIs(site_of_host(site.domain), site)

	def test_subdomains_of_another_kind(self):
		for host, category in (
			("naver.com", "search"),
			("blog.naver.com", "social"),
			("shopping.naver.com", "shopping"),
			("www.google.com", "search"),
			("groups.google.com", "social"),
			("shopping.google.com", "shopping"),
			("gemini.google.com", "assistant"),
		):
			with self.subTest(host=host):
				self.assertEqual(site_of_host(host).category, category)

	def test_names_that_are_nobodys(self):
		for name in ("", "ads", "newsletter", "googles", "com", ".", "..", "a.b"):
			with self.subTest(name=name):
				self.assertIsNone(site_of_source(name))
