"""Tells the whole story on a running site: campaign, links, clicks, visits, leads, deals, credits, spend, waste
(`trackflow demo`).

Everything that visitors and people do goes over HTTP, as it would; the site's own worker does the work. What it makes is
marked as demo and is found again by the next run, so it can be told any number of times.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import frappe
import requests
from frappe import _
from frappe.utils import get_url, getdate, now_datetime

from trackflow.costs.rates import reporting_currency
from trackflow.demo import setting, tables
from trackflow.demo.people import COST_DAYS, COSTS, GOOGLEBOT, PEOPLE, SHOP, Person, Visit
from trackflow.demo.tables import Table
from trackflow.rollups import marks, run
from trackflow.tracking.conversions import DONE, name_of
from trackflow.tracking.identity import new_visitor_id

PATIENCE_SECONDS = 60


@dataclass(slots=True)
class Told:
	"""What one telling sent, and since when."""

	since: datetime
	clicks: int = 0
	robots: int = 0
	events: int = 0
	leads: list[str] = field(default_factory=list)
	deals: list[str] = field(default_factory=list)


def tell(url: str | None = None, shop: str = SHOP) -> list[Table]:
	"""Tell the story on the site at `url`, with a website at `shop` (which is not asked); returns it as tables."""
	stage = setting.prepare(shop.rstrip("/"))
	frappe.db.commit()
	told = Told(since=now_datetime())
	site = Site((url or get_url()).rstrip("/"), stage)
	for person in PEOPLE:
		_play(person, site, told)
	_send_a_robot(site, told)
	_wait(_("the clicks and events to be stored"), lambda: _all_stored(told))
	_wait(_("the leads and won deals to be credited"), lambda: _all_credited(told))
	site.enter(_costs())
	_wait(_("the daily figures"), lambda: not marks.days(None, run.yesterday()))
	return tables.of(told)


class Site:
	"""The site as the outside sees it."""

	def __init__(self, url: str, stage: setting.Stage) -> None:
		self.url, self.stage = url, stage
		self.session = requests.Session()
		self.session.headers["X-Frappe-Site-Name"] = frappe.local.site

	def click(self, code: str, agent: str) -> str:
		"""Click a short link; returns where it leads."""
		response = self._send("GET", f"/r/{code}", headers={"User-Agent": agent}, allow_redirects=False)
		return response.headers["Location"]

	def track(self, agent: str, events: list[dict[str, Any]]) -> None:
		"""Send events as the website's script does."""
		body = {"publicKey": self.stage.public_key, "sentAt": datetime.now(UTC).isoformat(), "events": events}
		headers = {"User-Agent": agent, "Origin": self.stage.shop, "Content-Type": "text/plain"}
		data = frappe.as_json(body).encode()
		self._send("POST", "/api/method/trackflow.api.tracking.track_event", headers=headers, data=data)

	def save(self, doctype: str, values: dict[str, Any], name: str = "") -> str:
		"""Make or change a document through the REST API, as the demo's own user; returns its name."""
		path = f"/api/resource/{doctype}" + (f"/{name}" if name else "")
		headers = {"Authorization": f"token {self.stage.token}"}
		return self._send("PUT" if name else "POST", path, headers=headers, json=values).json()["data"][
			"name"
		]

	def convert(self, lead: str) -> str:
		"""Convert a lead into a deal, as the CRM's button does; returns the deal."""
		path = "/api/method/crm.fcrm.doctype.crm_lead.crm_lead.convert_to_deal"
		headers = {"Authorization": f"token {self.stage.token}"}
		return self._send("POST", path, headers=headers, json={"lead": lead}).json()["message"]

	def enter(self, rows: list[dict[str, Any]]) -> None:
		"""Enter costs, as a program of the marketers' would."""
		headers = {"Authorization": f"token {self.stage.token}"}
		self._send("POST", "/api/method/trackflow.api.costs.upsert", headers=headers, json={"rows": rows})

	def _send(self, method: str, path: str, **options: Any) -> requests.Response:
		# A session's cookies would make one visitor of all people; each request stands for itself.
		self.session.cookies.clear()
		try:
			response = self.session.request(method, self.url + path, timeout=30, **options)
			response.raise_for_status()
		except requests.RequestException as error:
			frappe.throw(_("The site does not answer as it should at {0}: {1}").format(self.url, error))
		return response


def _play(person: Person, site: Site, told: Told) -> None:
	visitor_id = new_visitor_id()
	for visit in person.visits:
		_visit(person, visitor_id, visit, site, told)
	for code in person.clicks:
		landing = site.click(code, person.agent)
		told.clicks += 1
		# The script on the landing page tells the site of the visit, signed click id in the address and all.
		site.track(person.agent, [_event(visitor_id, landing)])
		told.events += 1
	if person.becomes_lead:
		_submit_form(person, visitor_id, site, told)
	if person.becomes_lead and setting.has_crm():
		_sell(person, visitor_id, site, told)


def _visit(person: Person, visitor_id: str, visit: Visit, site: Site, told: Told) -> None:
	at = datetime.now(UTC) - timedelta(hours=visit.hours_ago)
	url = site.stage.shop + visit.path
	site.track(person.agent, [_event(visitor_id, url, timestamp=at.isoformat(), referrer=visit.referrer)])
	told.events += 1


def _submit_form(person: Person, visitor_id: str, site: Site, told: Told) -> None:
	form = {"form_id": "contact", "fields": ["first_name", "email", "message"]}
	site.track(
		person.agent, [_event(visitor_id, f"{site.stage.shop}/contact", type="FORM_SUBMIT", properties=form)]
	)
	told.events += 1


def _sell(person: Person, visitor_id: str, site: Site, told: Told) -> None:
	lead = site.save(
		"CRM Lead",
		{
			"first_name": person.first_name,
			"email": person.email,
			"organization": "Demo Customers",
			"trackflow_visitor_id": visitor_id,
		},
	)
	told.leads.append(lead)
	if person.deal_value:
		deal = site.convert(lead)
		site.save("CRM Deal", {"status": "Proposal/Quotation", "deal_value": person.deal_value}, deal)
		site.save("CRM Deal", _outcome(person), deal)
		told.deals.append(deal)


def _outcome(person: Person) -> dict[str, Any]:
	if person.deal_is_lost:
		return {"status": "Lost", "lost_reason": setting.LOST_REASON}
	return {"status": "Won"}


def _event(visitor_id: str, url: str, **values: Any) -> dict[str, Any]:
	values = {"type": "PAGE_VIEW", "title": f"Demo: {urlsplit(url).path}", **values}
	return {"eventId": uuid4().hex, "url": url, "visitorId": visitor_id, "consent": "granted", **values}


def _costs() -> list[dict[str, Any]]:
	"""What the demo's campaigns cost; the same key each time, so that another telling adds nothing."""
	currency = reporting_currency()
	return [
		{
			"date": str(getdate() - timedelta(days=days_ago)),
			"platform": cost.platform,
			"campaign_name": cost.campaign,
			"spend": cost.spend,
			"impressions": cost.impressions,
			"clicks": cost.clicks,
			"currency": currency,
		}
		for cost in COSTS
		for days_ago in range(COST_DAYS)
	]


def _send_a_robot(site: Site, told: Told) -> None:
	site.click("demo-mail", GOOGLEBOT)
	told.robots += 1


def _all_stored(told: Told) -> bool:
	clicks = frappe.db.count("Click Event", {"creation": (">=", told.since)})
	events = frappe.db.count("Visitor Event", {"creation": (">=", told.since)})
	return clicks >= told.clicks + told.robots and events >= told.events


def _all_credited(told: Told) -> bool:
	won = [deal for deal in told.deals if frappe.db.get_value("CRM Deal", deal, "status") == "Won"]
	names = [name_of("Lead", lead) for lead in told.leads] + [name_of("Deal Won", deal) for deal in won]
	return frappe.db.count("Conversion", {"name": ("in", names or [""]), "attribution_status": DONE}) == len(
		names
	)


def _wait(what: str, is_done: Callable[[], bool]) -> None:
	deadline = time.monotonic() + PATIENCE_SECONDS
	while True:
		# A new snapshot, to see what the site and its worker stored.
		frappe.db.rollback()
		if is_done():
			return
		if time.monotonic() > deadline:
			frappe.throw(_("Gave up waiting for {0}. Is a worker of this site running?").format(what))
		time.sleep(0.25)
