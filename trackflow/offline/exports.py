"""Exports: looked at before, and made (ATT-8). docs/offline-conversions.md explains them; who may ask is the caller's.

A conversion goes to a platform once: the name of its row follows from both, so of two exports at a time the second collides, and is
done again without it. An export is one transaction that begins with the locks on the visitors and conversions that it is about: whose
consent is withdrawn, or who is erased, before it is not in it, and what is withdrawn afterwards comes after it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.day_range import moments
from trackflow.offline import gather, reasons
from trackflow.offline.decide import judge
from trackflow.offline.gather import ROW
from trackflow.offline.platforms import PLATFORMS, named
from trackflow.offline.shapes import Conversion, Event, Platform, later
from trackflow.times import iso
from trackflow.tracking.conversions import types_that_count

Row = dict[str, Any]

EXPORT = "Conversion Export"
AT_ONCE = 500
LONGEST_TYPE = 140


@dataclass(frozen=True, slots=True)
class Wanted:
	"""What is to be exported: to whom, of which days (both included), which type ("" for all that count), under which name."""

	platform: Platform
	first: date
	last: date
	type: str = ""
	action: str = ""

	def types(self) -> list[str]:
		if self.type:
			return [self.type]
		return sorted({one for some in types_that_count() for one in some if one})


@dataclass(slots=True)
class Found:
	"""What a look at the conversions found: those that can be sent, the visitors concerned, why others are not."""

	names: list[str] = field(default_factory=list)
	visitors: set[str] = field(default_factory=set)
	skipped: Counter[str] = field(default_factory=Counter)


def wanted(platform: str, first: date, last: date, conversion_type: str = "", action: str = "") -> Wanted:
	"""What is asked for, as it can be done; anything else is refused with words."""
	known = named(platform)
	if known is None:
		frappe.throw(_("{0} is none of: {1}.").format(platform, ", ".join(PLATFORMS)))
	action, conversion_type = action.strip(), conversion_type.strip()
	if len(conversion_type) > LONGEST_TYPE:
		# A database may take it for a shorter one: what shows nothing, it does not compare.
		frappe.throw(_("A conversion type has at most {0} characters.").format(LONGEST_TYPE))
	if action and (error := known.action_error(action)):
		frappe.throw(_("{0} takes no conversion of the name {1}: {2}.").format(known.name, action, _(error)))
	return Wanted(known, first, last, conversion_type, action)


def preview(asked: Wanted) -> Row:
	"""How many conversions an export would hold, and how many it would not, by reason."""
	found = _look(asked)
	return {
		"platform": asked.platform.name,
		"from_date": str(asked.first),
		"to_date": str(asked.last),
		"conversion_types": asked.types(),
		"conversions": len(found.names),
		"skipped": dict(found.skipped),
		"reasons": told(found.skipped),
	}


def told(skipped: dict[str, int]) -> list[Row]:
	"""Reasons with their words, the most frequent first."""
	in_order = sorted(skipped.items(), key=lambda item: (-item[1], item[0]))
	return [{"reason": name, "words": _(reasons.WORDS[name]), "count": count} for name, count in in_order]


def create(asked: Wanted) -> str:
	"""Make an export with its file; answers its name. Ends the transaction; nothing is stored where nothing can be sent."""
	platform = asked.platform
	if platform.wants_action and not asked.action:
		error = _(platform.action_error(""))
		frappe.throw(_("Say what {0} knows these conversions by: {1}.").format(platform.name, error))
	return _store(asked, _look(asked))


def _look(asked: Wanted) -> Found:
	begin, end = moments(asked.first, asked.last)
	found, now = Found(), gather.now()
	# What is too old by days is counted and not read.
	oldest = later(now, -asked.platform.oldest).replace(tzinfo=None)
	if begin < oldest:
		if old := _count(asked.types(), begin, min(oldest, end)):
			found.skipped[reasons.TOO_OLD] += old
		begin = oldest
	for portion in gather.between(asked.platform, asked.types(), begin, end) if begin < end else ():
		for conversion, verdict in _judged(portion, asked, now):
			if isinstance(verdict, str):
				found.skipped[verdict] += 1
			elif len(found.names) == asked.platform.most:
				found.skipped[reasons.NEXT_FILE] += 1
			else:
				found.names.append(conversion.name)
				found.visitors.update(one.id for one in conversion.browsers)
	return found


def _judged(
	portion: Iterable[Conversion], asked: Wanted, now: datetime
) -> Iterator[tuple[Conversion, Event | str]]:
	for conversion in portion:
		yield conversion, judge(conversion, asked.platform, asked.action, now)


def _count(types: Sequence[str], begin: datetime, end: datetime) -> int:
	table = frappe.qb.DocType("Conversion")
	query = frappe.qb.from_(table).select(frappe.query_builder.functions.Count("*"))
	return query.where(
		table.conversion_type.isin([*types, ""])
		& (table.conversion_date >= begin)
		& (table.conversion_date < end)
	).run()[0][0]


@retried
def _store(asked: Wanted, found: Found) -> str:
	frappe.db.commit()
	bulk.lock("Visitor", found.visitors)
	bulk.lock("Conversion", found.names)
	events, skipped = _again(asked, found)
	if not events:
		frappe.throw(_("There is nothing to export. {0}").format(_sentence(skipped)))
	name = frappe.generate_hash(length=10)
	_insert(name, asked, events, skipped)
	frappe.db.commit()
	return name


def _again(asked: Wanted, found: Found) -> tuple[list[Event], Counter[str]]:
	"""The events of what was found, now that nobody can change it, and why others are not among them."""
	events: list[Event] = []
	skipped, now, names = Counter(found.skipped), gather.now(), iter(found.names)
	while some := list(islice(names, AT_ONCE)):
		for _conversion, verdict in _judged(gather.of_names(asked.platform, some), asked, now):
			if isinstance(verdict, str):
				skipped[verdict] += 1
			else:
				events.append(verdict)
	return events, skipped


def _insert(name: str, asked: Wanted, events: Sequence[Event], skipped: Counter[str]) -> None:
	platform = asked.platform
	until = min(map(platform.until, events)).astimezone(gather.zone()).replace(tzinfo=None)
	export = {
		"name": name,
		"platform": platform.name,
		"conversion_type": asked.type,
		"action": asked.action,
		"from_date": asked.first,
		"to_date": asked.last,
		"conversion_count": len(events),
		"skipped_count": sum(skipped.values()),
		"skipped": json.dumps(dict(sorted(skipped.items()))),
		"exported_by": frappe.session.user,
		"exported_on": now_datetime(),
		"send_before": until,
	}
	bulk.insert(EXPORT, [export])
	lines = [platform.line(event) for event in events]
	bulk.insert(
		ROW,
		[
			{
				"name": gather.row_name(platform, event.id),
				"export": name,
				"platform": platform.name,
				"conversion": event.id,
				"visitor": event.visitor,
				"conversion_date": event.at.replace(tzinfo=None),
				"event_name": event.called,
				"place": place,
				"line": line,
			}
			for place, (event, line) in enumerate(zip(events, lines, strict=True))
		],
	)
	file_url = _attach(name, asked, platform.document(lines))
	frappe.db.set_value(EXPORT, name, "file", file_url, update_modified=False)


def _attach(name: str, asked: Wanted, content: str) -> str:
	"""The file, private: whoever may read the export may download it."""
	short = asked.platform.name.lower().replace(" ", "-")
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"{short}-conversions-{asked.first}-{asked.last}-{name}.{asked.platform.extension}",
			"attached_to_doctype": EXPORT,
			"attached_to_name": name,
			"is_private": 1,
			"content": content.encode(),
		}
	)
	return file.insert(ignore_permissions=True).file_url


def outcome(name: str) -> Row:
	"""What was made."""
	row = frappe.db.get_value(
		EXPORT, name, ["name", "platform", "conversion_count", "skipped", "send_before", "file"], as_dict=True
	)
	skipped = frappe.parse_json(row.skipped) or {}
	return {
		"export": row.name,
		"platform": row.platform,
		"conversions": row.conversion_count,
		"skipped": skipped,
		"reasons": told(skipped),
		"send_before": iso(row.send_before, gather.zone()),
		"file_url": row.file,
	}


def _sentence(skipped: dict[str, int]) -> str:
	if not skipped:
		return _("In these days there was no such conversion.")
	return "; ".join(f"{one['words']}: {one['count']}" for one in told(skipped)) + "."
