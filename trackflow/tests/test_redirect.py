"""Short links over HTTP, through the whole application (RED-1, RED-3, RED-5, RED-6, RED-7, RED-9)."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import frappe
import redis
from frappe.utils import add_days, add_to_date, now_datetime
from redis.client import Pipeline

from trackflow import changes
from trackflow.config import get_config, read_config
from trackflow.exceptions import StreamUnavailable
from trackflow.frappe_thread import entered
from trackflow.incoming import CONSENT_COOKIE, VISITOR_COOKIE
from trackflow.keys import click_secret
from trackflow.policy import Config
from trackflow.redirect import known, links
from trackflow.redirect.decision import Link
from trackflow.stream.drain import drain
from trackflow.tests.base import GOOGLEBOT, TrackFlowTestCase, counted_statements
from trackflow.tests.factories import SHOP, make_campaign, make_domain, make_link, set_settings
from trackflow.tracking import identity

GRANTED = {CONSENT_COOKIE: "granted"}


def clicks(**filters: object) -> list[dict]:
	drain()
	return frappe.get_all("Click Event", filters=filters, fields=["*"], order_by="click_timestamp, name")


class TestAnswer(TrackFlowTestCase):
	"""RED-1: what a visitor gets."""

	def test_it_redirects_with_the_parameters_of_the_link(self) -> None:
		make_campaign("Spring Sale")
		make_link(
			"spring", campaign="Spring Sale", content="top", target_url="https://shop.example.com/a?x=1#b"
		)
		answer = self.get("/r/spring")
		self.assertEqual(answer.status_code, 302)
		self.assertEqual(
			answer.headers["Location"],
			"https://shop.example.com/a?x=1&utm_source=newsletter&utm_medium=email&utm_campaign=spring-sale"
			"&utm_content=top#b",
		)
		self.assertEqual(answer.headers["Cache-Control"], "private, no-store")
		self.assertEqual(answer.headers["X-Robots-Tag"], "noindex")
		self.assertIn("Referrer-Policy", answer.headers)

	def test_it_ignores_case_blanks_and_a_slash_at_the_end(self) -> None:
		make_link("spring")
		for path in ("/r/SPRING", "/R/spring", "/r/spring/", "/r/%20Spring"):
			self.assertEqual(self.get(path).status_code, 302, path)

	def test_the_links_own_status(self) -> None:
		make_link("moved", redirect_status="308")
		self.assertEqual(self.get("/r/moved").status_code, 308)

	def test_head_answers_the_same_and_is_not_counted(self) -> None:
		make_link("spring")
		answer = self.request("HEAD", "/r/spring")
		self.assertEqual((answer.status_code, answer.headers["Cache-Control"]), (302, "private, no-store"))
		self.assertEqual(clicks(), [])

	def test_other_methods_are_refused(self) -> None:
		make_link("spring")
		for method in ("POST", "PUT", "DELETE"):
			self.assertEqual(self.request(method, "/r/spring").status_code, 405, method)
		self.assertEqual(clicks(), [])

	def test_the_domains_headers_come_with_it(self) -> None:
		make_domain("go.example.com", headers=[{"header_name": "X-Campaigns-By", "header_value": "us"}])
		make_link("spring")
		self.assertEqual(self.get("/r/spring", host="go.example.com").headers["X-Campaigns-By"], "us")

	def test_a_domains_header_cannot_begin_another_one(self) -> None:
		"""SEC-3: whatever came into the row past its controller."""
		make_domain("go.example.com")
		header = {"parenttype": "Domain Configuration", "parentfield": "headers", "parent": "go.example.com"}
		values = {"header_name": "X-Campaigns-By", "header_value": "us\r\nSet-Cookie: sid=stolen"}
		frappe.get_doc({"doctype": "Domain Header Configuration", **header, **values}).db_insert()
		make_link("spring")
		answer = self.get("/r/spring", host="go.example.com")
		self.assertEqual((answer.status_code, "Set-Cookie" in answer.headers), (503, False))

	def test_the_name_that_integrations_know(self) -> None:
		make_link("spring")
		path = "/api/method/trackflow.www.redirect.handle_redirect"
		answer = self.get(f"{path}?tracking_id=spring")
		self.assertEqual(answer.status_code, 302)
		self.assertEqual(self.get(path).status_code, 404)
		self.assertEqual(len(clicks(counted=1)), 1)


class TestWaysToEnd(TrackFlowTestCase):
	"""RED-3: links that lead nowhere, and what is recorded of them."""

	def page(self, path: str, status: int, **options: object) -> str:
		answer = self.get(path, **options)
		self.assertEqual(answer.status_code, status)
		self.assertNotIn("Location", answer.headers)
		self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
		text = answer.get_data(as_text=True)
		self.assertNotIn("Traceback", text)
		return text

	def test_unknown_codes(self) -> None:
		for path in ("/r/nothing", "/r/", "/r", "/r/a/b", "/r/" + "x" * 300, "/r/%00", "/r/<script>", "/r/é"):
			self.page(path, 404)
		self.assertEqual(clicks(), [])

	def test_the_domains_page_for_unknown_codes(self) -> None:
		make_domain("go.example.com", not_found_url="https://www.example.com/sorry")
		answer = self.get("/r/nothing", host="go.example.com")
		self.assertEqual(
			(answer.status_code, answer.headers["Location"]), (302, "https://www.example.com/sorry")
		)

	def test_not_started_is_unknown(self) -> None:
		make_link("later", starts_on=add_days(now_datetime(), 1))
		self.page("/r/later", 404)

	def test_paused_and_archived(self) -> None:
		for status in ("Paused", "Archived"):
			make_link(status, status=status)
			self.page(f"/r/{status}", 404)
		self.assertEqual({row.event_type for row in clicks()}, {"Blocked"})

	def test_expired(self) -> None:
		past = add_days(now_datetime(), -1)
		make_link("over", expiry_date=past)
		make_link("moved", expiry_date=past, expired_url="https://shop.example.com/next")
		self.page("/r/over", 410)
		answer = self.get("/r/moved")
		self.assertEqual(
			(answer.status_code, answer.headers["Location"]), (302, "https://shop.example.com/next")
		)
		self.assertEqual([(row.event_type, row.counted) for row in clicks()], [("Expired", 0)] * 2)

	def test_a_domains_headers_cannot_weaken_the_page(self) -> None:
		make_domain("go.example.com")
		header = {"parenttype": "Domain Configuration", "parentfield": "headers", "parent": "go.example.com"}
		values = {"header_name": "Content-Security-Policy", "header_value": "default-src *"}
		frappe.get_doc({"doctype": "Domain Header Configuration", **header, **values}).db_insert()
		self.page("/r/nothing", 404, host="go.example.com")

	def test_what_is_broken_of_ours_is_not_shown(self) -> None:
		make_link("spring")
		with patch("trackflow.redirect.links.find_with_config", side_effect=RuntimeError("secret")):
			for path in (
				"/r/spring",
				"/api/method/trackflow.www.redirect.handle_redirect?tracking_id=spring",
			):
				text = self.page(path, 503)
				self.assertNotIn("secret", text)

	def test_a_domains_style_cannot_leave_its_element(self) -> None:
		style = "h1 { color: red } </style><script>alert(1)</script>"
		with self.assertRaises(frappe.ValidationError):
			make_domain("go.example.com", custom_css=style)
		make_domain("go.example.com")
		frappe.db.set_value("Domain Configuration", "go.example.com", "custom_css", style)
		text = self.page("/r/nothing", 404, host="go.example.com")
		self.assertIn("color: red", text)
		self.assertEqual(text.count("</style>"), 1)

	def test_saving_a_link_is_seen_at_once(self) -> None:
		link = make_link("spring")
		self.assertEqual(self.get("/r/spring").status_code, 302)
		link.status = "Paused"
		link.save()
		self.assertEqual(self.get("/r/spring").status_code, 404)
		link.delete()
		self.assertEqual(self.get("/r/spring").status_code, 404)


class TestOvertakenReaders(TrackFlowTestCase):
	"""RED-7: a change holds at once, however a reader of the old row comes in between."""

	def test_a_link_that_is_changed_while_it_is_read(self) -> None:
		link = make_link("spring")
		frappe.db.commit()
		read = links._read

		def overtaken(code: str) -> Link | None:
			old = read(code)
			link.status = "Paused"
			link.save()
			frappe.db.commit()
			return old

		with patch.object(links, "_read", overtaken):
			self.assertEqual(links.find("spring").status, "Active")
		self.assertEqual(links.find("spring").status, "Paused")
		self.assertEqual(self.get("/r/spring").status_code, 404)
		with counted_statements() as statements:
			self.assertEqual(self.get("/r/spring").status_code, 404)
		self.assertEqual(_without_ends(statements), [])

	def test_a_code_that_is_taken_while_it_is_looked_for(self) -> None:
		read = links._read

		def overtaken(code: str) -> Link | None:
			missing = read(code)
			make_link("spring")
			frappe.db.commit()
			return missing

		with patch.object(links, "_read", overtaken):
			self.assertIsNone(links.find("spring"))
		self.assertEqual(self.get("/r/spring").status_code, 302)

	def test_a_reader_whose_transaction_is_older_than_the_change(self) -> None:
		link = make_link("spring")
		frappe.db.commit()
		self.assertEqual(frappe.db.get_value("Tracked Link", link.name, "status"), "Active")

		def pause() -> None:
			with entered(site):
				frappe.set_user("Administrator")
				doc = frappe.get_doc("Tracked Link", link.name)
				doc.status = "Paused"
				doc.save()
				frappe.db.commit()

		site = frappe.local.site
		writer = Thread(target=pause)
		writer.start()
		writer.join()
		self.assertEqual(links.find_with_config("spring")[0].status, "Paused")
		self.assertEqual(self.get("/r/spring").status_code, 404)

	def test_settings_that_are_changed_while_they_are_read(self) -> None:
		set_settings(cookie_expires_days=10)

		def overtaken() -> Config:
			old = read_config()
			set_settings(cookie_expires_days=20)
			return old

		with patch("trackflow.config.read_config", overtaken):
			self.assertEqual(get_config().cookie_days, 10)
		self.assertEqual(get_config().cookie_days, 20)

	def test_settings_that_were_never_committed(self) -> None:
		set_settings(cookie_expires_days=10)
		settings = frappe.get_single("TrackFlow Settings")
		settings.cookie_expires_days = 20
		settings.save()
		self.assertEqual(get_config().cookie_days, 20)
		frappe.db.rollback()
		self.assertEqual(get_config().cookie_days, 10)


class TestEarliestHook(TrackFlowTestCase):
	"""RED-9: the prefix belongs to short links, whatever else Frappe would make of the request. RED-7: without a query."""

	def test_no_sql_for_a_cached_link(self) -> None:
		make_link("spring")
		self.get("/r/spring")
		with counted_statements() as statements:
			self.assertEqual(self.get("/r/spring").status_code, 302)
		self.assertEqual(_without_ends(statements), [])

	def test_no_sql_for_a_code_that_was_unknown_a_moment_ago(self) -> None:
		self.get("/r/nothing")
		with counted_statements() as statements:
			self.assertEqual(self.get("/r/nothing").status_code, 404)
		self.assertEqual(_without_ends(statements), [])

	def test_one_round_trip_for_a_link_that_this_worker_knows(self) -> None:
		"""PRF-1: the click's record, which finds out whether the link is still as it was."""
		make_link("spring")
		self.get("/r/spring")
		self.assertEqual(len(self.asked("/r/spring")), 1)
		make_link("limited", max_clicks=10)
		self.get("/r/limited")
		self.assertGreater(len(self.asked("/r/limited")), 1)

	def asked(self, path: str) -> list[str]:
		asked: list[str] = []
		with _commands(asked):
			self.assertEqual(self.get(path).status_code, 302)
		# The first is the test's own, which keeps drains away.
		_own, *ours = [one for one in asked if "trackflow:" in one]
		return ours

	def test_what_a_worker_knows_is_never_older_than_a_change(self) -> None:
		link = make_link("spring")
		self.get("/r/spring")
		link.target_url = "https://shop.example.com/new"
		link.save()
		frappe.db.commit()
		self.assertIn("/new", self.get("/r/spring").headers["Location"])
		set_settings(blocked_addresses="203.0.113.9")
		self.assertEqual(self.get("/r/spring", address="203.0.113.9").status_code, 403)
		set_settings(blocked_addresses="")
		self.assertEqual(self.get("/r/spring", address="203.0.113.9").status_code, 302)
		link.delete()
		frappe.db.commit()
		self.assertEqual(self.get("/r/spring").status_code, 404)
		drain()
		self.assertEqual(frappe.db.count("Click Event"), 3, "none by what was outdated")

	def test_a_change_that_could_not_be_told_is_seen_after_a_minute(self) -> None:
		link = make_link("spring")
		self.get("/r/spring")
		with patch.object(changes.connection, "connect", side_effect=StreamUnavailable):
			link.status = "Paused"
			link.save()
			frappe.db.commit()
		self.assertEqual(self.get("/r/spring").status_code, 302)
		with patch.object(known, "FRESH_SECONDS", 0):
			self.assertEqual(self.get("/r/spring").status_code, 404)

	def test_the_sites_time_zone_holds_at_once(self) -> None:
		settings = frappe.get_single("System Settings")
		# A site that nobody has set up yet has none.
		settings.flags.ignore_mandatory = True
		before = settings.time_zone
		try:
			for zone, status in (("Pacific/Kiritimati", 302), ("Pacific/Pago_Pago", 404)):
				settings.time_zone = zone
				settings.save()
				if status == 302:
					make_link("spring", starts_on=add_to_date(now_datetime(), minutes=-1))
				self.assertEqual(self.get("/r/spring").status_code, status)
		finally:
			settings.time_zone = before
			settings.save()
			frappe.db.commit()

	def test_parameters_that_mean_something_to_frappe(self) -> None:
		make_link("spring", forward_query=1)
		for query in (
			"sid=x",
			"cmd=frappe.ping",
			"sid=Guest",
			"cmd=frappe.ping&sid=x",
			"_lang=de",
			"csrf_token=1",
		):
			answer = self.get(f"/r/spring?{query}")
			self.assertEqual(answer.status_code, 302, query)
			self.assertTrue(answer.headers["Location"].startswith("https://shop.example.com/products"), query)
			self.assertNotIn("sid=", answer.headers["Location"])

	def test_a_stale_session_cookie(self) -> None:
		make_link("spring")
		answer = self.get("/r/spring", cookies={"sid": "0123456789abcdef"})
		self.assertEqual(answer.status_code, 302)
		self.assertNotIn("sid=", " ".join(answer.headers.getlist("Set-Cookie")))

	def test_a_code_that_was_asked_for_before_it_existed(self) -> None:
		self.assertEqual(self.get("/r/soon").status_code, 404)
		make_link("soon")
		self.assertEqual(self.get("/r/soon").status_code, 302)

	def test_other_paths_are_left_alone(self) -> None:
		for path in ("/robots.txt", "/rx", "/api/method/ping"):
			self.assertNotIn("X-Robots-Tag", self.get(path).headers)


class TestIdentity(TrackFlowTestCase):
	"""RED-5: a cookie only with consent; else an id that nobody can carry on."""

	def cookie(self, answer: object) -> str:
		return next(
			(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(VISITOR_COOKIE)), ""
		)

	def test_no_cookie_before_consent(self) -> None:
		make_link("spring")
		self.assertEqual(self.cookie(self.get("/r/spring")), "")
		(click,) = clicks()
		self.assertEqual(frappe.db.get_value("Visitor", click.visitor_id, "is_cookieless"), 1)

	def test_a_cookie_with_consent(self) -> None:
		set_settings(cookie_expires_days=10)
		make_link("spring")
		cookie = self.cookie(self.get("/r/spring", cookies=GRANTED))
		for part in ("HttpOnly", "SameSite=Lax", f"Max-Age={10 * 86400}", "Path=/"):
			self.assertIn(part, cookie)
		self.assertNotIn("Secure", cookie)
		(click,) = clicks()
		self.assertIn(click.visitor_id, cookie)

	def test_a_cookie_where_none_has_to_consent(self) -> None:
		set_settings(cookie_consent_required=0)
		make_link("spring")
		cookie = self.cookie(self.get("/r/spring", headers={"X-Forwarded-Proto": "https"}))
		self.assertIn("Secure", cookie)

	def test_behind_the_machines_own_web_server(self) -> None:
		make_link("spring")
		for address in ("198.51.100.1", "198.51.100.2"):
			self.get("/r/spring", address="127.0.0.1", headers={"X-Forwarded-For": address})
		self.get("/r/spring", headers={"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "<script>"})
		found = clicks()
		self.assertEqual(len({row.visitor_id for row in found}), 3)
		self.assertEqual([row.is_internal for row in found], [0, 0, 0])
		self.assertTrue(found[2].page_url.startswith("http://"))

	def test_the_cookie_is_recognised(self) -> None:
		make_link("spring")
		self.get("/r/spring", cookies={**GRANTED, VISITOR_COOKIE: "v_0123456789abcdef"})
		self.get("/r/spring", cookies={**GRANTED, VISITOR_COOKIE: "v_0123456789abcdef"})
		self.get("/r/spring", cookies={**GRANTED, VISITOR_COOKIE: "<script>"})
		self.assertEqual([row.visitor_id for row in clicks()][:2], ["v_0123456789abcdef"] * 2)
		self.assertEqual(frappe.db.count("Visitor"), 2)

	def test_whoever_asks_not_to_be_tracked_is_not(self) -> None:
		set_settings(cookie_consent_required=0, gdpr_compliance_enabled=0)
		make_link("spring")
		for header in ("DNT", "Sec-GPC"):
			answer = self.get(
				"/r/spring", headers={header: "1"}, cookies={VISITOR_COOKIE: "v_0123456789abcdef"}
			)
			self.assertEqual(self.cookie(answer), "")
		for click in clicks():
			self.assertNotEqual(click.visitor_id, "v_0123456789abcdef")
			self.assertFalse(click.ip_address)

	def test_a_withdrawn_consent_counts(self) -> None:
		set_settings(cookie_consent_required=0)
		make_link("spring")
		self.assertEqual(self.cookie(self.get("/r/spring", cookies={CONSENT_COOKIE: "denied"})), "")

	def test_cookieless_ids_tell_people_apart_for_a_day(self) -> None:
		make_link("spring")
		for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8"):
			self.get("/r/spring", address=address)
		ids = [row.visitor_id for row in clicks()]
		self.assertEqual((len(set(ids)), ids[0]), (2, ids[1]))

	def test_the_address_is_kept_as_the_settings_say(self) -> None:
		make_link("spring")
		set_settings(gdpr_compliance_enabled=0)
		self.get("/r/spring")
		set_settings(anonymize_ip_addresses=1)
		self.get("/r/spring")
		set_settings(gdpr_compliance_enabled=1)
		self.get("/r/spring")
		full, masked, hashed = (row.ip_address for row in clicks())
		self.assertEqual((full, masked), ("203.0.113.7", "203.0.113.0"))
		self.assertNotIn("203", hashed[:3])


class TestClickId(TrackFlowTestCase):
	"""RED-6: websites of ours get the signed id of the click, others nothing, nobody the visitor's id."""

	def reference(self, answer: object) -> list[str]:
		return parse_qs(urlsplit(answer.headers["Location"]).query).get("tfclid", [])

	def test_it_is_signed(self) -> None:
		make_domain(SHOP)
		make_link("spring")
		(signed,) = self.reference(self.get("/r/spring"))
		(click,) = clicks()
		self.assertEqual(identity.read_click(signed, click_secret()), click.name)
		self.assertIsNone(
			identity.read_click(signed[:-1] + ("A" if signed[-1] != "A" else "B"), click_secret())
		)

	def test_subdomains_of_a_website_get_it_too(self) -> None:
		make_domain(SHOP)
		make_link("spring", target_url=f"https://www.{SHOP}/")
		make_link("other", target_url=f"https://not{SHOP}/")
		self.assertEqual(len(self.reference(self.get("/r/spring"))), 1)
		self.assertEqual(self.reference(self.get("/r/other")), [])

	def test_not_for_other_websites_nor_for_robots(self) -> None:
		make_link("spring")
		self.assertEqual(self.reference(self.get("/r/spring")), [])
		make_domain(SHOP)
		self.assertEqual(self.reference(self.get("/r/spring", agent=GOOGLEBOT)), [])

	def test_it_can_be_switched_off(self) -> None:
		make_domain(SHOP)
		set_settings(add_click_id=0)
		make_link("spring")
		self.assertEqual(self.reference(self.get("/r/spring")), [])

	def test_tracking_switched_off_still_redirects(self) -> None:
		set_settings(enable_tracking=0, cookie_consent_required=0)
		make_link("spring")
		answer = self.get("/r/spring")
		self.assertEqual((answer.status_code, answer.headers.getlist("Set-Cookie")), (302, []))
		self.assertEqual(clicks(), [])


class TestWhoCounts(TrackFlowTestCase):
	"""RED-3, RED-4: robots get the plain destination and are recorded apart; variants are sticky."""

	def test_robots_and_prefetches(self) -> None:
		link = make_link(
			"spring", variants=[{"variant_name": "B", "destination_url": "https://shop.example.com/b"}]
		)
		for options in ({"agent": GOOGLEBOT}, {"agent": ""}, {"headers": {"Sec-Purpose": "prefetch"}}):
			answer = self.get("/r/spring", **options)
			self.assertTrue(answer.headers["Location"].startswith("https://shop.example.com/products"))
		self.assertEqual(sorted(row.event_type for row in clicks()), ["Bot", "Bot", "Prefetch"])
		link.reload()
		self.assertEqual((link.click_count, link.bot_count, link.unique_visitor_count), (0, 3, 0))
		self.assertEqual(frappe.db.count("Visitor"), 0)

	def test_internal_traffic(self) -> None:
		link = make_link("spring")
		self.get("/r/spring", address="10.1.2.3")
		set_settings(exclude_internal_traffic=1, internal_ip_ranges=[{"ip_range": "203.0.113.0/24"}])
		self.get("/r/spring", address="10.1.2.3")
		self.get("/r/spring", address="203.0.113.9")
		self.assertEqual([(row.is_internal, row.counted) for row in clicks()], [(1, 1), (1, 0), (1, 0)])
		link.reload()
		self.assertEqual(link.click_count, 1)

	def test_variants_are_sticky_and_counted(self) -> None:
		variants = [
			{"variant_name": name, "destination_url": f"https://shop.example.com/{name}", "weight": 50}
			for name in "ab"
		]
		link = make_link("spring", variants=variants)
		seen = {}
		for number in range(20):
			for _again in range(2):
				answer = self.get("/r/spring", address=f"203.0.113.{number}")
				seen.setdefault(number, set()).add(urlsplit(answer.headers["Location"]).path)
		self.assertTrue(all(len(paths) == 1 for paths in seen.values()))
		self.assertEqual({path for paths in seen.values() for path in paths}, {"/a", "/b"})
		drain()
		link.reload()
		self.assertEqual(sum(row.clicks for row in link.variants), 40)
		self.assertEqual((link.click_count, link.unique_visitor_count), (40, 20))

	def test_scans_are_counted_apart(self) -> None:
		link = make_link("spring")
		self.get("/r/spring?qr=1")
		self.get("/r/spring")
		drain()
		link.reload()
		self.assertEqual((link.click_count, link.scan_count, link.unique_visitor_count), (1, 1, 1))


@contextmanager
def _commands(asked: list[str]) -> Iterator[None]:
	"""What is sent to Redis meanwhile: commands, and pipelines as one."""
	run, execute = redis.Redis.execute_command, Pipeline.execute

	def running(self: redis.Redis, *args: object, **options: object) -> object:
		asked.append(str(args))
		return run(self, *args, **options)

	def executing(self: Pipeline, *args: object, **options: object) -> object:
		asked.append(str(self.command_stack))
		return execute(self, *args, **options)

	# A pipeline's own `execute_command` only notes the command down.
	with patch.object(redis.Redis, "execute_command", running), patch.object(Pipeline, "execute", executing):
		yield


def _without_ends(statements: list[str]) -> list[str]:
	"""The statements but for the ends of transactions, which name no table."""
	return [
		one for one in statements if one.strip().lower() not in ("rollback", "commit", "start transaction")
	]
