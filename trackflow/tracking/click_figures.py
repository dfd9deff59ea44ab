"""What counts as a click, for every figure of links (RED-4): people are counted clicks and scans, robots are bots and prefetches.

Terms for queries over Click Event; nothing here reads.
"""

from typing import Any

from frappe.query_builder import Case
from frappe.query_builder.functions import Sum

HUMAN, ROBOT = ("Click", "QR Scan"), ("Bot", "Prefetch")
# By name, the kind of click and whether it has to be counted.
FIGURES = {
	"clicks": ("Click", True),
	"scans": ("QR Scan", True),
	"bots": ("Bot", False),
	"prefetches": ("Prefetch", False),
	"blocked": ("Blocked", False),
	"expired": ("Expired", False),
	"internal": ("", False),
}


def is_human(click: Any) -> Any:
	"""The click is a person's, and counts."""
	return click.event_type.isin(HUMAN) & (click.counted == 1)


def is_robot(click: Any) -> Any:
	return click.event_type.isin(ROBOT)


def figures(click: Any) -> dict[str, Any]:
	"""The sums of FIGURES, by name."""
	return {name: number(_is(click, *figure)) for name, figure in FIGURES.items()}


def number(condition: Any) -> Any:
	"""How many rows fulfil it."""
	return Sum(Case().when(condition, 1).else_(0))


def _is(click: Any, event_type: str, must_count: bool) -> Any:
	if not event_type:
		return click.event_type.isin(HUMAN) & (click.is_internal == 1)
	wanted = click.event_type == event_type
	return wanted & (click.counted == 1) if must_count else wanted
