"""PRF-6: milliseconds of the overview, of what a campaign, a link and a domain brought, of what happens now, of the tag check and of
Link Performance, and rows per second of an export, over a history of clicks and as many page views.

`python -m benchmarks.analytics [--clicks 300000] [--days 30] [--repeats 5] [--explain]`; see README.md.
"""

import argparse
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import frappe

from benchmarks import host, report, traffic

Row = dict[str, Any]

SEED = 11
PORTION = 5000
# Of as many days the history is.
HISTORY_DAYS = 80
CAMPAIGNS, PAGES = 20, 500
DOMAINS = (traffic.SHOP, "blog.example.com", "docs.example.com")
CHANNELS = ("Paid Search", "Email", "Organic Social", "Direct", "Referral")
SOURCES = ("google", "newsletter", "facebook", "googel", "Partner")
PREFIX = "v_analytics"


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument(
		"--clicks",
		type=int,
		default=300_000,
		help="clicks of the history, with as many sessions and page views",
	)
	parser.add_argument("--days", type=int, default=30, help="days that figures are asked for")
	parser.add_argument("--repeats", type=int, default=5)
	parser.add_argument("--explain", action="store_true", help="show how MariaDB goes about each statement")
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where:
		links = traffic.make_site()
		_fill(links, args.clicks)
		rows = [row for name, work in _questions(links, args.days) for row in _measured(name, work, args)]
		rows += _exported(args.days)
		notes = [
			f"Site: {where.name}, {frappe.db.db_type}; {frappe.db.count('Click Event'):,} clicks, "
			f"{frappe.db.count('Visitor Session'):,} sessions, {frappe.db.count('Visitor Event'):,} events of {HISTORY_DAYS} days",
			f"Figures of {args.days} days; medians of {args.repeats} runs after one that is not counted",
			"Target of PRF-6: 300 ms over 10 million clicks",
		]
		report.publish("Analytics (PRF-6)", ["Figure", "Statements", "Value"], rows, notes, args.keep)


def _questions(links: list[str], days: int) -> Iterator[tuple[str, Callable[[], Any]]]:
	from trackflow.analytics import link_performance
	from trackflow.analytics.scope import Period
	from trackflow.api import analytics, campaign
	from trackflow.api.links import get_link_analytics

	last = date.today()
	first = last - timedelta(days=days - 1)
	period = str(first), str(last)
	wanted = link_performance.Wanted()
	yield "overview", lambda: analytics.get_overview(*period)
	yield "overview of a domain", lambda: analytics.get_overview(*period, domain=DOMAINS[1])
	yield "campaign", lambda: campaign.get_campaign_stats(_campaign(0), *period)
	yield "link", lambda: get_link_analytics(links[0], *period)
	yield "statistics", lambda: analytics.statistics(None, None, *period)
	yield "last 30 minutes", lambda: analytics.realtime()
	yield "latest events of a domain", lambda: analytics.latest_events(DOMAINS[1])
	yield "check of tags", lambda: analytics.utm_report(*period)
	yield (
		"report Link Performance",
		lambda: link_performance.performance(Period(first, last), wanted, "Last Touch"),
	)


def _measured(name: str, work: Callable[[], Any], args: argparse.Namespace) -> Iterator[list[Any]]:
	work()
	statements = _statements(work)
	seconds = []
	for _number in range(args.repeats):
		frappe.db.rollback()
		began = time.perf_counter()
		work()
		seconds.append(time.perf_counter() - began)
	if args.explain:
		for text, values, took in statements:
			_explain(text, values, took)
	print(f"{name}: {statistics.median(seconds) * 1000:,.0f} ms")
	yield [f"{name}, ms", len(statements), statistics.median(seconds) * 1000]


def _statements(work: Callable[[], Any]) -> list[tuple[str, Any, float]]:
	"""What is sent to the database, and how long each takes."""
	database, original, found = type(frappe.local.db), type(frappe.local.db).sql, []

	def sql(self: Any, query: Any, values: Any = (), *args: Any, **kwargs: Any) -> Any:
		began = time.perf_counter()
		try:
			return original(self, query, values, *args, **kwargs)
		finally:
			found.append((str(query), values, time.perf_counter() - began))

	database.sql = sql
	try:
		work()
	finally:
		database.sql = original
	return found


def _explain(text: str, values: Any, took: float) -> None:
	print(f"\n{took * 1000:8.1f} ms  {text[:400]}")
	for row in frappe.db.sql(f"explain {text}", values, as_dict=True):
		print("   ", {name: row[name] for name in ("table", "type", "key", "rows", "Extra")})


def _exported(days: int) -> Iterator[list[Any]]:
	from trackflow.analytics import exporting
	from trackflow.analytics.scope import Period, Scope

	period = Period(date.today() - timedelta(days=days - 1), date.today())
	for what in ("clicks", "credits"):
		before, began = _peak(), time.perf_counter()
		size = sum(map(len, exporting.exported(what, "csv", Scope(), period)))
		seconds = time.perf_counter() - began
		table = exporting.KINDS[what]
		number = frappe.db.count(table.doctype, {table.at: (">=", period.begin)})
		yield [f"export of {number:,} {what} ({size / 1e6:,.0f} MB), rows/s", "", number / seconds]
		yield [f"memory that the export of {what} added, MiB", "", _peak() - before]


def _peak() -> float:
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _campaign(number: int) -> str:
	return f"Benchmark {number}"


def _fill(links: list[str], clicks: int) -> None:
	"""A history of visits: each begins with a click, sees some pages, and of fifty one converts."""
	_make_domains_and_campaigns()
	have = frappe.db.count("Click Event", {"visitor_id": ("like", f"{PREFIX}%")})
	for first in range(have, clicks, PORTION):
		_fill_some(links, range(first, min(first + PORTION, clicks)))
	for doctype in ("Click Event", "Visitor Session", "Visitor Event", "Touch Point", "Attribution Link"):
		if frappe.db.db_type == "mariadb":
			frappe.db.sql(f"analyze table `tab{doctype}`")


def _make_domains_and_campaigns() -> None:
	for domain in DOMAINS:
		if not frappe.db.exists("Domain Configuration", domain):
			values = {"domain": domain, "project": "Benchmark", "enabled": 1, "privacy_level": "Standard"}
			frappe.get_doc({"doctype": "Domain Configuration", **values}).insert()
	for number in range(CAMPAIGNS):
		if not frappe.db.exists("Link Campaign", _campaign(number)):
			frappe.get_doc(
				{"doctype": "Link Campaign", "campaign_name": _campaign(number), "status": "Active"}
			).insert()
	frappe.db.commit()


def _fill_some(links: list[str], numbers: range) -> None:
	from trackflow import bulk
	from trackflow.naming import timed_name

	some = random.Random(SEED + numbers.start)
	now = datetime.now().replace(microsecond=0)
	tables: dict[str, list[Row]] = {
		"Click Event": [], "Visitor Session": [], "Touch Point": [], "Visitor Event": [], "Attribution Link": []
	}  # fmt: skip
	for number in numbers:
		at = now - timedelta(seconds=some.randrange(HISTORY_DAYS * 86_400))
		visitor, link = f"{PREFIX}{number // 3:09d}", links[int(len(links) * some.random() ** 2)]
		campaign, domain = _campaign(hash_of(link) % CAMPAIGNS), DOMAINS[number % len(DOMAINS)]
		session = timed_name(at, "session", visitor, str(number))
		touch = timed_name(at, "touch", session)
		came = {
			"channel": some.choice(CHANNELS),
			"tracked_link": link,
			"domain": domain,
			"visitor_id": visitor,
		}
		tags = {"utm_source": some.choice(SOURCES), "utm_medium": "cpc", "utm_campaign": campaign}
		pages = some.choice((1, 1, 2, 3))
		tables["Click Event"].append(
			{
				"name": timed_name(at, "click", session), "click_timestamp": at, "tracked_link": link, "session": session,
				"visitor_id": visitor, "campaign": campaign, "domain": domain, "short_code": link[:6], "device_type": "Desktop",
				"event_type": "Bot" if number % 9 == 0 else "Click", "counted": int(number % 9 != 0), "country": "DE",
				"destination_url": f"https://{domain}/", "page_url": "https://go.example.com/r/x", **tags,
			}
		)  # fmt: skip
		tables["Visitor Session"].append(
			{
				"name": session, "session_start": at, "session_end": at + timedelta(minutes=pages), "page_views": pages,
				"event_count": pages, "is_bounce": int(pages == 1), "duration_seconds": 60 * (pages - 1), "link_campaign": campaign,
				"referrer": f"https://r{number % 300}.example/a?b={number}", "country": "DE", "device_type": "Desktop", **came,
			}
		)  # fmt: skip
		tables["Touch Point"].append(
			{
				"name": touch,
				"session": session,
				"occurred_at": at,
				"link_campaign": campaign,
				"is_direct": 0,
				**came,
			}
		)
		tables["Visitor Event"].append(
			{
				"name": timed_name(at, "event", session), "timestamp": at, "event_type": "PAGE_VIEW", "visitor": visitor,
				"session": session, "counted": 1, "domain": domain, **tags,
				"page_url": f"https://{domain}/page-{int(PAGES * some.random() ** 3)}?utm_source=x&gclid={number}",
			}
		)  # fmt: skip
		if number % 50 == 0:
			tables["Attribution Link"] += [
				{
					"name": timed_name(at, "credit", session, model), "conversion": session, "touch_point": touch, "position": 1,
					"attribution_model": model, "weight": 1, "credited_value": 10, "currency": "USD", "channel": came["channel"],
					"campaign": campaign, "tracked_link": link, "conversion_date": at, "conversion_type": "Lead",
				}
				for model in ("Last Touch", "Linear")
			]  # fmt: skip
	for doctype, rows in tables.items():
		bulk.insert(doctype, rows)
	frappe.db.commit()


def hash_of(text: str) -> int:
	"""The same in every process."""
	return sum(map(ord, text))


if __name__ == "__main__":
	main()
