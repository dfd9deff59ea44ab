"""What the weekly summary says, section by section. Each is a function of what was gathered, None where it has nothing to say.

The figures are those of the overview: nothing is counted anew here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frappe import _

from trackflow.weekly_summary.layout import Link, Mail, Section

Row = Mapping[str, Any]

MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Material:
	"""What was gathered: the overview of the week, its waste, the report on its tags, checks that fail, links by name."""

	site: str
	overview: Row
	waste: Row
	tags: Row
	findings: Sequence[tuple[str, str]]
	links: Sequence[Link]


def mail(material: Material) -> Mail:
	"""The whole of it."""
	week = _("{0} to {1}").format(material.overview["from_date"], material.overview["to_date"])
	found = [section for make in SECTIONS if (section := make(material))]
	return Mail(_("TrackFlow of {0}: {1}").format(material.site, week), tuple(found))


def figures(material: Material) -> Section:
	"""People, visits, conversions and value against the week before."""
	overview = material.overview
	names = {
		"visitors": _("Visitors (≈)") if overview["visitors_estimated"] else _("Visitors"),
		"sessions": _("Sessions"),
		"clicks": _("Clicks on short links"),
		"scans": _("Scans of QR codes"),
		"conversions": _("Conversions"),
	}
	rows = [_compared(text, overview["figures"][name]) for name, text in names.items()]
	rows += [
		_compared(_("Value ({0})").format(one["currency"] or _("no currency")), one)
		for one in overview["value"]
	]
	said = _("{0} to {1}, beside {2} to {3}. Conversions and value as the model {4} credits them.").format(
		overview["from_date"],
		overview["to_date"],
		overview["previous"]["from_date"],
		overview["previous"]["to_date"],
		overview["model"],
	)
	sentences = (said,)
	if overview["visitors_estimated"]:
		sentences += (_("Visitors are estimated, to about 2 %."),)
	head = (_("Figure"), _("This week"), _("Week before"), _("Change"))
	return Section(_("The week"), sentences=sentences, head=head, rows=tuple(rows))


def channels(material: Material) -> Section | None:
	rows = [
		_compared(one["channel"] or _("None"), one["touches"])
		for one in material.overview["by_channel"][:MOST_LINES]
	]
	if not rows:
		return None
	head = (_("Channel"), _("Touches"), _("Week before"), _("Change"))
	return Section(_("Channels"), head=head, rows=tuple(rows))


def campaigns(material: Material) -> Section | None:
	lines = material.overview["campaigns"]["lines"]
	head = (_("Campaign"), _("Sessions"), _("Conversions"), _("Value"))
	return _top(_("Campaigns"), head, [(one["name"], one["sessions"], one) for one in lines])


def links(material: Material) -> Section | None:
	lines = material.overview["links"]["lines"]
	head = (_("Link"), _("Clicks"), _("Conversions"), _("Value"))
	return _top(_("Links"), head, [(_label(one), one["clicks"], one) for one in lines])


def waste(material: Material) -> Section | None:
	"""Spend, and what of it was waste, campaign by campaign."""
	found = material.waste
	summary, currency = found["summary"], found["currency"]
	if not summary["spend"]:
		return None
	said = _("{0} {1} were spent.").format(number(summary["spend"]), currency)
	if not found["findings"]:
		return Section(_("Spend"), sentences=(said, _("None of it is judged as waste.")))
	wasted = _("{0} {1} of it were waste ({2} %); findings: {3}.").format(
		number(summary["waste"]), currency, number(round(summary["share"], 1)), summary["findings"]
	)
	points = tuple(f"{_place(one)}: {one['words']} {one['recommendation']}" for one in found["findings"])
	return Section(_("Spend"), sentences=(said, wasted), points=points)


def attention(material: Material) -> Section:
	"""What somebody should look at: checks of the site, campaign tags."""
	points = [f"{check}: {text}" for check, text in material.findings]
	for one in material.tags["findings"]:
		tag = f"{one['tag']}={one['value']}" if one["tag"] else one["value"]
		points.append(
			_("{0} ({1} sessions): {2} {3}").format(tag, one["sessions"], one["reason"], one["suggestion"])
		)
	if material.tags["others"]:
		points.append(_("{0} more findings on campaign tags.").format(material.tags["others"]))
	if not points:
		return Section(_("What needs attention"), sentences=(_("Nothing."),))
	return Section(_("What needs attention"), points=tuple(points))


def more(material: Material) -> Section | None:
	return Section(_("Reports"), links=tuple(material.links)) if material.links else None


# In this order. A section more is a function here, and what it needs a field of Material.
SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
	figures,
	channels,
	campaigns,
	links,
	waste,
	attention,
	more,
)


def _top(title: str, head: tuple[str, ...], lines: list[tuple[str, int, Row]]) -> Section | None:
	rows = [
		(name, number(count), number(one["conversions"]), _amounts(one["value"]))
		for name, count, one in lines[:MOST_LINES]
	]
	return Section(title, head=head, rows=tuple(rows)) if rows else None


def _compared(name: str, one: Row) -> tuple[str, ...]:
	return name, number(one["value"]), number(one["previous"]), change(one["change"])


def number(value: float | None) -> str:
	"""A figure with its thousands apart, and two places where it is no whole number."""
	if value is None:
		return "–"
	return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def change(percent: float | None) -> str:
	"""The change from the week before; from nothing there is none."""
	if percent is None:
		return "–"
	return f"{percent:+,.0f} %" if percent else "±0 %"


def _amounts(value: Mapping[str, float]) -> str:
	return ", ".join(f"{number(amount)} {currency}".strip() for currency, amount in value.items()) or "–"


def _place(one: Row) -> str:
	return " / ".join(part for part in (one["platform"], one["campaign"]) if part) or _("None")


def _label(line: Row) -> str:
	return str(line.get("title") or line.get("short_code") or line["name"] or _("None"))
