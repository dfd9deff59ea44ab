"""Stores what recipients did with mails: opens and clicks, as they come off the stream (EML-1).

A mail's row keeps its first traces, and all else is worked out of them (`traces`): so a record may come twice, in any order and in two
processes at once. Opens that name nobody are sums alone: those of a batch that comes again, as its drain was killed before it was
acknowledged, count twice. What was not signed never gets here, and a row that is nobody's any more (an erasure) learns nothing.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.email import traces
from trackflow.email.mailings import LOG, MAILING, status_of
from trackflow.times import site_time

Record = dict[str, Any]
Row = dict[str, Any]

FACTS = ("status", "sent_date", "opened_date", "clicked_date", "bounced_date", "unsubscribed_date")
HUMAN = ("Click", "QR Scan")


def of_mails(records: Collection[Record]) -> list[Record]:
	"""Those of a batch that tell of a mail."""
	return [one for one in records if one.get("mail") or one["kind"] == traces.OPEN]


def recipients_of(records: Collection[Record]) -> dict[str, str]:
	"""The addresses of recipients who clicked in their mail and may be recognised (a cookie, so consent or none needed), by the id
	of the click. No statement where there are none."""
	mails = {one["id"]: one["mail"] for one in records if one.get("mail") and _may_be_known(one)}
	rows = bulk.load(LOG, {"name": ("in", set(mails.values()))}, ["recipient"])
	known = {name: row.recipient for name, row in rows.items() if row.recipient}
	return {click: known[mail] for click, mail in mails.items() if mail in known}


def _may_be_known(record: Record) -> bool:
	return record["kind"] == traces.CLICK and record["counted"] and not record["cookieless"]


@retried
def store(records: Collection[Record]) -> None:
	"""Store opens and clicks in one transaction, which it ends."""
	zone = ZoneInfo(get_system_timezone())
	new: dict[str, list[traces.Trace]] = defaultdict(list)
	anonymous: Counter[str] = Counter()
	for one in records:
		if one.get("mail"):
			new[one["mail"]].append(_trace(one, zone))
		elif one["who"] != traces.ROBOT:
			anonymous[one["mailing"]] += 1
	frappe.db.commit()
	locked = bulk.lock(LOG, list(new), ["mailing", "recipient", "traces", *FACTS])
	rows = {name: row for name, row in locked.items() if row.recipient}
	bulk.update(LOG, {name: _changed(row, new[name]) for name, row in rows.items()}, is_locked=True)
	stale = {row.mailing for row in rows.values()} | anonymous.keys()
	bulk.add(MAILING, {name: {"anonymous_opens": number} for name, number in anonymous.items()})
	bulk.update(MAILING, {name: {"is_stale": 1} for name in stale})
	frappe.db.commit()


def _trace(record: Record, zone: ZoneInfo) -> traces.Trace:
	at = site_time(round(record["at"], 3), zone).isoformat(timespec="milliseconds")
	if record["kind"] == traces.OPEN:
		return (traces.OPEN, at, record["who"])
	return (traces.CLICK, at, record["link"] if record["event_type"] in HUMAN else "")


def _changed(row: Row, new: list[traces.Trace]) -> Row:
	"""What the row says with these traces too. Expired links and the like lead nowhere, and are no clicks."""
	known = traces.joined(json.loads(row.traces or "[]"), new)
	found = traces.judged(known)
	changes = {
		"traces": json.dumps(known),
		"opens": found.opens,
		"opened_date": found.opened_at,
		"clicks": found.clicks,
		"clicked_date": found.clicked_at,
		"tracked_link": found.link or None,
		"is_unsure": int(bool(found.unsure and not found.opens)),
		"is_scanner": int(found.is_scanner),
	}
	return {**changes, "status": status_of({**row, **changes})}
