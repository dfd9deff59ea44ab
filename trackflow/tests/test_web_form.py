"""Web Forms: a submission is a conversion, of the visitor who sent it (CRM-7)."""

import json
import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime, now_datetime
from frappe.utils.password import update_password

from trackflow.integrations import visitor_reference, web_form
from trackflow.tests.base import TrackFlowTestCase, needs_crm, work
from trackflow.tests.factories import (
	make_domain,
	make_touch,
	make_visitor,
	make_web_form,
	set_settings,
)
from trackflow.tests.users import make_user, remove_user
from trackflow.tracking import script

VISITOR = "v_00000000000000aa"
OTHER = "v_00000000000000bb"
ACCEPT = "frappe.website.doctype.web_form.web_form.accept"
STAFF = "staff@example.com"


class WebFormTestCase(TrackFlowTestCase):
	def setUp(self) -> None:
		super().setUp()
		make_domain(frappe.local.site)
		make_visitor(VISITOR)
		make_touch(VISITOR, now_datetime() - timedelta(hours=1), "Email", source="news", medium="email")

	def tearDown(self) -> None:
		frappe.db.rollback()
		frappe.set_user("Administrator")
		for name in frappe.get_all("Web Form", filters={"title": ("like", "Form %")}, pluck="name"):
			frappe.delete_doc("Web Form", name, force=True)
		frappe.db.delete("ToDo", {"description": ("like", "%Call me%")})
		super().tearDown()

	def form(self, **values: Any) -> str:
		return make_web_form("ToDo", "description", **values).name

	def send(self, form: str, values: dict[str, Any] | None = None, **options: Any) -> str:
		"""Send a form as Frappe's page does; the name of the document that it made."""
		values = values or {"description": "Call me"}
		body = {"cmd": ACCEPT, "web_form": form, "data": json.dumps(values), "for_payment": "false"}
		answer = self.request("POST", "/", data=body, **options)
		self.assertEqual(answer.status_code, 200, answer.text)
		work()
		return answer.json["message"]["name"]

	def conversions(self, **filters: Any) -> list[Any]:
		return frappe.get_all("Conversion", filters=filters, fields=["*"], order_by="conversion_type")

	def logged_in(self) -> dict[str, str]:
		"""The cookie of a member of staff."""
		make_user(STAFF)
		self.addCleanup(remove_user, STAFF)
		update_password(STAFF, "Pass-word-1")
		answer = self.request("POST", "/api/method/login", data={"usr": STAFF, "pwd": "Pass-word-1"})
		cookies = answer.headers.get_all("Set-Cookie")
		return {"sid": next(re.match("sid=([^;]+)", one)[1] for one in cookies if one.startswith("sid="))}


class TestSubmission(WebFormTestCase):
	"""CRM-7: on any DocType, with CRM and without it."""

	def test_is_a_conversion_of_the_type_that_the_goal_names(self) -> None:
		name = self.send(self.form(trackflow_goal=" Call Request "), headers={"X-TrackFlow-Visitor": VISITOR})
		[conversion] = self.conversions()
		self.assertEqual(
			(
				conversion.conversion_type,
				conversion.visitor,
				conversion.source_doctype,
				conversion.source_name,
			),
			("Call Request", VISITOR, "ToDo", name),
		)
		self.assertEqual(
			conversion.conversion_date, get_datetime(frappe.db.get_value("ToDo", name, "creation"))
		)
		self.assertEqual(conversion.attribution_status, "Done")
		credit = {"conversion": conversion.name, "attribution_model": "Last Touch"}
		self.assertEqual(frappe.get_all("Attribution Link", filters=credit, pluck="channel"), ["Email"])

	def test_without_a_goal(self) -> None:
		self.send(self.form(), headers={"X-TrackFlow-Visitor": VISITOR})
		self.assertEqual(
			[(row.conversion_type, row.visitor) for row in self.conversions()], [("Form Submission", VISITOR)]
		)

	def test_in_the_ways_that_pages_send_it(self) -> None:
		"""Frappe's to the page or to the method, CRM's as JSON."""
		form, data = self.form(), json.dumps({"description": "Call me"})
		ways = ({"data": {"web_form": form, "data": data}}, {"json": {"web_form": form, "data": data}})
		for way in ways:
			answer = self.request(
				"POST", f"/api/method/{ACCEPT}", headers={"X-TrackFlow-Visitor": VISITOR}, **way
			)
			self.assertEqual(answer.status_code, 200, answer.text)
		work()
		self.assertEqual([row.visitor for row in self.conversions()], [VISITOR, VISITOR])

	def test_a_parameter_beside_the_forms_fields(self) -> None:
		body = {"web_form": self.form(), "data": json.dumps({"description": "Call me"})}
		self.request("POST", f"/api/method/{ACCEPT}", data={**body, "trackflow_visitor_id": VISITOR})
		work()
		self.assertEqual([row.visitor for row in self.conversions()], [VISITOR])

	def test_the_form_itself_gets_only_its_own_fields(self) -> None:
		name = self.send(
			self.form(), {"description": "Call me", "trackflow_visitor_id": VISITOR, "priority": "High"}
		)
		self.assertEqual(frappe.db.get_value("ToDo", name, "priority"), "Medium")
		self.assertFalse(self.conversions()[0].visitor)

	def test_once_however_often_it_is_worked_on(self) -> None:
		name = self.send(self.form(), headers={"X-TrackFlow-Visitor": VISITOR})
		before = self.conversions()
		web_form.convert("ToDo", name, "Form Submission", VISITOR)
		self.assertEqual(self.conversions(), before)

	def test_each_submission_counts(self) -> None:
		form = self.form()
		names = {self.send(form), self.send(form)}
		self.assertEqual({row.source_name for row in self.conversions()}, names)

	def test_what_is_no_submission(self) -> None:
		"""Documents made otherwise, and answers that are edited."""
		frappe.get_doc({"doctype": "ToDo", "description": "Call me"}).insert()
		cookies = self.logged_in()
		form = self.form(login_required=1, allow_edit=1, trackflow_goal="Edited")
		name = self.send(form, cookies=cookies)
		self.send(form, {"name": name, "description": "Call me tomorrow"}, cookies=cookies)
		self.assertIn("tomorrow", frappe.db.get_value("ToDo", name, "description"))
		self.assertEqual([row.source_name for row in self.conversions()], [name])

	def test_what_the_same_request_makes_besides(self) -> None:
		"""A document of another DocType is none, whatever makes it."""
		form = self.form()
		frappe.flags.in_web_form = True
		self.addCleanup(frappe.flags.pop, "in_web_form", None)
		with (
			patch.object(frappe.local, "request", object(), create=True),
			patch.object(frappe.local, "form_dict", frappe._dict(web_form=form)),
			patch("trackflow.integrations.web_form.enqueue") as enqueue,
		):
			web_form.after_insert(frappe.get_doc({"doctype": "Comment", "name": "x"}))
			enqueue.assert_not_called()
			web_form.after_insert(frappe.get_doc({"doctype": "ToDo", "name": "x"}))
			enqueue.assert_called_once()

	def test_nothing_where_tracking_is_off(self) -> None:
		set_settings(enable_tracking=0)
		self.send(self.form(), headers={"X-TrackFlow-Visitor": VISITOR})
		self.assertEqual(self.conversions(), [])

	def test_a_document_that_is_gone_again(self) -> None:
		web_form.convert("ToDo", "none-such", "Form Submission", VISITOR)
		self.assertEqual(self.conversions(), [])

	@needs_crm
	def test_a_lead_that_was_erased(self) -> None:
		"""CRM-8: a job that comes late brings nothing back."""
		lead = frappe.get_doc({"doctype": "CRM Lead", "first_name": "Ann"}).insert()
		frappe.db.set_value("CRM Lead", lead.name, visitor_reference.FIELD, visitor_reference.ERASED)
		frappe.db.commit()
		web_form.convert("CRM Lead", lead.name, "Demo Request", VISITOR)
		self.assertFalse(frappe.db.exists("Conversion", {"conversion_type": "Demo Request"}))

	def test_it_is_stored_whatever_goes_wrong_here(self) -> None:
		form = self.form()
		for broken in ("enqueue", "visitor_reference.given_with", "get_config"):
			with patch(f"trackflow.integrations.web_form.{broken}", side_effect=RuntimeError("broken")):
				self.assertTrue(frappe.db.exists("ToDo", self.send(form)), broken)
		self.assertEqual(self.conversions(), [])
		frappe.db.delete("Error Log", {"method": ("like", "TrackFlow: %")})

	def test_hostile_references(self) -> None:
		"""SEC-2, SEC-4"""
		form = self.form()
		for reference in ("v_ffffffffffffffff", "v_", "<script>", "v_00000000000000AA'--", "x" * 3000):
			self.send(form, headers={"X-TrackFlow-Visitor": reference})
		self.assertEqual([row.visitor for row in self.conversions()], [None] * 5)

	def test_an_email_address_that_a_visitor_gave(self) -> None:
		user = frappe.get_doc({"doctype": "User", "email": "ann@example.com"})
		self.assertEqual(web_form.email_of(user), "ann@example.com")
		self.assertIsNone(web_form.email_of(frappe.get_doc({"doctype": "ToDo", "description": "x"})))


class TestWhoSendsIt(WebFormTestCase):
	"""CRM-2, RED-5: by a guest's own cookie as far as privacy goes, never by that of somebody who is logged in."""

	def visitor_of(self, form: str, **options: Any) -> str | None:
		frappe.db.delete("Conversion")
		self.send(form, **options)
		return self.conversions()[0].visitor

	def test_a_guests_cookie(self) -> None:
		form, cookies = self.form(), {"trackflow_visitor": VISITOR}
		self.assertEqual(self.visitor_of(form, cookies=cookies), VISITOR)

	def test_two_of_one_browser(self) -> None:
		"""A short link's cookie, which scripts cannot read, and the script's own visitor: marketing counts."""
		make_visitor(OTHER)
		told = {"X-TrackFlow-Visitor": OTHER}
		self.assertEqual(
			self.visitor_of(self.form(), cookies={"trackflow_visitor": VISITOR}, headers=told), VISITOR
		)
		make_touch(OTHER, now_datetime() - timedelta(minutes=5), "Referral", source="blog")
		self.assertEqual(
			self.visitor_of(self.form(), cookies={"trackflow_visitor": VISITOR}, headers=told), OTHER
		)

	def test_not_against_the_visitors_will(self) -> None:
		form, cookies = self.form(), {"trackflow_visitor": VISITOR}
		self.assertIsNone(self.visitor_of(form, cookies=cookies, headers={"DNT": "1"}))
		self.assertIsNone(self.visitor_of(form, cookies={**cookies, "trackflow_consent": "denied"}))
		domain = frappe.get_doc("Domain Configuration", frappe.local.site)
		domain.update({"consent_required": 1}).save()
		self.assertIsNone(self.visitor_of(form, cookies=cookies))
		granted = {**cookies, "trackflow_consent": "granted"}
		self.assertEqual(self.visitor_of(form, cookies=granted), VISITOR)

	def test_a_guest_without_a_cookie(self) -> None:
		self.assertIsNone(self.visitor_of(self.form()))

	def test_somebody_who_is_logged_in(self) -> None:
		"""Whether the form calls them Guest or not."""
		cookies = {**self.logged_in(), "trackflow_visitor": VISITOR}
		told = {"X-TrackFlow-Visitor": VISITOR}
		for anonymous in (0, 1):
			form = self.form(anonymous=anonymous)
			self.assertIsNone(self.visitor_of(form, cookies=cookies, headers=told), anonymous)


@needs_crm
class TestLeadForm(WebFormTestCase):
	"""CRM-7: a lead's form makes a lead with its marketing, and the conversion of its goal besides."""

	def lead_form(self, **values: Any) -> str:
		return make_web_form("CRM Lead", "first_name", "email", **values).name

	def send_lead(self, form: str, **options: Any) -> str:
		return self.send(form, {"first_name": "Ann", "email": "ann@example.com"}, **options)

	def test_the_lead_knows_what_brought_it(self) -> None:
		for options in (
			{"headers": {"X-TrackFlow-Visitor": VISITOR}},
			{"cookies": {"trackflow_visitor": VISITOR}},
		):
			lead = self.send_lead(self.lead_form(), **options)
			fields = ["trackflow_visitor_id", "trackflow_source", "trackflow_medium"]
			self.assertEqual(frappe.db.get_value("CRM Lead", lead, fields), (VISITOR, "news", "email"))
			[conversion] = self.conversions(source_name=lead)
			self.assertEqual((conversion.conversion_type, conversion.visitor), ("Lead", VISITOR))

	def test_two_visitors_of_one_browser_are_one_person(self) -> None:
		"""CRM-3"""
		make_visitor(OTHER)
		make_touch(OTHER, now_datetime() - timedelta(hours=2), "Referral", source="blog", medium="referral")
		lead = self.send_lead(
			self.lead_form(), cookies={"trackflow_visitor": VISITOR}, headers={"X-TrackFlow-Visitor": OTHER}
		)
		fields = ["trackflow_source", "trackflow_touch_count"]
		self.assertEqual(frappe.db.get_value("CRM Lead", lead, fields), ("news", 2))
		self.assertEqual(
			frappe.get_all("Visitor", {"crm_lead": lead}, pluck="name", order_by="name"), [VISITOR, OTHER]
		)

	def test_its_goal(self) -> None:
		lead = self.send_lead(
			self.lead_form(trackflow_goal="Demo Request"), headers={"X-TrackFlow-Visitor": VISITOR}
		)
		self.assertEqual(
			[(row.conversion_type, row.visitor, row.crm_lead) for row in self.conversions()],
			[("Demo Request", VISITOR, lead), ("Lead", VISITOR, lead)],
		)
		self.assertEqual(frappe.db.get_value("CRM Lead", lead, "trackflow_source"), "news")

	def test_a_goal_that_is_the_leads_own_conversion(self) -> None:
		self.send_lead(self.lead_form(trackflow_goal="Lead"))
		self.assertEqual([row.conversion_type for row in self.conversions()], ["Lead"])

	def test_never_by_the_cookie_of_staff(self) -> None:
		"""CRM-2"""
		cookies = {**self.logged_in(), "trackflow_visitor": VISITOR}
		for anonymous in (0, 1):
			lead = self.send_lead(self.lead_form(anonymous=anonymous), cookies=cookies)
			self.assertFalse(frappe.db.get_value("CRM Lead", lead, "trackflow_visitor_id"))

	def test_a_deals_form(self) -> None:
		"""CRM's own forms may make deals: these know their visitor until they are won."""
		form = make_web_form("CRM Deal", "status", trackflow_goal="Quote Request").name
		deal = self.send(form, {"status": "Qualification"}, headers={"X-TrackFlow-Visitor": VISITOR})
		self.assertEqual(
			frappe.db.get_value("CRM Deal", deal, ["trackflow_visitor_id", "trackflow_source"]),
			(VISITOR, "news"),
		)
		self.assertEqual(
			[(row.conversion_type, row.visitor) for row in self.conversions()], [("Quote Request", VISITOR)]
		)
		self.assertEqual(frappe.db.count("Deal Attribution"), 0)
		doc = frappe.get_doc("CRM Deal", deal)
		doc.update({"status": "Won", "deal_value": 50}).save()
		work()
		self.assertEqual(
			[(row.conversion_type, row.visitor) for row in self.conversions()],
			[("Deal Won", VISITOR), ("Quote Request", VISITOR)],
		)


class TestSentOn(TrackFlowTestCase):
	"""TCH-1, CRM-7: the website sends visitors on from a form's address to its page, and the campaign with them."""

	def location(self, query: str, location: str, path: str = "/contact", status: int = 301) -> str:
		from werkzeug.wrappers import Request, Response

		from trackflow.tracking.own_pages import keep_parameters

		environ = {
			"REQUEST_METHOD": "GET",
			"PATH_INFO": path,
			"QUERY_STRING": query,
			"HTTP_HOST": "shop.example.com",
			"wsgi.url_scheme": "https",
		}
		response = Response(status=status, headers={"Location": location})
		frappe.set_user("Guest")
		keep_parameters(response, Request(environ))
		frappe.set_user("Administrator")
		return response.headers["Location"]

	def test_what_goes_along(self) -> None:
		query = "utm_source=news&utm_campaign=S%C3%A4le&tfclid=abc.def&gclid=x&sid=1&name=2&cmd=z"
		kept = "utm_source=news&utm_campaign=S%C3%A4le&tfclid=abc.def&gclid=x"
		self.assertEqual(self.location(query, "/contact/new"), f"/contact/new?{kept}")
		there = "https://shop.example.com/contact/new?utm_source=mine#form"
		self.assertEqual(
			self.location("utm_source=news&utm_medium=email", there),
			"https://shop.example.com/contact/new?utm_source=mine&utm_medium=email#form",
		)
		self.assertNotIn("\n", self.location("utm_source=a%0d%0aSet-Cookie:x", "/contact/new"))

	def test_what_stays_as_it_is(self) -> None:
		query = "utm_source=news"
		for location in ("https://other.example.com/", "//other.example.com/", "mailto:ann@example.com"):
			self.assertEqual(self.location(query, location), location)
		self.assertEqual(self.location("page=2", "/contact/new"), "/contact/new")
		for path in ("/login", "/app/crm", "/api/method/x", "/r/code"):
			self.assertEqual(self.location(query, "/x", path=path), "/x", path)
		self.assertEqual(self.location(query, "/x", status=201), "/x")
		set_settings(enable_tracking=0)
		self.assertEqual(self.location(query, "/x"), "/x")


class TestPagesOfForms(TrackFlowTestCase):
	"""CRM-7: guests' pages with a form get what takes the visitor along; embedded ones are no visits."""

	def setUp(self) -> None:
		super().setUp()
		make_domain(frappe.local.site)

	def scripts(self, page: str, **headers: str) -> list[str]:
		from werkzeug.wrappers import Request, Response

		from trackflow.tracking.own_pages import add_tag

		environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/contact/new", "HTTP_HOST": frappe.local.site}
		environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
		response = Response(page, mimetype="text/html")
		frappe.set_user("Guest")
		add_tag(response, Request(environ))
		frappe.set_user("Administrator")
		return re.findall(r'src="([^"?]+)', response.get_data(as_text=True))

	def test_which_pages(self) -> None:
		form, page = "<body><script>frappe.web_form_doc = {}</script></body>", "<body>Hello</body>"
		ours, website = [f"/assets/trackflow/js/{name}" for name in (script.FORMS, script.SCRIPT)]
		self.assertEqual(self.scripts(form), [ours], "also beside a tag that people put there")
		self.assertEqual(self.scripts(page), [])
		set_settings(track_own_pages=1)
		self.assertEqual(self.scripts(form), [website, ours])
		self.assertEqual(self.scripts(page), [website])
		self.assertEqual(self.scripts(form, sec_fetch_dest="iframe"), [ours])
		self.assertEqual(self.scripts(page, sec_fetch_dest="iframe"), [])
		set_settings(enable_tracking=0)
		self.assertEqual(self.scripts(form), [])
