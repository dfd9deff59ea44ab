"""UI-1: milliseconds until the content of each of the app's pages stands in a browser, on a site with 5,000 links, 200 campaigns and a
year of visits, leads and deals.

`python -m benchmarks.app_pages [--clicks 180000] [--repeats 3]`; see README.md. Benchless on MariaDB, and a Chromium on the PATH.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import frappe
from frappe.query_builder.functions import Max

from benchmarks import analytics, host, report, servers, traffic

DAYS = 365
LINKS, CAMPAIGNS, LEADS, DEALS = 5000, 200, 5000, 1000
TARGET = 1000
SCRIPT = Path(__file__).with_suffix(".mjs")
PORTION = 1000


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--clicks", type=int, default=180_000, help="clicks of the year")
	parser.add_argument(
		"--summed", type=int, default=DAYS, help="days that are summed up, the newest; all by default"
	)
	parser.add_argument("--repeats", type=int, default=3)
	parser.add_argument("--only", help="pages whose address contains this")
	host.add_arguments(parser)
	args = parser.parse_args()
	chromium = shutil.which("chromium")
	if not chromium:
		raise SystemExit("No chromium on the PATH.")
	with host.open_site(args, ["crm", "trackflow"]) as where:
		began = time.monotonic()
		names = _fill(args.clicks, args.summed)
		filled = time.monotonic() - began
		print(f"filled in {filled:.0f} s", flush=True)
		paths = [path for path in _paths(names) if (args.only or "") in path]
		with _served() as url:
			rows = [*_measured(url, chromium, paths, args.repeats)]
		tables = ("Tracked Link", "Link Campaign", "Click Event", "Visitor Session", "Visitor", "Conversion")
		notes = [
			f"Site: {where.name}, {frappe.db.db_type}; "
			+ ", ".join(f"{frappe.db.count(one):,} × {one}" for one in tables),
			f"{LEADS:,} leads, {DEALS:,} deals, {frappe.db.count('Daily Campaign Metric'):,} costs; filled in {filled:.0f} s",
			f"Medians of {args.repeats} after one that is not counted; server, database and browser share the machine",
			f"Target: {TARGET:,} ms",
		]
		head = ["Page", "ms until its content stands", "slowest run", "slowest request", "ms"]
		report.publish("Pages of the app (UI-1)", head, rows, notes, args.keep)


def _paths(names: dict[str, str]) -> list[str]:
	"""Every page: with the usual 30 days, where it is about a period with a year, and narrowed as people narrow it."""
	last = datetime.now().date()
	year = f"from={last - timedelta(days=DAYS - 1)}&to={last}"
	domain, campaign = f"domain={analytics.DOMAINS[1]}", f"campaign={names['campaign']}"
	of_campaign, of_link = f"/campaigns/{names['campaign']}", f"/links/{names['link']}"
	about_a_period = {
		"/": ("", domain),
		of_campaign: ("",),
		of_link: ("",),
		"/visitors": ("", campaign, "channel=Email&converted=1", "country=DE&sort=-page_views"),
		"/leads": ("", campaign, "search=lead", "sort=-touch_count"),
		"/deals": ("", campaign, "status=Won&sort=-value"),
		"/attribution": ("", "by=campaign", "by=link", "by=platform&figure=roas"),
		"/attribution?view=positions": ("", "by=campaign"),
		"/attribution?view=paths": ("",),
		"/attribution?view=unattributed": ("",),
		"/conversions": ("", campaign, "channel=Email&type=Lead"),
		"/spend": ("", "by=ad", "platform=Google%20Ads"),
		"/waste": ("", "by=ad", "severity=high"),
	}
	return [
		*(
			_joined(path, days, narrowed)
			for path, some in about_a_period.items()
			for days in ("", year)
			for narrowed in some
		),
		"/campaigns", "/campaigns?status=Active&search=9", "/campaigns?sort=-spend&page=8",
		"/links", f"/links?{campaign}", "/links?search=products", "/links?sort=-click_count&page=200", "/links/new", "/links/import",
		f"/visitors/{names['visitor']}", f"/leads/{names['lead']}", f"/deals/{names['deal']}", f"/conversions/{names['conversion']}",
		"/spend/import", "/spend/imports", "/settings", f"/settings/websites/{analytics.DOMAINS[1]}", "/settings/consent",
		"/settings/attribution", "/settings/retention", "/settings/crm-sync", "/settings/api-keys", "/settings/webhooks",
		"/settings/health", "/settings/more", "/start",
	]  # fmt: skip


def _joined(path: str, *queries: str) -> str:
	"""A page's address with what its query is made of."""
	query = "&".join(query for query in queries if query)
	return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _fill(clicks: int, summed: int) -> dict[str, str]:
	"""Bring the site to its size, sum its days up; answers what the pages about one thing are asked for."""
	from trackflow.click_rollups import run as click_rollups
	from trackflow.rollups import run as rollups

	links = traffic.make_site(LINKS)
	analytics.fill(links, clicks, DAYS, CAMPAIGNS, ads=1)
	if frappe.db.count("CRM Lead") < LEADS:
		_crm()
	first = datetime.now().date() - timedelta(days=summed)
	for name, work in (
		("clicks", lambda: click_rollups.run(first)),
		("spend", lambda: rollups.rebuild(_last_with_spend() or first)),
	):
		began = time.monotonic()
		work()
		frappe.db.commit()
		print(f"summed up {name} in {time.monotonic() - began:.0f} s", flush=True)
	return _one_of_each(links)


def _last_with_spend() -> date | None:
	"""The last day whose spend is summed up already, in a folder that was kept."""
	rollup = frappe.qb.DocType("Daily Rollup")
	return frappe.qb.from_(rollup).select(Max(rollup.date)).run()[0][0]


def _crm() -> None:
	"""Leads and deals of the year as they stand there, with what brought them."""
	from trackflow import bulk

	now = datetime.now()
	leads, deals = [], []
	for number in range(LEADS):
		at = now - timedelta(days=number * DAYS / LEADS)
		came = {
			"creation": at, "status": "New", "trackflow_source": "newsletter", "trackflow_medium": "email", "trackflow_touch_count": 1 + number % 5,
			"trackflow_campaign": f"Benchmark {number % CAMPAIGNS}", "trackflow_last_touch_date": at, "trackflow_first_touch_date": at,
		}  # fmt: skip
		leads.append(
			{
				"name": f"CRM-LEAD-{number:06}",
				"lead_name": f"Lead {number}",
				"first_name": "Lead",
				"email": f"{number}@example.com",
				**came,
			}
		)
		if number % (LEADS // DEALS) == 0:
			status = ("Qualification", "Won", "Lost")[number % 3]
			worth = {"deal_value": 100 + number % 900, "currency": "USD"}
			deals.append(
				{
					"name": f"CRM-DEAL-{number:06}",
					"organization_name": f"Company {number}",
					**came,
					**worth,
					"status": status,
				}
			)
	bulk.insert("CRM Lead", leads)
	bulk.insert("CRM Deal", deals)
	frappe.db.commit()


def _one_of_each(links: list[str]) -> dict[str, str]:
	"""A lead and a won deal with journey and credits, made as CRM makes them; and the busiest of the others."""
	visitor = frappe.get_all("Visitor Session", pluck="visitor_id", order_by="session_start desc", limit=1)[0]
	values = {
		"doctype": "CRM Lead",
		"first_name": "Benchmark",
		"status": "New",
		"trackflow_visitor_id": visitor,
	}
	lead = frappe.get_doc(values).insert().name
	deal = frappe.get_doc(
		{
			"doctype": "CRM Deal",
			"lead": lead,
			"status": "Won",
			"deal_value": 1000,
			"currency": "USD",
			"trackflow_visitor_id": visitor,
		}
	).insert()
	host.work()
	conversion = frappe.get_all("Conversion", {"crm_deal": deal.name}, pluck="name", order_by="name", limit=1)
	if not conversion:
		raise SystemExit("The deal has no conversion.")
	return {
		"campaign": "Benchmark 0", "link": links[0], "visitor": visitor, "lead": lead, "deal": deal.name, "conversion": conversion[0],
	}  # fmt: skip


@contextmanager
def _served() -> Iterator[str]:
	"""The site on a port of this machine, by a server with its workers."""
	port = servers.free_port()
	command = [sys.executable, "-m", "benchless", "--site", host.SITE, "serve", "--port", str(port)]
	process = subprocess.Popen(command, env={**os.environ}, stdout=subprocess.DEVNULL)
	url = f"http://localhost:{port}"
	try:
		servers.wait_until(lambda: _answers(url), f"the site on port {port}")
		yield url
	finally:
		process.terminate()
		process.wait(60)


def _answers(url: str) -> bool:
	try:
		with urlopen(f"{url}/api/method/ping", timeout=5) as response:
			return response.status == 200
	except OSError:
		return False


def _measured(url: str, chromium: str, paths: list[str], repeats: int) -> Iterator[list[Any]]:
	question = json.dumps(
		{
			"url": url,
			"chromium": chromium,
			"paths": [path.replace(" ", "%20") for path in paths],
			"repeats": repeats,
		}
	)
	with subprocess.Popen(["node", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
		assert node.stdin and node.stdout
		node.stdin.write(question)
		node.stdin.close()
		for line in node.stdout:
			told = json.loads(line)
			method, milliseconds = told["slowest"]
			row = [told["path"], statistics.median(told["times"]), max(told["times"]), method, milliseconds]
			print(*row, flush=True)
			yield row
	if node.returncode:
		raise SystemExit("The browser gave up.")


if __name__ == "__main__":
	main()
