"""What a link would be, told before it is saved (UI-1): the same as what saving it makes, and nothing is stored."""

import base64
from typing import Any
from unittest.mock import patch

import frappe

from trackflow.links import codes, preview
from trackflow.tests import factories
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import SHORT_HOST, make_campaign, make_link, set_settings
from trackflow.tests.test_bulk_links import BulkTestCase
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY

URL = "https://shop.example.com/products?color=green#new"


class PreviewTestCase(BulkTestCase):
	def preview(self, link_name: str | None = None, **values: Any) -> dict[str, Any]:
		more = {"link_name": link_name} if link_name else {}
		return self.answer("preview_link", link=values, **more)

	def errors(self, **values: Any) -> list[str]:
		return [error["field"] for error in self.preview(**values)["errors"]]

	def warnings(self, **values: Any) -> dict[str, str]:
		return {one["field"]: one["message"] for one in self.preview(**values)["warnings"]}


class TestPreview(PreviewTestCase):
	def test_it_is_what_saving_makes(self) -> None:
		"""LNK-2: the destination by the same rules, whoever's the parameters are."""
		factories.make_domain(SHORT_HOST)
		make_campaign("Spring Sale", source="newsletter", medium="email")
		for values in (
			{"target_url": URL},
			{"target_url": f" {URL} ", "campaign": "Spring Sale"},
			{"target_url": URL, "campaign": "Spring Sale", "source": "flyer", "term": "a b", "content": "ü"},
			{"target_url": URL, "campaign_id": "free", "additional_parameters": '{"ref": ["a", "b"]}'},
			{"target_url": f"{URL}&utm_source=own".replace("#new", ""), "source": "other"},
			{"target_url": URL, "domain": SHORT_HOST, "short_code": "Flyer"},
		):
			with self.subTest(values):
				found = self.preview(**values)
				self.assertEqual(found["errors"], [])
				made = self.answer("create_links", links=[{**values, "short_code": found["short_code"]}])
				[row] = made["rows"]
				link = frappe.get_doc("Tracked Link", row["name"])
				self.assertEqual(
					(found["destination_url"], found["short_url"], found["short_code"]),
					(link.destination_url, row["short_url"], link.short_code),
				)

	def test_the_picture_is_the_links_own(self) -> None:
		found = self.preview(target_url=URL, short_code="flyer")
		kind, _comma, data = found["qr_code"].partition(",")
		self.assertEqual(kind, "data:image/svg+xml;base64")
		link = make_link("flyer")
		picture = self.get(
			"/api/method/trackflow.api.links.qr_code",
			query_string={"link_name": link.name, "format": "svg", "size": 256},
			headers=self.authorization(CAMPAIGNER),
		)
		self.assertEqual(base64.b64decode(data), picture.data)

	def test_nothing_is_stored(self) -> None:
		self.preview(target_url=URL, short_code="flyer")
		self.preview(target_url=URL)
		self.assertEqual(frappe.db.count("Tracked Link"), 0)

	def test_a_code_that_is_made_is_free(self) -> None:
		"""LNK-1: a caller who sends it along gets it, unless somebody was faster."""
		made = iter(["taken1", "taken2", "free22", "free33"])
		make_link("taken1")
		make_link("taken2")
		with patch.object(codes, "make_code", lambda _length: next(made)):
			self.assertEqual(preview.preview({"target_url": URL})["short_code"], "free22")

	def test_codes(self) -> None:
		make_link("taken")
		for code, is_fine in (
			("Spring", True),
			("taken", False),
			("TAKEN", False),
			("a/b", False),
			("api", False),
		):
			with self.subTest(code):
				found = self.preview(target_url=URL, short_code=code)
				self.assertEqual([one["field"] for one in found["errors"]], [] if is_fine else ["short_code"])
				self.assertEqual(found["short_code"], "spring" if is_fine else None)
				self.assertEqual(bool(found["short_url"]), is_fine)
				self.assertEqual(bool(found["qr_code"]), is_fine)
				# The rest of the link is told all the same.
				self.assertEqual(found["destination_url"], URL)

	def test_where_codes_are_not_made(self) -> None:
		set_settings(auto_generate_short_codes=0)
		self.assertEqual(self.errors(target_url=URL), ["short_code"])
		self.assertEqual(self.errors(target_url=URL, short_code="typed"), [])

	def test_what_is_wrong(self) -> None:
		for values, field in (
			({}, "target_url"),
			({"target_url": "  "}, "target_url"),
			({"target_url": "shop.example.com"}, "target_url"),
			({"target_url": f"http://{frappe.local.site}/r/abc"}, "target_url"),
			({"target_url": ["x"]}, "target_url"),
			({"target_url": "https://x.example.com/" + "x" * 2048}, "target_url"),
			({"target_url": URL, "campaign": "Nobody's"}, "campaign"),
			({"target_url": URL, "campaign": {"name": "x"}}, "campaign"),
			({"target_url": URL, "domain": "nowhere.example.com"}, "domain"),
			({"target_url": URL, "source": "x" * 141}, "source"),
			({"target_url": URL, "additional_parameters": "[1]"}, "additional_parameters"),
			({"target_url": URL, "additional_parameters": "{"}, "additional_parameters"),
			({"target_url": URL, "additional_parameters": {"a": {"b": 1}}}, "additional_parameters"),
			({"target_url": URL, "expiry_date": "soon"}, "expiry_date"),
			({"target_url": URL, "clicks": 5}, "clicks"),
			({"target_url": "\ud800"}, ""),
		):
			with self.subTest(values):
				found = self.preview(**values)
				self.assertEqual([one["field"] for one in found["errors"]], [field])
				self.assertTrue(all(one["message"] for one in found["errors"]))

	def test_errors_leave_no_message_behind(self) -> None:
		answer = self.call("preview_link", link={"target_url": URL, "additional_parameters": "[1]"})
		self.assertNotIn("_server_messages", answer.json)

	def test_what_is_no_link(self) -> None:
		for link in ("x", "[]", [1], 5, None):
			with self.subTest(link):
				self.assertEqual(self.call("preview_link", link=link).status_code, 417)

	def test_statements_are_bounded(self) -> None:
		factories.make_domain(SHORT_HOST)
		values = {"target_url": URL, "campaign": "Spring Sale", "domain": SHORT_HOST}
		counts = []
		for number in (1, 20):
			for index in range(number):
				make_campaign("Spring Sale" if number == 1 else f"Campaign {index}", source="newsletter")
				make_link()
			frappe.db.commit()
			preview.preview(values)
			with counted_statements() as statements:
				self.assertEqual(preview.preview(values)["errors"], [])
			counts.append(len(statements))
		self.assertEqual(counts, [3, 3], statements)


class TestDoubts(PreviewTestCase):
	"""RPT-2: what the check of tags would say once people come, said before the link is printed."""

	def setUp(self) -> None:
		super().setUp()
		make_campaign("Spring Sale", source="newsletter", medium="email")

	def test_tags(self) -> None:
		for values, expected in (
			({"campaign": "Spring Sale"}, {}),
			({}, {}),
			({"source": "newsleter", "medium": "email"}, {"source": "a letter or two away"}),
			({"source": "Newsletter", "medium": "email"}, {"source": "in other letters"}),
			({"source": "newsletter"}, {"medium": "no utm_medium"}),
			({"source": "cpc", "medium": "google"}, {"source": "a medium", "medium": "a source"}),
			({"campaign": "Spring Sale", "content": "{{ad.name}}"}, {"content": "placeholder"}),
			({"campaign": "Spring Sale", "term": "ada@example.com"}, {"term": "e-mail address"}),
			(
				{"source": "newsletter", "medium": "email", "campaign_id": "sprng-sale"},
				{"campaign_id": "away"},
			),
		):
			with self.subTest(values):
				found = self.warnings(target_url=URL, **values)
				self.assertEqual(found.keys(), expected.keys())
				for field, words in expected.items():
					self.assertIn(words, found[field])

	def test_each_says_what_to_do(self) -> None:
		[doubt] = self.preview(target_url=URL, source="newsleter", medium="email")["warnings"]
		self.assertEqual(doubt["suggestion"], "Write newsletter.")

	def test_what_the_target_has(self) -> None:
		url = "https://shop.example.com/?utm_source=newsletter&utm_medium=email&fbclid=Iw123"
		found = self.preview(target_url=url, source="flyer")
		self.assertEqual(found["destination_url"], url)
		said = [one["message"] for one in found["warnings"]]
		self.assertEqual(len(said), 2)
		self.assertIn("utm_source itself", said[0])
		self.assertIn("fbclid", said[1])

	def test_no_doubts_of_what_leads_nowhere(self) -> None:
		self.assertEqual(self.warnings(target_url="shop", source="newsleter"), {})


class TestOfALinkThatIsThere(PreviewTestCase):
	def setUp(self) -> None:
		super().setUp()
		make_campaign("Spring Sale", source="newsletter", medium="email")
		self.link = make_link("flyer", target_url=URL, campaign="Spring Sale", source=None, medium=None)

	def test_what_is_not_sent_is_its_own(self) -> None:
		found = self.preview(self.link.name, content="top")
		self.assertEqual((found["errors"], found["short_code"]), ([], "flyer"))
		self.link.content = "top"
		self.link.save()
		self.assertEqual(found["destination_url"], self.link.destination_url)

	def test_its_own_code_is_free_to_itself_alone(self) -> None:
		make_link("other")
		self.assertEqual(self.preview(self.link.name, short_code="FLYER")["errors"], [])
		[error] = self.preview(self.link.name, short_code="other")["errors"]
		self.assertEqual(error["field"], "short_code")

	def test_statements(self) -> None:
		with counted_statements() as statements:
			preview.preview({"content": "x"}, self.link.name)
		self.assertLessEqual(len(statements), 6, statements)


class TestAccess(PreviewTestCase):
	"""SEC-1, ROL-P: for who may make links, or change this one."""

	def test_over_http(self) -> None:
		name = make_link("flyer").name
		for user, more, status in (
			(CAMPAIGNER, {}, 200),
			(CAMPAIGNER, {"link_name": name}, 200),
			(CAMPAIGNER, {"link_name": "unknown"}, 404),
			(NOBODY, {}, 403),
			(NOBODY, {"link_name": "unknown"}, 403),
			(None, {}, 403),
		):
			answer = self.call("preview_link", user, link={"target_url": URL}, **more)
			self.assertEqual(answer.status_code, status, answer.text)

	def test_reading_is_not_enough(self) -> None:
		make_link("flyer")
		self.assertEqual(self.call("preview_link", verb="GET", link="{}").status_code, 403)
