"""The lists of links and campaigns as the app asks for them (UI-1): so many statements whatever there is, and none that looks at
rows one by one."""

import json
from typing import Any

import frappe

from trackflow import bulk
from trackflow.tests.base import counted_statements
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase

METHOD = "/api/method/frappe.client."
# As frontend/src/pages has them.
LINKS: dict[str, Any] = {
	"doctype": "Tracked Link",
	"fields": [
		"name", "title", "short_code", "domain", "status", "campaign", "click_count", "scan_count", "conversion_count", "creation",
		"starts_on", "expiry_date", "max_clicks",
	],
}  # fmt: skip
CAMPAIGNS: dict[str, Any] = {
	"doctype": "Link Campaign",
	"fields": [
		"name", "status", "campaign_type", "start_date", "end_date", "total_clicks", "conversions", "revenue", "spend", "currency",
		"figures_notice",
	],
}  # fmt: skip
SEARCH = [[field, "like", "%page-7%"] for field in ("title", "short_code", "target_url")]


def fill(links: int, campaigns: int) -> None:
	bulk.insert(
		"Link Campaign",
		[
			{
				"name": f"Campaign {number}",
				"campaign_name": f"Campaign {number}",
				"campaign_id": f"campaign-{number}",
				"status": ("Active", "Completed")[number % 2],
				"currency": "USD",
				"spend": number,
			}
			for number in range(campaigns)
		],
	)
	bulk.insert(
		"Tracked Link",
		[
			{
				"name": f"link-{number:05d}",
				"title": f"page-{number}",
				"short_code": f"code{number}",
				"target_url": f"https://shop.example.com/page-{number}",
				"status": ("Active", "Paused")[number % 2],
				"campaign": f"Campaign {number % campaigns}",
				"qr_code": f"https://go.example.com/r/code{number}?qr=1",
				"click_count": number % 1000,
			}
			for number in range(links)
		],
	)
	frappe.db.commit()


class TestLists(PermissionTestCase):
	def ask(self, method: str, user: str = CAMPAIGNER, **values: Any) -> Any:
		query = {name: json.dumps(one) if isinstance(one, list) else one for name, one in values.items()}
		answer = self.get(METHOD + method, query_string=query, headers=self.authorization(user))
		self.assertEqual(answer.status_code, 200, answer.text)
		return answer.json["message"]

	def pages(self) -> list[Any]:
		paging = {"limit_start": 40, "limit_page_length": 21}
		active = [["status", "=", "Active"]]
		return [
			lambda: self.ask("get_list", **LINKS, **paging, order_by="creation desc, name asc"),
			lambda: self.ask(
				"get_list", **LINKS, **paging, filters=active, order_by="click_count desc, name asc"
			),
			lambda: self.ask(
				"get_list", **LINKS, limit_page_length=21, or_filters=SEARCH, order_by="title asc, name asc"
			),
			lambda: self.ask("get_count", doctype="Tracked Link", filters=active),
			lambda: self.ask("get_list", **CAMPAIGNS, **paging, order_by="spend desc, name asc"),
			lambda: self.ask("get_count", doctype="Link Campaign", filters=active),
		]

	def test_statements_are_as_many_for_5000_links(self) -> None:
		counts = []
		for links, campaigns in ((90, 62), (5000, 200)):
			for doctype in ("Tracked Link", "Link Campaign"):
				frappe.db.delete(doctype)
			fill(links, campaigns)
			for ask in self.pages():
				ask()
			found = []
			for ask in self.pages():
				with counted_statements() as statements:
					self.assertTrue(ask())
				of_lists = [
					one for one in statements if "tabTracked Link" in one or "tabLink Campaign" in one
				]
				self.assertEqual(len(of_lists), 1, of_lists)
				found.append(len(statements))
			counts.append(found)
		self.assertEqual(*counts)

	def test_what_they_hold(self) -> None:
		fill(90, 10)
		[first, *_rest] = self.ask(
			"get_list", **LINKS, limit_page_length=21, order_by="click_count desc, name asc"
		)
		self.assertEqual((first["name"], first["campaign"]), ("link-00089", "Campaign 9"))
		found = self.ask("get_list", **LINKS, or_filters=SEARCH, order_by="title asc", limit_page_length=21)
		self.assertEqual(len(found), 11)
		of_campaign = [["campaign", "=", "Campaign 3"], ["qr_code", "like", "%://go.example.com/%"]]
		self.assertEqual(len(self.ask("get_list", **LINKS, filters=of_campaign, limit_page_length=50)), 9)
		self.assertEqual(self.ask("get_count", doctype="Tracked Link", filters=of_campaign), 9)

	def test_not_for_who_may_not_read_them(self) -> None:
		for values in (LINKS, CAMPAIGNS):
			query = {name: json.dumps(one) if isinstance(one, list) else one for name, one in values.items()}
			answer = self.get(f"{METHOD}get_list", query_string=query, headers=self.authorization(NOBODY))
			self.assertEqual(answer.status_code, 403)
