"""PRF-6, ROL-1, ROL-2: how long a year of clicks and costs takes to be summed up by day, and in how much memory; then milliseconds of
the overview, of what a campaign, a link and a domain brought, of a person's journey, of what happens now, of the tag check and of
Link Performance, and rows per second of an export.

`python -m benchmarks.analytics [--clicks 10000000] [--history 365] [--days 30] [--repeats 5] [--explain]`; see README.md. MariaDB
alone: one day is made up, the others are copies of it with other visitors, which the database makes.
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
CAMPAIGNS, PAGES, ADS = 20, 500, 5
# Of five clicks two begin a session, with a touch and a page view; of a hundred sessions two convert.
CLICKS_PER_VISITOR = 3
# Visitors who are new each day; the others were here the days before.
NEW_VISITORS = 0.3
DOMAINS = (traffic.SHOP, "blog.example.com", "docs.example.com")
CHANNELS = ("Paid Search", "Email", "Organic Social", "Direct", "Referral")
SOURCES = ("google", "newsletter", "facebook", "googel", "Partner")
COUNTRIES = ("DE", "AT", "CH", "US", "FR", "GB")
BROWSERS, SYSTEMS = ("Chrome", "Safari", "Firefox", "Edge"), ("Windows", "Android", "iOS", "Mac OS X")
# With nine digits an id as visitors have it.
PREFIX = "v_aaaaaaa"
# What is made up, and when it was.
TABLES = {
	"Click Event": "click_timestamp",
	"Visitor Session": "session_start",
	"Touch Point": "occurred_at",
	"Visitor Event": "timestamp",
	"Conversion": "conversion_date",
	"Attribution Link": "conversion_date",
}


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--clicks", type=int, default=10_000_000, help="clicks of the history")
	parser.add_argument("--history", type=int, default=365, help="days of the history, today among them")
	parser.add_argument("--summed", type=int, help="days that are summed up, the newest; all by default")
	parser.add_argument("--days", type=int, default=30, help="days that figures are asked for")
	parser.add_argument("--repeats", type=int, default=5)
	parser.add_argument("--explain", action="store_true", help="show how MariaDB goes about each statement")
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where:
		links = traffic.make_site()
		fill(links, args.clicks, args.history)
		rows = [*_summed_up(args.summed or args.history)]
		rows += [row for name, work in _questions(links, args.days) for row in _measured(name, work, args)]
		rows += _exported(min(args.days, 3))
		tables = (
			"Click Event",
			"Visitor Session",
			"Touch Point",
			"Visitor Event",
			"Attribution Link",
			"Daily Campaign Metric",
		)
		notes = [
			f"Site: {where.name}, {frappe.db.db_type}; "
			+ ", ".join(f"{frappe.db.count(one):,} × {one}" for one in tables),
			f"{args.history} days; {frappe.db.count('Daily Click Rollup'):,} × Daily Click Rollup, {frappe.db.count('Daily Rollup'):,} "
			f"× Daily Rollup; today is told by its rows",
			f"Figures of {args.days} days; medians of {args.repeats} runs after one that is not counted",
			"Target of PRF-6: 300 ms over 10 million clicks",
		]
		report.publish("Analytics (PRF-6)", ["Figure", "Statements", "Value"], rows, notes, args.keep)


def _summed_up(days: int) -> Iterator[list[Any]]:
	from trackflow.click_rollups import run as clicks
	from trackflow.rollups import run as spend

	first, month = (date.today() - timedelta(days=number) for number in (days, min(days, 30)))
	for name, work in (
		("clicks and visits", lambda: clicks.run(first)),
		("clicks and visits again, nothing changed", lambda: clicks.rebuild(month)),
		("spend and credits", lambda: spend.rebuild(first)),
		("spend and credits again, nothing changed", lambda: spend.rebuild(month)),
	):
		before, began = _peak(), time.perf_counter()
		done = work()
		seconds = time.perf_counter() - began
		if done.failed:
			raise SystemExit(f"Days that failed: {done.failed}")
		print(f"{name}: {done.days} days, {done.rows_written:,} rows, {seconds:,.1f} s")
		yield [f"{name}: seconds for {done.days} days", "", seconds]
		yield [f"{name}: rows written", "", done.rows_written]
		yield [f"{name}: memory that it added, MiB", "", _peak() - before]


def _questions(links: list[str], days: int) -> Iterator[tuple[str, Callable[[], Any]]]:
	from trackflow.analytics import link_performance
	from trackflow.analytics.scope import Period
	from trackflow.api import analytics, campaign, visitor
	from trackflow.api.links import get_link_analytics

	last = date.today()
	first = last - timedelta(days=days - 1)
	period = str(first), str(last)
	wanted = link_performance.Wanted()
	yield "overview", lambda: analytics.get_overview(*period)
	yield "overview, its figures", lambda: analytics.get_overview(*period, part="figures")
	yield "overview, its lists", lambda: analytics.get_overview(*period, part="lists")
	yield "overview of a domain", lambda: analytics.get_overview(*period, domain=DOMAINS[1])
	yield "campaign", lambda: campaign.get_campaign_stats(_campaign(0), *period)
	yield "link", lambda: get_link_analytics(links[0], *period)
	yield "journey of a visitor", lambda: visitor.get_journey(_visitor(1))
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


def fill(links: list[str], clicks: int, days: int, campaigns: int = CAMPAIGNS, ads: int = ADS) -> None:
	"""A history of visits up to now, as many a day; costs of each day."""
	if frappe.db.db_type != "mariadb":
		raise SystemExit("Only MariaDB copies days.")
	_make_domains_and_campaigns(campaigns)
	per_day = clicks // days
	first = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
	if frappe.db.count("Click Event") < clicks // 2:
		for begin in range(0, per_day, PORTION):
			_fill_some(links, range(begin, min(begin + PORTION, per_day)), first, campaigns)
		_visitors(first, range(per_day // CLICKS_PER_VISITOR + 1))
		for day in range(1, days):
			_copy(first, day, per_day)
			came = per_day // CLICKS_PER_VISITOR + 1
			_visitors(
				first + timedelta(days=day), range(came + _new(per_day, day - 1), came + _new(per_day, day))
			)
			if day % 30 == 0:
				print(f"{day} of {days} days", flush=True)
	if not frappe.db.count("Daily Campaign Metric"):
		_costs(first.date(), days, campaigns, ads)
	for doctype in (*TABLES, "Daily Campaign Metric"):
		frappe.db.sql(f"analyze table `tab{doctype}`")


def _copy(first: datetime, day: int, per_day: int) -> None:
	"""Make the first day's rows once more, for a later day: of that day's time, and of other visitors. What a whole day brings is
	there up to now: today takes longest to tell, however early it is."""
	visitors = _new(per_day, day)
	begin = first + timedelta(days=day)
	pace = min((datetime.now() - begin) / timedelta(days=1), 1)
	for doctype, time_field in TABLES.items():
		columns = frappe.db.get_table_columns(doctype)
		since = f"timestampdiff(microsecond, '{first}', `{{0}}`)"
		moved = f"'{begin}' + interval cast({since} * {pace:f} as unsigned) microsecond"
		at = moved.format(time_field)
		stamp = f"lpad(lower(hex(timestampdiff(microsecond, '1970-01-01', {at}) div 1000)), 11, '0')"
		other = {time_field: at, "session_end": moved.format("session_end")}
		other |= {
			name: f"concat({stamp}, right(`{name}`, 21))"
			for name in ("name", "session", "touch_point", "conversion")
		}
		number = f"lpad(cast(right(`{{0}}`, 9) as unsigned) + {visitors}, 9, '0')"
		other |= {
			name: f"if(`{name}` is null, null, concat('{PREFIX}', {number.format(name)}))"
			for name in ("visitor_id", "visitor")
		}
		selected = ", ".join(other.get(column, f"`{column}`") for column in columns)
		into = ", ".join(f"`{column}`" for column in columns)
		frappe.db.sql(
			f"insert into `tab{doctype}` ({into}) select {selected} from `tab{doctype}` "
			f"where `{time_field}` >= %s and `{time_field}` < %s",
			(first, first + timedelta(days=1)),
		)
	frappe.db.commit()


def _new(per_day: int, days: int) -> int:
	"""Visitors who came anew in so many days after the first."""
	return int(per_day / CLICKS_PER_VISITOR * NEW_VISITORS) * days


def _visitors(day: datetime, numbers: range) -> None:
	from trackflow import bulk

	rows = ({"name": _visitor(number), "first_seen": day, "last_seen": day} for number in numbers)
	bulk.insert("Visitor", rows)
	frappe.db.commit()


def _costs(first: date, days: int, campaigns: int, ads: int) -> None:
	"""What each campaign spent on each of its ads."""
	from trackflow import bulk
	from trackflow.naming import key_name

	some = random.Random(SEED)
	for day in range(days):
		bulk.insert(
			"Daily Campaign Metric",
			[
				{
					"name": key_name(first + timedelta(days=day), campaign, ad), "date": first + timedelta(days=day), "platform": "Google Ads",
					"link_campaign": _campaign(campaign), "external_campaign_id": str(campaign), "external_ad_id": str(ad),
					"impressions": some.randrange(1000, 9000), "clicks": some.randrange(10, 300), "spend": some.randrange(100, 9000) / 100,
					"currency": "USD",
				}
				for campaign in range(campaigns)
				for ad in range(ads)
			],
		)  # fmt: skip
	frappe.db.commit()


def _make_domains_and_campaigns(campaigns: int) -> None:
	for domain in DOMAINS:
		if not frappe.db.exists("Domain Configuration", domain):
			values = {"domain": domain, "project": "Benchmark", "enabled": 1, "privacy_level": "Standard"}
			frappe.get_doc({"doctype": "Domain Configuration", **values}).insert()
	for number in range(campaigns):
		if not frappe.db.exists("Link Campaign", _campaign(number)):
			frappe.get_doc(
				{"doctype": "Link Campaign", "campaign_name": _campaign(number), "status": "Active"}
			).insert()
	frappe.db.commit()


def _fill_some(links: list[str], numbers: range, first: datetime, campaigns: int) -> None:
	from trackflow import bulk
	from trackflow.naming import timed_name

	some = random.Random(SEED + numbers.start)
	tables: dict[str, list[Row]] = {doctype: [] for doctype in TABLES}
	for number in numbers:
		at = first + timedelta(seconds=some.randrange(86_400))
		visitor, link = _visitor(number // CLICKS_PER_VISITOR), links[int(len(links) * some.random() ** 2)]
		campaign, domain = _campaign(hash_of(link) % campaigns), DOMAINS[number % len(DOMAINS)]
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
				"visitor_id": visitor, "campaign": campaign, "domain": "go.example.com", "short_code": link[:6], "device_type": "Desktop",
				"event_type": "Bot" if number % 9 == 0 else "Click", "counted": int(number % 9 != 0),
				"country": some.choice(COUNTRIES),
				"destination_url": f"https://{domain}/", "page_url": "https://go.example.com/r/x", "browser": some.choice(BROWSERS),
				"os": some.choice(SYSTEMS), "referrer": f"https://r{number % 300}.example/a?b={number}", **tags,
			}
		)  # fmt: skip
		if number % 5 not in (0, 2):
			continue
		tables["Visitor Session"].append(
			{
				"name": session, "session_start": at, "session_end": at + timedelta(minutes=pages), "page_views": pages,
				"event_count": pages, "is_bounce": int(pages == 1), "duration_seconds": 60 * (pages - 1), "link_campaign": campaign,
				"referrer": f"https://r{number % 300}.example/a?b={number}", "country": some.choice(COUNTRIES), "device_type": "Desktop", "browser": some.choice(BROWSERS),
				"os": some.choice(SYSTEMS), "source": tags["utm_source"], **came,
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
		if number % 125 == 0:
			tables["Conversion"].append(
				{
					"name": session, "conversion_type": "Lead", "conversion_date": at, "value": 10, "currency": "USD",
					"visitor": visitor, "tracked_link": link, "attribution_status": "Done",
				}
			)  # fmt: skip
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


def _visitor(number: int) -> str:
	return f"{PREFIX}{number:09d}"


def hash_of(text: str) -> int:
	"""The same in every process."""
	return sum(map(ord, text))


if __name__ == "__main__":
	main()
