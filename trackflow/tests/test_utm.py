"""Judging campaign tags (RPT-2). Pure."""

from __future__ import annotations

import unittest

from trackflow.analytics import utm
from trackflow.analytics.utm import Finding, Known, Tags, Value, findings
from trackflow.tests.properties import given, st
from trackflow.tracking import sources

KNOWN = Known(sources=["Partner-Post"], media=["flyer"], campaigns=["spring-sale-2026", "23851234567"])


def judged(*tagged: tuple, known: Known = KNOWN, **more: list[Value]) -> list[tuple[str, str, str, str]]:
	rows = [Tags(*one, *(("", "", "", "", 1)[len(one) :])) for one in tagged]
	return [(one.kind, one.tag, one.value, one.suggestion) for one in findings(rows, known, **more)]


class TestWhatIsSound(unittest.TestCase):
	"""RPT-2: what is right is left alone."""

	def test_sound_tags(self) -> None:
		for one in (
			("google", "cpc", "spring-sale-2026"),
			("newsletter", "email", "spring-sale-2026"),
			("Partner-Post", "email", "spring-sale-2026", "", 3),
			("facebook", "paid_social", "23851234567", "fbclid"),
			("google", "cpc", "spring-sale-2026", "gclid"),
			("partner-site.example", "referral", "spring-sale-2026"),
			("", "", ""),
		):
			with self.subTest(one):
				self.assertEqual(judged(one), [])

	def test_every_name_of_a_site_is_known(self) -> None:
		self.assertEqual(judged(*((name, "referral", "") for name in sorted(sources.NAMES))), [])

	def test_other_words_are_no_slips(self) -> None:
		"""A country, a variant, a medium or a source that is one letter from another and means something else."""
		known = Known(campaigns=["sale-us", "sale-a", "autumn-sale-us"])
		for campaign in ("sale-uk", "sale-b", "autumn-sale-uk"):
			with self.subTest(campaign):
				found = judged(("google", "cpc", campaign), known=known)
				self.assertEqual(found, [(utm.UNKNOWN_CAMPAIGN, "campaign", campaign, "")])
		kinds = {
			one[0]
			for one in judged(("google", "remarketing", ""), ("gmail", "cpc", ""), ("mail", "email", ""))
		}
		self.assertNotIn(utm.MISSPELT, kinds)

	def test_numbers_are_no_slips(self) -> None:
		self.assertEqual(
			judged(("google", "cpc", "spring-sale-2027")),
			[(utm.UNKNOWN_CAMPAIGN, "campaign", "spring-sale-2027", "")],
		)


class TestMistakes(unittest.TestCase):
	"""RPT-2: what is wrong is told with what would be right."""

	def test_values(self) -> None:
		for tag, value, kind, suggestion in (
			("source", "Google", utm.CASE, "google"),
			("source", "googel", utm.MISSPELT, "google"),
			("source", "newsleter", utm.MISSPELT, "newsletter"),
			("source", "PARTNER-POST", utm.CASE, "Partner-Post"),
			("medium", "emial", utm.MISSPELT, "email"),
			("medium", "Email", utm.CASE, "email"),
			("campaign", "spring-slae-2026", utm.MISSPELT, "spring-sale-2026"),
			("campaign", "Spring-Sale-2026", utm.CASE, "spring-sale-2026"),
			("campaign", "{{campaign.name}}", utm.PLACEHOLDER, ""),
			("campaign", "%7Bcampaign%7D", utm.PLACEHOLDER, ""),
			("campaign", "{campaignid}", utm.PLACEHOLDER, ""),
			("campaign", "__CAMPAIGN_NAME__", utm.PLACEHOLDER, ""),
			("campaign", "[campaign name]", utm.PLACEHOLDER, ""),
			("campaign", "‹campaign>", utm.PLACEHOLDER, ""),
			("campaign", "undefined", utm.PLACEHOLDER, ""),
			("campaign", "spring%20sale", utm.ENCODING, ""),
			("campaign", "spring&amp;sale", utm.ENCODING, ""),
			("campaign", "frÃ¼hling", utm.ENCODING, ""),
			("campaign", "Spring Sale ", utm.SPACES, "spring-sale"),
			("campaign", "to-ada@example.com", utm.PERSONAL, ""),
			("campaign", "ada%40example.com", utm.PERSONAL, ""),
		):
			with self.subTest(value):
				tags = {"source": "google", "medium": "cpc", "campaign": "spring-sale-2026", tag: value}
				found = [one for one in judged(tuple(tags.values())) if one[1] == tag]
				self.assertEqual(found, [(kind, tag, value, suggestion)])

	def test_one_spelling_of_several(self) -> None:
		"""The known one is right, else the one that most came with."""
		self.assertEqual(
			judged(("partner_post", "email", "", "", 9), ("Partner-Post", "email", "", "", 1)),
			[(utm.SPELLINGS, "source", "partner_post", "Partner-Post")],
		)
		found = judged(
			("google", "cpc", "Brand_A", "", 2), ("google", "cpc", "brand_a", "", 5), ("google", "cpc", "brand-a", "", 1),
			known=Known(),
		)  # fmt: skip
		self.assertEqual(
			sorted(found),
			[(utm.CASE, "campaign", "Brand_A", "brand_a"), (utm.SPELLINGS, "campaign", "brand-a", "brand_a")],
		)

	def test_tags_that_miss_or_change_places(self) -> None:
		for tags, expected in (
			(("", "email", "spring-sale-2026"), [(utm.NO_SOURCE, "source", "", "")]),
			(("newsletter", "", "spring-sale-2026"), [(utm.NO_MEDIUM, "medium", "", "")]),
			(("cpc", "google", "spring-sale-2026"), [
				(utm.SWAPPED, "medium", "google", ""), (utm.SWAPPED, "source", "cpc", ""),
			]),
			(("partner.example", "wom", "spring-sale-2026"), [(utm.UNKNOWN_MEDIUM, "medium", "wom", "")]),
			(("partner.example", "flyer", "spring-sale-2026"), [(utm.UNKNOWN_MEDIUM, "medium", "flyer", "")]),
			(("google", "cpc", "unheard-of"), [(utm.UNKNOWN_CAMPAIGN, "campaign", "unheard-of", "")]),
			(("", "", "", "gclid"), [(utm.UNTAGGED_AD, "", "gclid", "")]),
			(("facebook", "cpc", "spring-sale-2026", "gclid"), [(utm.CONTRADICTION, "source", "facebook", "")]),
			(("newsletter", "email", "spring-sale-2026", "gclid"), [(utm.CONTRADICTION, "medium", "email", "")]),
			(("newsletter", "email", "spring-sale-2026", "fbclid"), []),
		):  # fmt: skip
			with self.subTest(tags):
				self.assertEqual(sorted(judged(tags)), expected)

	def test_where_no_campaign_is_ours_none_is_strange(self) -> None:
		self.assertEqual(judged(("google", "cpc", "anything"), known=Known()), [])

	def test_terms_and_contents(self) -> None:
		"""Words of searches are as they are, but nobody's address and no placeholder."""
		found = judged(
			terms=[Value("Big Shoes", 1), Value("{keyword}", 2)], contents=[Value("ada@example.com", 3)]
		)
		self.assertEqual(
			found,
			[
				(utm.PERSONAL, "content", "ada@example.com", ""),
				(utm.PLACEHOLDER, "term", "{keyword}", ""),
				(utm.SPACES, "term", "Big Shoes", "big-shoes"),
			],
		)

	def test_sessions_are_added(self) -> None:
		rows = [Tags("googel", "cpc", "", "", 2), Tags("googel", "email", "", "", 3, "https://a.example/")]
		(found,) = (one for one in findings(rows, Known()) if one.kind == utm.MISSPELT)
		self.assertEqual((found.sessions, found.example), (5, "https://a.example/"))


class TestForAllTags(unittest.TestCase):
	"""RPT-2: whatever visitors send."""

	texts = st.one_of(
		st.text(max_size=30),
		st.sampled_from(
			["", "google", "Google", "cpc", "email", "{{x}}", "a@b.example", "spring-sale-2026", "%7B"]
		),
	)
	rows = st.lists(
		st.builds(Tags, texts, texts, texts, st.sampled_from(["", "gclid", "fbclid"]), st.integers(0, 9)),
		max_size=12,
	)

	@given(rows)
	def test_each_value_is_told_once_by_itself(self, rows: list[Tags]) -> None:
		found = findings(rows, KNOWN)
		total = sum(one.sessions for one in rows)
		by_itself = [one for one in found if one.kind in utm.KINDS[:7]]
		self.assertEqual(len({(one.tag, one.value) for one in by_itself}), len(by_itself))
		for one in found:
			self.assertIn(one.kind, utm.KINDS)
			self.assertLessEqual(one.sessions, total)
			self.assertNotEqual(one.suggestion, one.value if one.value else None)
		self.assertEqual(
			[one.sessions for one in found], sorted((one.sessions for one in found), reverse=True)
		)

	@given(rows)
	def test_order_of_rows_does_not_matter(self, rows: list[Tags]) -> None:
		def told(some: list[Finding]) -> set[tuple]:
			return {(one.kind, one.tag, one.value, one.sessions, one.suggestion) for one in some}

		self.assertEqual(told(findings(rows, KNOWN)), told(findings(rows[::-1], KNOWN)))

	@given(st.text(max_size=40))
	def test_no_address_is_left_of_a_masked_text(self, text: str) -> None:
		for one in (text, f"{text}ada@example.com", f"ada%40example.com{text}"):
			self.assertNotIn("ada@example", utm.masked(one))
			self.assertIsNone(utm._EMAIL.search(utm.masked(one)))
