"""The page of the app at /trackflow: who gets it, what it says, what may run in it (UI-1, SEC-1 to SEC-3)."""

import json
import os
import tempfile
from html.parser import HTMLParser
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import frappe

from trackflow.app_page import boot, manifest, messages
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.tests.base import HAS_CRM
from trackflow.tests.users import PeopleTestCase

MANAGER, CAMPAIGNER, NOBODY = (f"app-page.{who}@example.com" for who in ("manager", "campaigns", "nobody"))
SALES = ("Sales User",) if HAS_CRM else ()
ROLES = {MANAGER: (TRACKFLOW_MANAGER, *SALES), CAMPAIGNER: (CAMPAIGN_MANAGER,), NOBODY: ()}
HOSTILE = "</script><img src=x onerror=alert(1)><!--"
DEEP = "/trackflow/links/abc?from=2026-03-01&to=2026-03-31&domain=a.example"
CHUNKS = {
	"src/main.ts": {"file": "assets/main-1.js", "imports": ["_a.js", "_b.js"], "css": ["assets/main-1.css"]},
	"_a.js": {"file": "assets/a-1.js", "imports": ["_b.js"], "css": ["assets/a-1.css", "assets/main-1.css"]},
	"_b.js": {"file": "assets/b-1.js", "imports": ["src/main.ts"]},
	"src/pages/later.vue": {"file": "assets/later-1.js", "imports": ["_a.js"], "css": ["assets/later-1.css"]},
}


class Page(HTMLParser):
	"""A page as a browser reads it: its scripts with what is in them, its links, and the names of all tags."""

	def __init__(self, html: str) -> None:
		super().__init__()
		self.scripts: list[tuple[dict[str, str | None], str]] = []
		self.links: list[dict[str, str | None]] = []
		self.tags: list[str] = []
		self._open: dict[str, str | None] | None = None
		self.feed(html)

	def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
		self.tags.append(tag)
		if tag == "script":
			self._open = dict(attrs)
			self.scripts.append((self._open, ""))
		if tag == "link":
			self.links.append(dict(attrs))

	def handle_data(self, data: str) -> None:
		if self._open is not None:
			self.scripts[-1] = (self._open, self.scripts[-1][1] + data)

	def handle_endtag(self, tag: str) -> None:
		self._open = None

	@property
	def boot(self) -> dict:
		(text,) = (text for attributes, text in self.scripts if attributes.get("id") == "boot")
		return json.loads(text)


class AppPageTestCase(PeopleTestCase):
	roles = ROLES

	def page(self, user: str, path: str = "/trackflow") -> Page:
		answer = self.get(path, headers=self.authorization(user))
		self.assertEqual(answer.status_code, 200, answer.text)
		return Page(answer.text)

	def build(self, chunks: dict | None) -> None:
		"""As if Vite had built these, or nothing."""
		assets = manifest.assets_of(chunks) if chunks else None
		patcher = patch("trackflow.www.trackflow.find_assets", return_value=assets)
		patcher.start()
		self.addCleanup(patcher.stop)


class TestWhoGetsIt(AppPageTestCase):
	"""ROL-P: people who work with links; guests log in first and come back to where they wanted to go."""

	def test_guests_log_in_and_come_back(self) -> None:
		for path in ("/trackflow", "/trackflow/campaigns", DEEP):
			answer = self.get(path)
			self.assertEqual(answer.status_code, 302, path)
			location = urlsplit(answer.location)
			self.assertEqual((location.path, parse_qs(location.query)), ("/login", {"redirect-to": [path]}))

	def test_others_get_a_plain_refusal(self) -> None:
		for path in ("/trackflow", DEEP):
			answer = self.get(path, headers=self.authorization(NOBODY))
			self.assertEqual(answer.status_code, 403, path)
			self.assertIn("You do not have permission to use TrackFlow.", answer.text)
			self.assertNotIn('id="boot"', answer.text)
			self.assertNotIn("Traceback", answer.text)

	def test_every_address_below_is_the_app(self) -> None:
		for path in ("/trackflow", "/trackflow/", "/trackflow/links", DEEP, "/trackflow/a/b/c.d"):
			self.assertEqual(self.page(CAMPAIGNER, path).boot["user"], CAMPAIGNER, path)
		self.assertEqual(self.get("/trackflowers", headers=self.authorization(CAMPAIGNER)).status_code, 404)


class TestWhatMayRun(AppPageTestCase):
	"""SEC-2, SEC-3: our files and nothing else; names of people are text."""

	def test_policy(self) -> None:
		answer = self.get("/trackflow", headers=self.authorization(MANAGER))
		policy = dict(
			part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
		)
		self.assertEqual(policy["default-src"], "'none'")
		self.assertEqual(policy["script-src"], "'self'")
		self.assertEqual(policy["frame-ancestors"], "'none'")
		self.assertEqual(answer.headers["X-Frame-Options"], "DENY")
		self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
		self.assertEqual(answer.headers["Cache-Control"], "no-store")

	def test_no_script_is_inline(self) -> None:
		self.build(CHUNKS)
		page = self.page(MANAGER)
		for attributes, text in page.scripts:
			self.assertTrue(attributes.get("type") == "application/json" or not text.strip(), attributes)
		self.assertNotIn("style", page.tags)

	def test_a_name_cannot_leave_the_boot_data(self) -> None:
		frappe.db.set_value(
			"User", MANAGER, {"full_name": HOSTILE, "user_image": "https://elsewhere.example/a.png"}
		)
		page = self.page(MANAGER)
		self.assertEqual(page.boot["full_name"], HOSTILE)
		self.assertIsNone(page.boot["user_image"])
		self.assertNotIn("img", page.tags)


class TestFiles(AppPageTestCase):
	"""UI-1: the page names the files that Vite built."""

	def test_entry_imports_and_styles(self) -> None:
		self.build(CHUNKS)
		page = self.page(MANAGER)
		of = lambda rel: [link["href"] for link in page.links if link["rel"] == rel]  # noqa: E731
		base = "/assets/trackflow/frontend/assets/"
		self.assertEqual(
			[
				attributes.get("src")
				for attributes, _text in page.scripts
				if attributes.get("type") == "module"
			],
			[base + "main-1.js"],
		)
		self.assertEqual(of("modulepreload"), [base + "a-1.js", base + "b-1.js"])
		self.assertEqual(of("stylesheet"), [base + "main-1.css", base + "a-1.css"])

	def test_without_a_build_it_says_how_to_get_one(self) -> None:
		self.build(None)
		answer = self.get("/trackflow", headers=self.authorization(MANAGER))
		self.assertEqual(answer.status_code, 200)
		self.assertIn("bench build --app trackflow", answer.text)
		self.assertIn("make install", answer.text)

	def test_a_new_build_is_noticed(self) -> None:
		with (
			tempfile.TemporaryDirectory() as folder,
			patch.object(manifest.frappe, "get_app_path") as app_path,
		):
			app_path.return_value = os.path.join(folder, "manifest.json")
			self.assertIsNone(manifest.find_assets())
			for number in (1, 2):
				with open(app_path.return_value, "w") as file:
					json.dump({manifest.ENTRY: {"file": f"assets/main-{number}.js"}}, file)
				os.utime(app_path.return_value, (number, number))
				self.assertEqual(manifest.find_assets().script, f"{manifest.BASE}assets/main-{number}.js")
		app_path.assert_called_with("trackflow", "public", "frontend", "manifest.json")


class TestBoot(AppPageTestCase):
	"""UI-1: what the app is told: the user's own, and settings that the user may read."""

	def test_what_the_user_may_do(self) -> None:
		manager, campaigner = self.page(MANAGER).boot["may"], self.page(CAMPAIGNER).boot["may"]
		of_crm = ("CRM Lead", "CRM Deal") if HAS_CRM else ()
		self.assertEqual(set(manager), {*boot.DOCTYPES, *of_crm})
		# Everybody may read leads in CRM, not everybody deals.
		self.assertEqual(set(campaigner), {*boot.DOCTYPES, *of_crm[:1]})
		if HAS_CRM:
			self.assertEqual((manager["CRM Lead"], campaigner["CRM Lead"]), (["read", "write"], ["read"]))
		self.assertEqual(
			set(campaigner["Link Campaign"]) & {"read", "write", "create"}, {"read", "write", "create"}
		)
		for user in (MANAGER, CAMPAIGNER):
			told = self.page(user).boot["may"]
			with self.set_user(user):
				for doctype in boot.DOCTYPES:
					may = [right for right in boot.RIGHTS if frappe.has_permission(doctype, right)]
					self.assertEqual(told[doctype], may, (user, doctype))

	def test_who_may_know_visitors(self) -> None:
		self.assertIs(self.page(MANAGER).boot["tells_contacts"], True)
		self.assertIs(self.page(CAMPAIGNER).boot["tells_contacts"], False)

	def test_every_doctype_there_is(self) -> None:
		for doctype in boot.DOCTYPES:
			self.assertTrue(frappe.db.exists("DocType", doctype), doctype)

	def test_site_and_user(self) -> None:
		frappe.db.set_value("User", MANAGER, "time_zone", "Europe/Berlin")
		frappe.clear_document_cache("User", MANAGER)
		told = self.page(MANAGER).boot
		self.assertEqual(
			told["time_zone"], {"site": frappe.utils.get_system_timezone(), "user": "Europe/Berlin"}
		)
		self.assertEqual(told["models"][0], told["default_model"])
		self.assertEqual(len(told["reporting_currency"]), 3)
		self.assertIn(told["desk"], ("/app", "/desk"))
		self.assertTrue(told["csrf_token"])
		self.assertEqual(
			set(told["formats"]), {"date", "time", "number", "first_day_of_week", "currency_precision"}
		)

	def test_formats_are_the_users_own_where_they_have_some(self) -> None:
		of_the_site = self.page(CAMPAIGNER).boot["formats"]
		own = {"date": "dd.mm.yyyy", "number": "#.###,##"}
		for name, value in own.items():
			frappe.defaults.set_user_default(f"{name}_format", value, MANAGER)
		self.assertEqual(self.page(MANAGER).boot["formats"], of_the_site | own)
		self.assertEqual(self.page(CAMPAIGNER).boot["formats"], of_the_site)

	def test_crm_for_whom_it_is(self) -> None:
		self.assertEqual(self.page(MANAGER).boot["crm"], "/crm" if HAS_CRM else None)
		self.assertIsNone(self.page(CAMPAIGNER).boot["crm"])

	def test_domains_for_who_may_read_them(self) -> None:
		values = {"doctype": "Domain Configuration", "domain": "shop.example", "project": "Shops"}
		frappe.get_doc(values).insert()
		self.assertEqual(self.page(MANAGER).boot["domains"], [{"name": "shop.example", "project": "Shops"}])
		with patch.object(boot.frappe, "has_permission", return_value=False), self.set_user(MANAGER):
			self.assertEqual((boot._domains(), boot._models()), ([], []))

	def test_what_stands_before_short_codes(self) -> None:
		values = {"doctype": "Domain Configuration", "domain": "go.example", "is_primary": 1}
		frappe.get_doc(values).insert()
		frappe.get_doc({"doctype": "Domain Configuration", "domain": "a.example", "ssl_enabled": 0}).insert()
		told = {
			"": "https://go.example/r/",
			"go.example": "https://go.example/r/",
			"a.example": "http://a.example/r/",
		}
		self.assertEqual(self.page(CAMPAIGNER).boot["short_urls"], told)


class TestMessages(AppPageTestCase):
	"""UI-1: translatable. Only the app's own texts, only where somebody translated them."""

	METHOD = "/api/method/trackflow.api.app.get_messages"

	def test_the_apps_texts_in_the_users_language(self) -> None:
		known = {"Overview": "Überblick", "Clicks": "", "Not of the app": "Fremd"}
		with (
			patch.object(messages, "built", return_value=("Overview", "Clicks", "Sessions")),
			patch.object(messages, "get_all_translations", return_value=known) as translations,
		):
			self.assertEqual(messages.messages(), {"Overview": "Überblick"})
		translations.assert_called_once_with(frappe.local.lang)

	def test_values_that_the_app_is_told_are_texts_too(self) -> None:
		values = {"Organic Search", "Mobile", "Lead", "Last Touch", "Paused", "Tracked Link"}
		with (
			patch.object(messages, "built", return_value=("Overview",)),
			patch.object(
				messages, "get_all_translations", return_value={text: f"~{text}" for text in values}
			),
		):
			self.assertEqual(messages.messages(), {text: f"~{text}" for text in values})

	def test_by_a_translation_of_the_sites_own(self) -> None:
		values = {"language": "de", "source_text": "Sessions", "translated_text": "Sitzungen"}
		with patch.object(messages, "built", return_value=("Sessions",)):
			translation = frappe.get_doc({"doctype": "Translation", **values}).insert()
			self.addCleanup(setattr, frappe.local, "lang", frappe.local.lang)
			frappe.local.lang = "de"
			self.assertEqual(messages.messages().get("Sessions"), "Sitzungen")
			translation.delete()
			self.assertNotEqual(messages.messages().get("Sessions"), "Sitzungen")

	def test_before_a_build_there_are_none(self) -> None:
		with patch.object(messages, "built", return_value=None):
			self.assertEqual(messages.messages(), {})

	def test_over_http(self) -> None:
		answer = self.get(self.METHOD + "?language=de&version=1", headers=self.authorization(CAMPAIGNER))
		self.assertEqual(
			(answer.status_code, answer.headers["Cache-Control"]), (200, "private, max-age=3600")
		)
		self.assertIsInstance(answer.json["message"], dict)
		for user in (None, NOBODY):
			self.assertEqual(self.get(self.METHOD, headers=self.authorization(user)).status_code, 403)
