"""The desk: its workspace with number cards, charts and links, what these tell, indicators in lists (UI-2, SEC-2, ROL-P)."""

import json
import re
import shutil
import subprocess
import unittest
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch
from urllib.parse import urlsplit

import frappe
from frappe.model import optional_fields
from frappe.modules import load_doctype_module
from frappe.utils import fmt_money, getdate, now_datetime

from trackflow import uninstall
from trackflow.api import analytics, attribution, desk, waste
from trackflow.api.domains import get_script_tag
from trackflow.click_rollups import reading as click_reading
from trackflow.click_rollups import run as click_run
from trackflow.constants.app import MODULE, WORKSPACE
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.reports import workspace
from trackflow.rollups import marks
from trackflow.rollups import run as rollup_run
from trackflow.tests import factories
from trackflow.tests.analytics_case import MODEL, FiguresTestCase
from trackflow.tests.base import FrappeTestCase, TrackFlowTestCase, counted_statements
from trackflow.tests.test_access import verbs_of
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase

Row = dict[str, Any]

FOLDER = Path(frappe.get_app_path("trackflow", "trackflow"))
KINDS = ("Workspace", "Number Card", "Dashboard Chart", "Dashboard Chart Source")
OURS = {"System Manager", TRACKFLOW_MANAGER, CAMPAIGN_MANAGER}
# What nobody opens by itself: it hangs on what the workspace leads to, is worked out, or waits for a part that comes later.
REACHED_OTHERWISE = {
	"Attribution Training", "CRM Sync Log", "Conversion Export Row", "Cost Import Mapping", "Cost Import Row", "Daily Click Rollup",
	"Deal Attribution", "Deal Link Association", "Deal Stage Change", "Email Campaign Log", "Lead Status Change", "Link Conversion",
	"Rollup Day", "Webhook Delivery",
}  # fmt: skip
# The hook of scripts that come along, and how the DocTypes' own are called.
SCRIPTS = {"doctype_js": "", "doctype_list_js": "_list"}
HAS_DESK = bool(frappe.db.exists("DocType", "Workspace"))
needs_desk = unittest.skipUnless(HAS_DESK, "This host has no desk, and none of the DocTypes that describe it")


def records(doctype: str) -> dict[str, Row]:
	"""The app's standard records of a kind, by name, as their files have them."""
	folder = FOLDER / frappe.scrub(doctype)
	found = (json.loads(path.read_text()) for path in sorted(folder.glob("*/*.json")))
	return {one["name"]: one for one in found}


def page() -> Row:
	return records("Workspace")[WORKSPACE]


def methods() -> dict[str, Callable]:
	"""The methods that cards and charts ask, by path."""
	paths = [one["method"] for one in records("Number Card").values() if one["type"] == "Custom"]
	paths += [path for path, _filters in sources().values()]
	return {path: frappe.get_attr(path) for path in paths}


def sources() -> dict[str, tuple[str, list[Any]]]:
	"""What the scripts of chart sources register, by name, as a browser runs them."""
	return {name: _registered(name) for name in records("Dashboard Chart Source")}


def _registered(name: str) -> tuple[str, list[Any]]:
	stem = frappe.scrub(name)
	script = (FOLDER / "dashboard_chart_source" / stem / f"{stem}.js").read_text()
	say = f"console.log(JSON.stringify(frappe.dashboards.chart_sources[{json.dumps(name)}]))"
	host = "const frappe = {dashboards: {chart_sources: {}}, provide() {}};"
	found = json.loads(_node("-e", f"{host}{script}{say}"))
	return found["method"], found["filters"]


def _node(*arguments: str) -> str:
	return subprocess.run(["node", *arguments], check=True, capture_output=True, text=True).stdout


needs_node = unittest.skipUnless(shutil.which("node"), "Node is not installed")


class TestRecords(FrappeTestCase):
	"""UI-2: what the workspace shows is there, and where it leads too."""

	def test_every_record_is_standard_and_where_frappe_looks_for_it(self) -> None:
		for doctype in KINDS:
			for path in sorted((FOLDER / frappe.scrub(doctype)).glob("*/*.json")):
				with self.subTest(path.name):
					record = json.loads(path.read_text())
					self.assertEqual((record["doctype"], record["module"]), (doctype, MODULE))
					self.assertEqual(path.stem, frappe.scrub(record["name"]))
					self.assertEqual(path.parent.name, path.stem)
					# Without it the file would be in no wheel.
					self.assertTrue((path.parent / "__init__.py").exists())
					if doctype in ("Number Card", "Dashboard Chart"):
						self.assertTrue(record["is_standard"] and record["is_public"])
						self.assertTrue(record["name"].startswith("TrackFlow "), "names are the whole site's")

	def test_the_page_is_for_our_roles(self) -> None:
		self.assertEqual({row["role"] for row in page()["roles"]}, OURS)
		self.assertEqual((page()["public"], page()["for_user"], page()["title"]), (1, "", WORKSPACE))

	def test_its_content_shows_exactly_what_it_has(self) -> None:
		blocks = json.loads(page()["content"])
		self.assertEqual(len({block["id"] for block in blocks}), len(blocks))
		breaks = [row["label"] for row in page()["links"] if row["type"] == "Card Break"]
		for kind, labels in (
			("shortcut", [row["label"] for row in page()["shortcuts"]]),
			("number_card", [row["label"] for row in page()["number_cards"]]),
			("chart", [row["label"] for row in page()["charts"]]),
			("card", breaks),
		):
			with self.subTest(kind):
				shown = [block["data"][f"{kind}_name"] for block in blocks if block["type"] == kind]
				self.assertEqual(sorted(shown), sorted(labels))
				self.assertEqual(len(set(shown)), len(shown))

	def test_cards_and_charts_exist(self) -> None:
		cards, charts = records("Number Card"), records("Dashboard Chart")
		self.assertEqual({row["number_card_name"] for row in page()["number_cards"]}, cards.keys())
		self.assertEqual({row["chart_name"] for row in page()["charts"]}, charts.keys())
		self.assertEqual({one["source"] for one in charts.values()}, records("Dashboard Chart Source").keys())
		for row in page()["number_cards"]:
			self.assertEqual(row["label"], cards[row["number_card_name"]]["label"])

	def test_links_lead_to_what_is_there(self) -> None:
		for row in [*page()["links"], *page()["shortcuts"]]:
			kind = row.get("link_type") or row["type"]
			if kind in ("DocType", "Report"):
				with self.subTest(row["label"]):
					self.assertTrue(frappe.db.exists(kind, row["link_to"]))
					self.assertEqual(frappe.db.get_value(kind, row["link_to"], "module"), MODULE)
				if kind == "Report":
					self.assertTrue(row.get("is_query_report", 1))

	def test_groups_count_their_links(self) -> None:
		groups: list[tuple[Row, list[Row]]] = []
		for row in page()["links"]:
			if row["type"] == "Card Break":
				groups.append((row, []))
			else:
				groups[-1][1].append(row)
		self.assertEqual(
			[row["label"] for row, _links in groups],
			["Campaigns and Links", "Visitors", "Attribution", "Spend and Waste", "Privacy and Settings"],
		)
		for row, links in groups:
			self.assertEqual(row["link_count"], len(links), row["label"])

	def test_everything_that_people_open_is_on_it(self) -> None:
		"""A DocType or report that is added without being thought of fails."""
		linked = {row["link_to"] for row in page()["links"] if row["type"] == "Link"}
		doctypes = set(frappe.get_all("DocType", {"module": MODULE, "istable": 0}, pluck="name"))
		reports = set(frappe.get_all("Report", {"module": MODULE}, pluck="name"))
		self.assertEqual((doctypes | reports) - linked, REACHED_OTHERWISE)

	def test_quick_actions(self) -> None:
		shortcuts = {row["label"]: row for row in page()["shortcuts"]}
		new = shortcuts["New Campaign"]
		self.assertEqual((new["link_to"], new["doc_view"]), ("Link Campaign", "New"))
		self.assertEqual(shortcuts["Generate Links"]["link_to"], "Tracked Link")
		self.assertEqual(shortcuts["Analytics"]["url"], "/trackflow")

	def test_filters_of_cards(self) -> None:
		"""Frappe v15 writes five parts and reads four, v16 reads four."""
		for card in records("Number Card").values():
			for one in json.loads(card["filters_json"]):
				with self.subTest(card["name"]):
					doctype, field, operator, _value = one
					self.assertEqual((doctype, operator), (card["document_type"], "="))
					self.assertTrue(frappe.get_meta(doctype).has_field(field))

	@needs_node
	def test_methods_take_what_the_desk_sends(self) -> None:
		for path, method in methods().items():
			with self.subTest(path):
				self.assertIn(method, frappe.whitelisted)
				self.assertIn("POST", verbs_of(method))

	@needs_node
	def test_every_method_is_asked_by_something(self) -> None:
		asked = {path.rpartition(".")[2] for path in methods()}
		there = {name for name, one in vars(desk).items() if one in frappe.whitelisted}
		self.assertEqual(asked, there)

	def test_options_of_charts(self) -> None:
		for chart in records("Dashboard Chart").values():
			with self.subTest(chart["name"]):
				self.assertEqual((chart["chart_type"], chart["timeseries"]), ("Custom", 0))
				self.assertEqual({row["role"] for row in chart["roles"]}, OURS)
				self.assertEqual(json.loads(chart["filters_json"]), {})
				self.assertIn("colors", json.loads(chart["custom_options"]))

	@needs_desk
	def test_records_have_fields_that_frappe_knows(self) -> None:
		common = {"name", "doctype", "creation", "modified", "modified_by", "owner", "docstatus", "idx"}
		# Of later versions of Frappe; earlier ones do not look at them.
		later = {"Workspace": {"app", "type"}}
		for doctype in KINDS:
			fields = {df.fieldname: df for df in frappe.get_meta(doctype).fields}
			for name, record in records(doctype).items():
				with self.subTest(name):
					known = fields.keys() | common | later.get(doctype, set())
					self.assertEqual(record.keys() - known, set())
					for fieldname, df in fields.items():
						if df.fieldtype == "Table":
							rows = {field for row in record.get(fieldname) or () for field in row}
							of_rows = {one.fieldname for one in frappe.get_meta(df.options).fields}
							self.assertEqual(rows - of_rows, set(), df.options)
						elif df.fieldtype == "Select" and record.get(fieldname):
							# Frappe fills in the choices of some in the browser.
							choices = (df.options or record[fieldname]).split("\n")
							self.assertIn(record[fieldname], choices, fieldname)
						elif df.reqd:
							self.assertTrue(record.get(fieldname), fieldname)

	@needs_desk
	def test_they_are_on_the_site_as_they_are_in_the_app(self) -> None:
		for doctype in KINDS:
			for name, record in records(doctype).items():
				with self.subTest(name):
					stored = frappe.get_doc(doctype, name).as_dict()
					plain = {key: value for key, value in record.items() if isinstance(value, str | int)}
					for field in plain.keys() & stored.keys() - {"modified", "creation", "name"}:
						self.assertEqual(stored[field] or "", plain[field] or "", field)


@needs_desk
class TestOnTheDesk(PermissionTestCase):
	"""ROL-P: who finds the workspace, and what of it."""

	def shown(self, user: str) -> Row:
		from frappe.desk.desktop import get_desktop_page

		with self.set_user(user):
			return get_desktop_page(json.dumps({"name": WORKSPACE, "title": WORKSPACE, "public": 1}))

	def finds(self, user: str) -> bool:
		from frappe.desk.desktop import get_workspace_sidebar_items

		with self.set_user(user):
			return WORKSPACE in [one["name"] for one in get_workspace_sidebar_items()["pages"]]

	def labels(self, user: str, part: str) -> list[str]:
		return [row.get("label") for row in self.shown(user)[part]["items"]]

	def test_who_finds_it(self) -> None:
		self.assertEqual([self.finds(user) for user in (MANAGER, CAMPAIGNER, NOBODY)], [True, True, False])

	def test_a_manager_sees_all(self) -> None:
		for part, rows in (
			("number_cards", page()["number_cards"]),
			("charts", page()["charts"]),
			("shortcuts", page()["shortcuts"]),
		):
			self.assertEqual(sorted(self.labels(MANAGER, part)), sorted(row["label"] for row in rows))

	def test_who_manages_campaigns_sees_what_he_may_read(self) -> None:
		cards = self.labels(CAMPAIGNER, "number_cards")
		self.assertEqual(len(cards), len(page()["number_cards"]) - 1)
		self.assertNotIn("Clicks Not Stored", cards)
		self.assertEqual(len(self.labels(CAMPAIGNER, "charts")), len(page()["charts"]))
		links = {
			link["link_to"] for card in self.shown(CAMPAIGNER)["cards"]["items"] for link in card["links"]
		}
		self.assertTrue({"Link Campaign", "Domain Configuration", "Spend and Waste"} <= links)
		self.assertFalse({"TrackFlow API Key", "TrackFlow Settings", "Click Queue"} & links)

	def test_importing_again_changes_nothing(self) -> None:
		"""HOST-1: as a migrate does."""
		from frappe.modules.import_file import import_file_by_path

		def state() -> list[Row]:
			return [frappe.get_doc(kind, name).as_dict() for kind in KINDS for name in records(kind)]

		before = state()
		for kind in KINDS:
			for path in sorted((FOLDER / frappe.scrub(kind)).glob("*/*.json")):
				import_file_by_path(str(path))
		self.assertEqual(state(), before)

	def test_a_module_takes_them_along(self) -> None:
		"""What Frappe removes with the app is what belongs to its module."""
		from frappe.installer import _get_module_linked_doctype_field_map

		by_field = _get_module_linked_doctype_field_map()
		for kind in KINDS:
			self.assertEqual(
				sorted(frappe.get_all(kind, {by_field[kind]: MODULE}, pluck="name")), sorted(records(kind))
			)


class TestLeaving(TrackFlowTestCase):
	def test_nobody_keeps_a_workspace_that_is_gone(self) -> None:
		"""Frappe would let him into the desk no more."""
		frappe.db.set_value("User", "Administrator", "default_workspace", WORKSPACE)
		uninstall._leave_switcher()
		self.assertFalse(frappe.db.get_value("User", "Administrator", "default_workspace"))


class DeskFiguresTestCase(FiguresTestCase):
	"""Clicks, visits, credits and costs of the last days and of today; past days are worked out."""

	def setUp(self) -> None:
		super().setUp()
		former = frappe.db.get_default("currency")
		frappe.db.set_default("currency", "USD")
		self.addCleanup(_set_default_currency, former)
		factories.set_settings(reporting_currency="USD")
		self.today = getdate()
		self.now = now_datetime().replace(hour=0, minute=0, second=1)

	def ago(self, days: int) -> datetime:
		return self.now - timedelta(days=days)

	def make_figures(self) -> None:
		link = factories.make_link("flyer").name
		for age, event_type in (
			(0, "Click"),
			(0, "QR Scan"),
			(0, "Bot"),
			(2, "Click"),
			(8, "Click"),
			(40, "Click"),
		):
			self.click(link, self.ago(age), event_type)
		came = ((0, 1, "Email"), (1, 1, "Email"), (3, 2, "Paid Search"), (9, 3, "Direct"), (45, 4, "SMS"))
		first, _second, paid, _direct, old = (
			self.session(self.ago(age), number=number, channel=channel) for age, number, channel in came
		)
		self.credit(first, self.ago(0), weight=0.5)
		self.credit(paid, self.ago(3), weight=0.25, channel="Paid Search")
		self.credit(first, self.ago(0), conversion_type="Deal Won", credited_value=120.5)
		self.credit(paid, self.ago(5), conversion_type="Deal Won", credited_value=80, channel="Paid Search")
		self.credit(old, self.ago(45))
		for age, spend, campaign in (
			(0, 30, "A"),
			(4, 600, "A"),
			(6, 45.5, "B"),
			(50, 999, "A"),
			(60, 1, "B"),
		):
			self.cost(age, spend, external_campaign_id=campaign)
		self.work_out()

	def cost(self, age: int, spend: float, **values: Any) -> None:
		factories.make_cost(self.today - timedelta(days=age), spend, **values)

	def work_out(self) -> None:
		"""As the nights did, of the days with credits or costs, and with hits."""
		rows = frappe.get_all("Attribution Link", fields=["conversion_date"], order_by="name")
		marks.mark({getdate(row.conversion_date) for row in rows})
		rollup_run.run_marked()
		click_run.run_hourly()

	def overview(self, days: int = 30) -> Row:
		return analytics.get_overview(str(self.today - timedelta(days=days - 1)), str(self.today))

	def figure(self, days: int, name: str) -> float:
		return self.overview(days)["figures"][name]["value"]


def _set_default_currency(currency: str | None) -> None:
	frappe.db.set_default("currency", currency)
	frappe.db.commit()


class TestCards(DeskFiguresTestCase):
	"""UI-2: a card tells what the API tells."""

	def test_clicks(self) -> None:
		self.make_figures()
		card = desk.clicks()
		self.assertEqual(card["value"], 3)
		self.assertEqual(card["value"], self.figure(7, "clicks") + self.figure(7, "scans"))
		self.assertEqual(card["route"], ["query-report", "Link Performance"])
		since, until = str(self.today - timedelta(days=6)), str(self.today)
		self.assertEqual(card["route_options"], {"from_date": since, "to_date": until})

	def test_visitors(self) -> None:
		self.make_figures()
		self.assertEqual((desk.visitors()["value"], self.figure(7, "visitors")), (2, 2))

	def test_visitors_that_are_estimated(self) -> None:
		self.make_figures()
		with patch.object(click_reading, "COUNTED", -1):
			card, found = desk.visitors(), self.overview(7)
		self.assertTrue(found["visitors_estimated"])
		self.assertEqual(card, f"≈ {found['figures']['visitors']['value']}")

	def test_conversions(self) -> None:
		self.make_figures()
		self.assertEqual((desk.conversions()["value"], self.figure(30, "conversions")), (0.75, 0.75))

	def test_money(self) -> None:
		self.make_figures()
		summary = waste.get_waste()["summary"]
		self.assertEqual((desk.spend()["value"], summary["spend"]), (675.5, 675.5))
		self.assertEqual((desk.waste()["value"], summary["waste"]), (630, 630))
		self.assertEqual(desk.value()["value"], 200.5)
		self.assertEqual(
			[(one["currency"], one["value"]) for one in self.overview()["value"]], [("USD", 200.5)]
		)
		self.assertEqual({card()["fieldtype"] for card in (desk.spend, desk.waste, desk.value)}, {"Currency"})

	def test_a_currency_that_is_not_the_sites(self) -> None:
		"""Frappe's card would call it by the site's."""
		factories.set_settings(reporting_currency="EUR")
		self.cost(0, 1234.5, currency="EUR")
		self.assertEqual(desk.spend(), fmt_money(1234.5, currency="EUR"))

	def test_what_is_not_known(self) -> None:
		self.cost(0, 10, currency="EUR")
		self.assertEqual(desk.spend(), "Not known")

	def test_nothing(self) -> None:
		cards = (
			desk.clicks,
			desk.visitors,
			desk.conversions,
			desk.value,
			desk.spend,
			desk.waste,
			desk.not_stored,
		)
		self.assertEqual([card()["value"] for card in cards], [0] * 7)

	def test_what_could_not_be_stored(self) -> None:
		for status in ("Failed", "Failed", "Pending", "Processed"):
			frappe.get_doc({"doctype": "Click Queue", "status": status, "kind": "Click"}).insert()
		card = desk.not_stored()
		self.assertEqual((card["value"], card["route_options"]), (2, {"status": "Failed"}))

	def test_where_cards_lead(self) -> None:
		for card in (desk.visitors(), desk.not_stored()):
			view, doctype, _list = card["route"]
			self.assertEqual(view, "List")
			self.assertTrue(all(frappe.get_meta(doctype).has_field(field) for field in card["route_options"]))
		for card in (desk.clicks(), desk.conversions(), desk.value(), desk.spend(), desk.waste()):
			view, report = card["route"]
			self.assertEqual(view, "query-report")
			self.assertTrue(frappe.db.exists("Report", report))


class TestCharts(DeskFiguresTestCase):
	"""UI-2: a chart tells what the API tells."""

	def test_clicks_and_visitors(self) -> None:
		self.make_figures()
		chart, by_day = desk.clicks_and_visitors(), self.overview()["by_day"]
		clicked, came = (one["values"] for one in chart["datasets"])
		self.assertEqual((len(chart["labels"]), clicked[-3:], sum(clicked)), (30, [1, 0, 2], 4))
		self.assertEqual(clicked, [day["clicks"] + day["scans"] for day in by_day])
		self.assertEqual(came, [day["visitors"] for day in by_day])
		self.assertEqual([one["name"] for one in chart["datasets"]], ["Clicks and Scans", "Visitors"])

	def test_visits_by_channel(self) -> None:
		self.make_figures()
		chart = desk.visits_by_channel()
		found = dict(zip(chart["labels"], chart["datasets"][0]["values"], strict=True))
		self.assertEqual(found, {"Email": 2, "Direct": 1, "Paid Search": 1})
		of_api = {line["channel"]: line["touches"]["value"] for line in self.overview()["by_channel"]}
		self.assertEqual(found, {channel: number for channel, number in of_api.items() if number})

	def test_conversions_by_channel(self) -> None:
		self.make_figures()
		chart = desk.conversions_by_channel()
		self.assertEqual(chart["labels"], ["Email", "Paid Search"])
		self.assertEqual(chart["datasets"], [{"name": "Conversions", "values": [0.5, 0.25]}])
		since, until = str(self.today - timedelta(days=29)), str(self.today)
		groups = attribution.compare_models(since, until)["groups"]
		of_api = {one["group"]: one["figures"][MODEL]["conversions"] for one in groups}
		self.assertEqual(of_api, {"Email": 0.5, "Paid Search": 0.25})

	def test_spend_and_value(self) -> None:
		self.make_figures()
		spend, value = desk.spend_and_value()["datasets"]
		self.assertEqual((spend["name"], value["name"]), ("Spend (USD)", "Value (USD)"))
		self.assertEqual((spend["values"][-7:], sum(spend["values"])), ([45.5, 0, 600, 0, 0, 0, 30], 675.5))
		self.assertEqual(value["values"], [day["value"].get("USD", 0) for day in self.overview()["by_day"]])

	def test_a_day_that_is_not_known_is_no_nought_in_silence(self) -> None:
		self.cost(0, 20)
		self.cost(1, 10, currency="EUR")
		self.work_out()
		spend, value = desk.spend_and_value()["datasets"]
		self.assertEqual(spend["name"], "Spend (USD, partly not known)")
		self.assertEqual(value["name"], "Value (USD)")

	def test_waste_by_campaign(self) -> None:
		self.make_figures()
		chart = desk.waste_by_campaign()
		self.assertEqual((chart["labels"], chart["datasets"][0]["values"]), (["A"], [630]))

	def test_what_is_below_the_largest_stands_together(self) -> None:
		for number in range(9):
			for age in (0, 60):
				self.cost(age, 100 - number, external_campaign_id=f"C{number}")
		self.work_out()
		chart = desk.waste_by_campaign()
		self.assertEqual(chart["labels"], ["C0", "C1", "C2", "C3", "C4", "Others"])
		self.assertEqual(chart["datasets"][0]["values"], [100, 99, 98, 97, 96, 95 + 94 + 93 + 92])

	def test_nothing(self) -> None:
		for chart in (
			desk.clicks_and_visitors,
			desk.visits_by_channel,
			desk.conversions_by_channel,
			desk.spend_and_value,
			desk.waste_by_campaign,
		):
			self.assertEqual(chart(), {})

	def test_texts_of_others_are_inert(self) -> None:
		"""SEC-2: Frappe's charts show labels as HTML."""
		for age in (0, 60):
			self.cost(age, 300, external_campaign_id="<img src=x onerror=alert(1)>")
		self.work_out()
		[label] = desk.waste_by_campaign()["labels"]
		self.assertNotIn("<", label)
		self.assertIn("img src=x", label)


class TestCost(DeskFiguresTestCase):
	"""PRF-6: a card asks no more than it must, however much there is."""

	STATEMENTS: ClassVar[dict[str, int]] = {
		"clicks": 5,
		"visitors": 6,
		"conversions": 2,
		"value": 8,
		"spend": 8,
		"waste": 14,
		"not_stored": 1,
		"clicks_and_visitors": 7,
		"visits_by_channel": 5,
		"conversions_by_channel": 2,
		"spend_and_value": 6,
		"waste_by_campaign": 14,
	}

	def counted(self) -> dict[str, int]:
		found = {}
		for name in self.STATEMENTS:
			getattr(workspace, name)()
			with counted_statements() as statements:
				getattr(workspace, name)()
			found[name] = len(statements)
		return found

	def test_statements(self) -> None:
		self.make_figures()
		self.assertEqual(self.counted(), self.STATEMENTS)
		link = factories.make_link("poster").name
		for age in range(30):
			self.click(link, self.ago(age))
			self.session(self.ago(age), number=age, channel=f"Channel {age}")
			self.cost(age, 10, external_campaign_id=f"C{age}")
		self.work_out()
		self.assertEqual(self.counted(), self.STATEMENTS)


class TestAsked(PermissionTestCase):
	"""ROL-P: as the desk asks, with what it sends along."""

	CARD: ClassVar[Row] = {"filters": []}
	CHART: ClassVar[Row] = {
		"chart_name": "TrackFlow Clicks and Visitors",
		"filters": {},
		"refresh": 1,
		"time_interval": None,
		"timespan": None,
		"from_date": None,
		"to_date": None,
		"heatmap_year": None,
	}

	def ask(self, user: str | None, name: str) -> int:
		sent = self.CHART if name in ("clicks_and_visitors", "spend_and_value") else self.CARD
		path = f"/api/method/trackflow.api.desk.{name}"
		return self.request("POST", path, headers=self.authorization(user), json=sent).status_code

	def test_by_role(self) -> None:
		for name in ("clicks", "waste", "clicks_and_visitors", "spend_and_value"):
			with self.subTest(name):
				self.assertEqual([self.ask(user, name) for user in (MANAGER, CAMPAIGNER)], [200, 200])
				self.assertEqual([self.ask(user, name) for user in (NOBODY, None)], [403, 403])

	def test_what_only_managers_may(self) -> None:
		self.assertEqual([self.ask(user, "not_stored") for user in (MANAGER, CAMPAIGNER)], [200, 403])

	@needs_node
	def test_a_card_is_shown_to_those_who_may_ask(self) -> None:
		"""Frappe shows a card to whoever may read its document type."""
		for name, card in records("Number Card").items():
			if card["type"] == "Custom":
				for user in (MANAGER, CAMPAIGNER):
					with self.subTest(name, user=user), self.set_user(user):
						may_see = bool(frappe.has_permission(card["document_type"], "read"))
						try:
							frappe.get_attr(card["method"])()
							may_ask = True
						except frappe.PermissionError:
							may_ask = False
						self.assertEqual(may_see, may_ask)


class TestTag(PermissionTestCase):
	"""COL-5: the tag that a website's pages embed, from the domain's form."""

	def tag(self, **values: Any) -> Row:
		self.domain = factories.make_domain(**values)
		return get_script_tag(self.domain.name)

	def test_the_script(self) -> None:
		found = self.tag(consent_required=0)
		site = frappe.utils.get_url()
		self.assertEqual((found["origin"], found["enabled"], found["has_banner"]), (site, True, False))
		address = f"{site}/api/method/trackflow.api.tracking.get_tracking_script?key={self.domain.public_key}"
		self.assertEqual(found["tag"], f'<script async src="{address}"></script>')

	def test_it_is_answered(self) -> None:
		address = urlsplit(self.tag(consent_required=0)["tag"].split('"')[1])
		answer = self.get(f"{address.path}?{address.query}")
		self.assertEqual((answer.status_code, answer.mimetype), (200, "text/javascript"))

	def test_the_banner_where_consent_is_asked_for(self) -> None:
		factories.set_settings(cookie_consent_required=1, cookie_consent_text='Is "this" <b>fine</b>?')
		found = self.tag(consent_required=1, consent_default="Opt-in")
		_script, banner = found["tag"].split("\n")
		self.assertTrue(found["has_banner"])
		self.assertTrue(
			banner.startswith(f'<script async src="{frappe.utils.get_url()}/assets/trackflow/js/')
		)
		self.assertIn("Is &quot;this&quot; ", banner)
		self.assertNotIn("<b>", banner)

	def test_a_domain_that_is_switched_off(self) -> None:
		self.assertFalse(self.tag(enabled=0)["enabled"])

	def test_who_may_read_it(self) -> None:
		name = self.tag()["tag"] and self.domain.name
		path = "/api/method/trackflow.api.domains.get_script_tag"
		answers = [
			self.get(path, query_string={"domain": name}, headers=self.authorization(user)).status_code
			for user in (MANAGER, CAMPAIGNER, NOBODY, None)
		]
		self.assertEqual(answers, [200, 200, 403, 403])


def list_scripts() -> Iterator[tuple[str, Path]]:
	for path in sorted((FOLDER / "doctype").glob("*/*_list.js")):
		yield json.loads((path.parent / f"{path.parent.name}.json").read_text())["name"], path


@needs_node
class TestLists(FrappeTestCase):
	"""UI-2: what lists show of documents, by their scripts and states."""

	NOW = "2026-03-31 12:00:00"

	def marked(self, doctype: str, *documents: Row) -> list[list[str]]:
		[path] = (path for name, path in list_scripts() if name == doctype)
		return self.run_script(doctype, path, documents)["indicators"]

	def run_script(self, doctype: str, path: Path, documents: Sequence[Row]) -> Row:
		given = json.dumps({"doctype": doctype, "now": self.NOW, "documents": documents})
		return json.loads(
			_node(str(FOLDER.parent / "tests" / "data" / "list_indicators.cjs"), str(path), given)
		)

	def colours(self, doctype: str, *documents: Row) -> list[str]:
		return [colour for _text, colour, _filter in self.marked(doctype, *documents)]

	def test_scripts_ask_for_fields_that_exist(self) -> None:
		for doctype, path in list_scripts():
			with self.subTest(doctype):
				found = self.run_script(doctype, path, [{"status": "", "event_type": ""}])
				meta = frappe.get_meta(doctype)
				self.assertTrue(all(meta.has_field(field) for field in found["fields"]))
				for _text, _colour, filters in found["indicators"] or ():
					self.assertTrue(meta.has_field(filters.split(",")[0]), filters)

	def test_links(self) -> None:
		active = {"status": "Active"}
		self.assertEqual(
			self.marked(
				"Tracked Link",
				active,
				{**active, "expiry_date": self.NOW},
				{**active, "max_clicks": 3, "click_count": 2, "scan_count": 1},
				{"status": "Paused"},
				{"status": "Archived"},
			),
			[
				["Active", "green", "status,=,Active"],
				["Ended", "red", "status,=,Active"],
				["Ended", "red", "status,=,Active"],
				["Paused", "orange", "status,=,Paused"],
				["Archived", "gray", "status,=,Archived"],
			],
		)
		# Frappe asks no script where a DocType has a state of that name.
		self.assertFalse(frappe.get_meta("Tracked Link").get("states"))

	def test_conversions(self) -> None:
		statuses = ("Pending", "Done", "Failed", "Kept")
		documents = [{"attribution_status": status} for status in statuses]
		self.assertEqual(self.colours("Conversion", *documents), ["orange", "green", "red", "gray"])

	def test_visitors(self) -> None:
		marked = self.marked("Visitor", {"is_bot": 1}, {"is_internal": 1}, {"has_converted": 1}, {})
		self.assertEqual(
			[text for text, *_more in marked], ["Robot", "Internal", "Converted", "Not Converted"]
		)

	def test_keys(self) -> None:
		active = {"is_active": 1}
		documents = (
			{},
			{**active, "expires_on": self.NOW},
			{**active, "expires_on": "2027-01-01 00:00:00"},
			active,
		)
		self.assertEqual(self.colours("TrackFlow API Key", *documents), ["gray", "red", "green", "green"])

	def test_acknowledgements(self) -> None:
		documents = ({"until": "2026-03-30"}, {"until": "2026-03-31"}, {})
		self.assertEqual(self.colours("Waste Acknowledgement", *documents), ["gray", "orange", "blue"])

	def test_daily_figures(self) -> None:
		documents = ({"severity": "high"}, {"severity": "medium"}, {"severity": "low"}, {"severity": ""})
		self.assertEqual(self.colours("Daily Rollup", *documents), ["red", "orange", "yellow", "green"])

	def test_requests(self) -> None:
		documents = [{"response_code": code} for code in (200, 403, 500)]
		self.assertEqual(self.colours("API Request Log", *documents), ["green", "orange", "red"])

	def test_every_status_has_a_colour(self) -> None:
		scripts = {doctype for doctype, _path in list_scripts()}
		for doctype in frappe.get_all(
			"DocType", {"module": MODULE, "istable": 0}, pluck="name", order_by="name"
		):
			meta = frappe.get_meta(doctype)
			if not (field := meta.get_field("status")):
				continue
			with self.subTest(doctype):
				statuses = set(field.options.split("\n"))
				states = {state.title for state in meta.get("states") or ()}
				if states:
					self.assertEqual(states, statuses)
				else:
					self.assertIn(doctype, scripts)
					colours = self.colours(doctype, *({"status": status} for status in sorted(statuses)))
					self.assertEqual(len(colours), len(statuses))

	def test_columns_that_frappe_would_leave_empty(self) -> None:
		"""Frappe asks the database for no field in whose name one of its own hides, such as `last_seen`."""
		for doctype in frappe.get_all(
			"DocType", {"module": MODULE, "istable": 0}, pluck="name", order_by="name"
		):
			for df in frappe.get_meta(doctype).fields:
				if df.in_list_view:
					self.assertFalse(
						[one for one in optional_fields if one in df.fieldname], (doctype, df.fieldname)
					)

	def test_connections_are_looked_up_by_an_index(self) -> None:
		"""DATA-1: a form counts what hangs on its document; small tables need no index."""
		small = {"Deal Link Association", "TrackFlow API Key", "Attribution Training"}
		for doctype in frappe.get_all(
			"DocType", {"module": MODULE, "istable": 0}, pluck="name", order_by="name"
		):
			for link in frappe.get_meta(doctype).get("links") or ():
				with self.subTest(doctype, to=link.link_doctype):
					self.assertTrue(frappe.get_meta(link.link_doctype).has_field(link.link_fieldname))
					indexes = getattr(load_doctype_module(link.link_doctype), "INDEXES", {})
					first = {columns[0] for columns in indexes.values()}
					self.assertTrue(link.link_fieldname in first or link.link_doctype in small)


class TestForms(FrappeTestCase):
	def test_what_forms_share_comes_with_them(self) -> None:
		for hook in SCRIPTS:
			for doctype, paths in frappe.get_hooks(hook, app_name="trackflow").items():
				with self.subTest(doctype):
					for path in [paths] if isinstance(paths, str) else paths:
						self.assertTrue(Path(frappe.get_app_path("trackflow", *path.split("/"))).is_file())

	def test_forms_and_lists_that_use_it_are_named(self) -> None:
		using = {
			path.stem for path in (FOLDER / "doctype").glob("*/*.js") if "trackflow.desk." in path.read_text()
		}
		named = {
			frappe.scrub(doctype) + ending
			for hook, ending in SCRIPTS.items()
			for doctype in frappe.get_hooks(hook, app_name="trackflow")
		}
		self.assertEqual(named, using)

	def test_what_they_show_is_text(self) -> None:
		"""SEC-2: nothing that an answer holds is taken for HTML."""
		shared = FOLDER.parent / "public" / "js" / "trackflow-desk.js"
		forms = (
			"tracked_link",
			"link_campaign",
			"domain_configuration",
			"conversion",
			"visitor",
			"webhook_delivery",
			"crm_sync_log",
		)
		for path in (shared, *(FOLDER / "doctype" / name / f"{name}.js" for name in forms)):
			with self.subTest(path.name):
				text = path.read_text()
				self.assertNotRegex(text, r"\.html\(|innerHTML|set_intro\(|msgprint\(")
				# What is put together as HTML holds no figure, but a colour of a table.
				for markup in re.findall(r"\$\(`[^`]*`", text):
					self.assertIn("indicator-pill", markup)
