"""User agents: devices described, programs found out, people let through (RED-4, COL-1)."""

from __future__ import annotations

import unittest

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from trackflow.tests.properties import given, st
from trackflow.tracking import agents
from trackflow.tracking.agents import Agent, bot_reason, describe

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
ANDROID = (
	"Mozilla/5.0 (Linux; Android 15; CPH2557 Build/{build}; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36{app}"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "

PEOPLE = {
	CHROME: Agent("Desktop", "Chrome", "Windows"),
	"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0": Agent("Desktop", "Firefox", "Linux"),
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15": Agent(
		"Desktop", "Safari", "Mac OS X"
	),
	IPHONE + "Version/18.1 Mobile/15E148 Safari/604.1": Agent("Mobile", "Mobile Safari", "iOS"),
	"Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1": Agent(
		"Tablet", "Mobile Safari", "iOS"
	),
	"Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16": Agent(
		"Mobile", "Opera Mini", "Android"
	),
	# Windows inside apps: most clicks on social advertisements come through them.
	ANDROID.format(build="UP1A.231005.007", app=" [FB_IAB/FB4A;FBAV/486.0.0.66.70;]"): Agent("Mobile", "Facebook", "Android"),
	IPHONE + "Mobile/22B83 Instagram 350.0.0.20.90 (iPhone15,3; iOS 18_1)": Agent("Mobile", "Instagram", "iOS"),
	IPHONE + "Mobile/15E148 Snapchat/12.90.0.46": Agent("Mobile", "Snapchat", "iOS"),
}  # fmt: skip

PROGRAMS = {
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": agents.CRAWLER,
	"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": agents.CRAWLER,
	"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)": agents.CRAWLER,
	"curl/8.5.0": agents.CRAWLER,
	"Wget/1.21": agents.CRAWLER,
	"python-requests/2.31.0": agents.CRAWLER,
	"Go-http-client/2.0": agents.CRAWLER,
	"Java/17.0.1": agents.CRAWLER,
	"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": agents.LINK_PREVIEW,
	"WhatsApp/2.23.20.0": agents.LINK_PREVIEW,
	"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": agents.LINK_PREVIEW,
	"TelegramBot (like TwitterBot)": agents.LINK_PREVIEW,
	"Twitterbot/1.0": agents.LINK_PREVIEW,
	"LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)": agents.LINK_PREVIEW,
	"Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)": agents.LINK_PREVIEW,
	"Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5": agents.LINK_PREVIEW,
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36": agents.HEADLESS,
	"Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1": agents.HEADLESS,
}  # fmt: skip


class TestDescribe(unittest.TestCase):
	"""Section 2, Click Event: device, browser and system of a visit."""

	def test_people(self):
		for user_agent, expected in PEOPLE.items():
			with self.subTest(user_agent=user_agent):
				self.assertEqual(describe(user_agent), expected)

	def test_nothing_known(self):
		for user_agent in ("", None, "   ", "something"):
			with self.subTest(user_agent=user_agent):
				self.assertEqual(describe(user_agent), Agent("Other", "Other", "Other"))

	def test_a_television_is_no_desktop(self):
		television = "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0/6.0 TV Safari/537.36"
		self.assertEqual(describe(television).device_type, "Other")

	@given(st.text(max_size=600))
	def test_any_text(self, user_agent):
		self.assertIn(describe(user_agent).device_type, ("Desktop", "Mobile", "Tablet", "Other"))


class TestBotReason(unittest.TestCase):
	"""RED-4: known user agents, empty ones, link previews, prefetch headers."""

	def test_people_pass(self):
		for user_agent in PEOPLE:
			with self.subTest(user_agent=user_agent):
				self.assertEqual(bot_reason(user_agent, {"Accept": "text/html"}), "")

	def test_programs(self):
		for user_agent, expected in PROGRAMS.items():
			with self.subTest(user_agent=user_agent):
				self.assertEqual(bot_reason(user_agent, {}), expected)

	def test_people_whom_the_list_takes_for_programs(self):
		"""The list holds an Android build and Facebook's own browser: real visitors, and the dearest ones."""
		listed = {entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA}
		for user_agent in (
			ANDROID.format(build="AP3A.240617.008", app=" Instagram 400.0"),
			ANDROID.format(build="CP1A.260305.018", app=" MetaIAB Facebook"),
			ANDROID.format(build="CP1A.260305.018", app=" Viber/21.0"),
			CHROME + " Notion/3.14.0",
		):
			with self.subTest(user_agent=user_agent):
				self.assertEqual(bot_reason(user_agent, {}), "")
		self.assertEqual(bot_reason("Viber", {}), agents.LINK_PREVIEW)
		self.assertEqual(bot_reason("Notion/1.0 (https://notion.so)", {}), agents.LINK_PREVIEW)
		for pattern in agents._PEOPLE | agents._BARE_NAME_ONLY:
			with self.subTest(pattern=pattern):
				self.assertIn(pattern, listed, "no longer on the list: the exception can go")

	def test_empty(self):
		for user_agent in ("", "  ", None):
			with self.subTest(user_agent=user_agent):
				self.assertEqual(bot_reason(user_agent, {}), agents.EMPTY)

	def test_prefetch_headers(self):
		for headers in (
			{"sec-purpose": "prefetch"},
			{"sec-purpose": "prefetch;prerender"},
			{"sec-purpose": "Prefetch;anonymous-client-ip"},
			{"purpose": "prefetch"},
			{"x-purpose": "preview"},
			{"x-moz": "prefetch"},
		):
			with self.subTest(headers=headers):
				self.assertEqual(bot_reason(CHROME, headers), agents.PREFETCH)
				self.assertEqual(bot_reason("curl/8.5.0", headers), agents.PREFETCH)
		for headers in ({"purpose": ""}, {"purpose": "navigate"}, {"x-other": "prefetch"}):
			with self.subTest(headers=headers):
				self.assertEqual(bot_reason(CHROME, headers), "")

	def test_every_example_of_the_list_is_found(self):
		"""Texts are searched instead of expressions: that must lose nothing."""
		excepted = agents._PEOPLE | agents._BARE_NAME_ONLY
		for entry in CRAWLER_USER_AGENTS_DATA:
			for instance in entry["instances"]:
				if entry["pattern"] not in excepted and instance == agents.crop(instance):
					self.assertTrue(agents.bot_reason(instance, {}), instance)

	@given(st.text(max_size=600), st.dictionaries(st.text(max_size=12), st.text(max_size=12)))
	def test_any_request(self, user_agent, headers):
		self.assertIsInstance(bot_reason(user_agent, headers), str)
