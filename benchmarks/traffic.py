"""Records as redirects and the website's script write them, for visitors and links that are made up, the same each time.

`history` fills a site with what stands there already; `clicks` makes what comes in new.
"""

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import frappe

from trackflow import bulk
from trackflow.naming import timed_name
from trackflow.tracking.rows import event_name

LINKS = 1000
CLICKS_PER_VISITOR = 5
DAY = timedelta(days=1)
SHOP = "shop.example.com"
PORTION = 5000
CHROME = "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.{build}.{patch}{mobile} Safari/537.36"
SYSTEMS = (
	("Windows NT 10.0; Win64; x64", ""),
	("Macintosh; Intel Mac OS X 10_15_7", ""),
	("X11; Linux x86_64", ""),
	("Linux; Android 14; Pixel {model}", " Mobile"),
	("Linux; Android 13; SM-S9{model:02d}B", " Mobile"),
)

Record = dict[str, Any]


def make_site(number: int = LINKS) -> list[str]:
	"""Settings, a domain and the links; answers the links' names."""
	settings = frappe.get_single("TrackFlow Settings")
	settings.enable_tracking = 1
	settings.save(ignore_permissions=True)
	if not frappe.db.exists("Domain Configuration", SHOP):
		frappe.get_doc(
			{"doctype": "Domain Configuration", "domain": SHOP, "enabled": 1, "privacy_level": "Standard"}
		).insert(ignore_permissions=True)
	missing = number - frappe.db.count("Tracked Link")
	for _number in range(max(missing, 0)):
		frappe.get_doc(
			{
				"doctype": "Tracked Link",
				"target_url": f"https://{SHOP}/products",
				"source": "newsletter",
				"medium": "social",
			}
		).insert(ignore_permissions=True)
	frappe.db.commit()
	return frappe.get_all("Tracked Link", pluck="name", order_by="name", limit=number)


def history(links: list[str], clicks: int) -> None:
	"""Bring the site to that many clicks, with their visitors, two sessions and two touch points for each."""
	have = frappe.db.count("Click Event")
	visitors = range(have // CLICKS_PER_VISITOR, clicks // CLICKS_PER_VISITOR)
	for first in range(visitors.start, visitors.stop, PORTION // CLICKS_PER_VISITOR):
		_fill(links, range(first, min(first + PORTION // CLICKS_PER_VISITOR, visitors.stop)))


def _fill(links: list[str], numbers: range) -> None:
	tables: dict[str, list[Record]] = {
		"Visitor": [], "Visitor Session": [], "Touch Point": [], "Click Event": []
	}  # fmt: skip
	now = datetime.now()
	for number in numbers:
		visitor = old_visitor(number)
		start = now - DAY * 3 - timedelta(seconds=number * 13 % (80 * 86400))
		times = [start + timedelta(hours=hours) for hours in (0, 0.1, 0.2, 30, 30.1)]
		common = {"source": "newsletter", "medium": "social", "channel": "Organic Social"}
		for begin, end in ((times[0], times[2]), (times[3], times[4])):
			session = timed_name(begin, "session", visitor)
			link = links[number * 7 % len(links)]
			tables["Visitor Session"].append(
				{
					"name": session, "visitor_id": visitor, "session_start": begin, "session_end": end,
					"tracked_link": link, "event_count": 0, **common,
				}
			)  # fmt: skip
			tables["Touch Point"].append(
				{
					"name": timed_name(begin, "touch", session), "session": session, "visitor_id": visitor,
					"occurred_at": begin, "tracked_link": link, **common,
				}
			)  # fmt: skip
		for index, at in enumerate(times):
			session = tables["Visitor Session"][-2 if index < 3 else -1]
			tables["Click Event"].append(
				{
					"name": f"{int(at.timestamp() * 1000):011x}{number * 8 + index:09x}", "visitor_id": visitor,
					"tracked_link": session["tracked_link"], "session": session["name"], "short_code": "history",
					"event_type": "Click", "click_timestamp": at, "counted": 1, "is_unique": int(not index),
					"page_url": "https://go.example.com/r/history", "destination_url": f"https://{SHOP}/products",
					"domain": SHOP, "utm_source": "newsletter", "utm_medium": "social", "device_type": "Desktop",
					"browser": "Chrome", "os": "Windows", "ip_address": address(number), "user_agent": agent(number),
				}
			)  # fmt: skip
		tables["Visitor"].append(
			{
				"name": visitor, "visitor_id": visitor, "first_seen": times[0], "last_seen": times[-1],
				"last_activity": times[-1], "first_touch_at": times[0], "last_touch_at": times[3],
				**common, **{f"last_{name}": value for name, value in common.items()},
			}
		)  # fmt: skip
	for doctype, rows in tables.items():
		bulk.insert(doctype, rows)
	frappe.db.commit()


def clicks(
	links: list[str], number: int, history_of: int, seed: int, with_landings: bool = True
) -> Iterator[list[Record]]:
	"""Entries of the stream that hold `number` clicks of the last minutes:

	of ten visits six are by new visitors with one click, one by a new one with two clicks on one link and one on another,
	one by one that is known since long, one of a new one whose landing page names the click (which comes too, `with_landings`),
	one of a robot.
	"""
	some = random.Random(seed)
	made = 0
	now = time.time() - 600
	while made < number:
		kind = some.randrange(10)
		visitor = f"v_{some.getrandbits(64):016x}"
		if kind == 6:
			visitor = old_visitor(some.randrange(max(history_of // CLICKS_PER_VISITOR, 1)))
		who = _who(visitor, some, is_bot=kind == 9)
		link = some.choice(links)
		at = now + 500 * made / number + some.random()
		records = [click(link, at, who, some)]
		if kind == 7:
			records += [click(link, at + 20, who, some), click(some.choice(links), at + 40, who, some)]
		made += len(records)
		yield from ([record] for record in records)
		if kind == 8 and with_landings:
			yield [landing(records[0], f"v_{some.getrandbits(64):016x}", some)]


def click(link: str, at: float, who: Record, some: random.Random) -> Record:
	"""A click's record."""
	code = link[:6]
	return {
		"kind": "click", "id": f"{int(at * 1000):011x}{some.getrandbits(36):09x}", "at": at, "link": link, "code": code,
		"campaign": "", "domain": "", "event_type": "Bot" if who["is_bot"] else "Click", "variant": "",
		"counted": not who["is_bot"], "url": f"https://go.example.com/r/{code}",
		"destination": f"https://{SHOP}/{code}?utm_source=newsletter&utm_medium=social&utm_content={code}",
		"referrer": some.choice(("", "", "https://www.example.org/", "https://news.example/today")),
		"utm": {"utm_source": "newsletter", "utm_medium": "social", "utm_content": code}, **who,
	}  # fmt: skip


def landing(of: Record, visitor: str, some: random.Random) -> Record:
	"""The page view that names a click, under the website's own visitor id."""
	event_id = f"{some.getrandbits(96):024x}"
	return {
		"kind": "event", "id": event_name("pk", event_id), "event_id": event_id, "at": of["at"] + 2,
		"received": of["at"] + 3, "domain": SHOP, "event_type": "PAGE_VIEW", "event_name": "",
		"url": of["destination"], "title": "Products", "referrer": "", "value": "0", "currency": "", "properties": None,
		"form": None, "screen": "1920x1080", "viewport": "1200x800", "click_ref": of["id"], "click_ids": {},
		"utm": of["utm"], "counted": True, "person": {},
		**{name: of[name] for name in ("address", "user_agent", "is_bot", "bot_reason", "is_internal")},
		"visitor": visitor, "cookieless": False,
	}  # fmt: skip


def _who(visitor: str, some: random.Random, is_bot: bool) -> Record:
	return {
		"visitor": visitor, "cookieless": False, "address": address(some.randrange(2**24)),
		"user_agent": agent(int(some.paretovariate(0.7))), "is_bot": is_bot,
		"bot_reason": "crawler" if is_bot else "", "is_internal": False,
	}  # fmt: skip


def old_visitor(number: int) -> str:
	return f"v_{number * 2654435761 % 2**64:016x}"


def address(number: int) -> str:
	return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def agent(number: int) -> str:
	"""One of some thousand user agents, low numbers being the common ones."""
	number = number % 5000
	system, mobile = SYSTEMS[number % len(SYSTEMS)]
	return CHROME.format(
		system=system.format(model=number % 60),
		major=110 + number % 37,
		build=number % 97,
		patch=number % 11,
		mobile=mobile,
	)
