"""Touch points: derived again, and those of one person to look at."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, day, on_site, print_json, print_table, trackflow

COLUMNS = ("occurred_at", "channel", "source", "medium", "campaign", "platform", "tracked_link", "visitor_id")


@trackflow.command("touchpoints")
@click.argument("name", required=False)
@click.option("--from", "from_date", type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--to", "to_date", type=click.DateTime(["%Y-%m-%d"]), help="Last day.")
@click.option(
	"--limit", type=click.IntRange(1, 5000), help="With NAME: so many of the last ones, 100 if none is given."
)
@as_json
@pass_context
def touchpoints(
	context: Any,
	name: str | None,
	from_date: datetime | None,
	to_date: datetime | None,
	limit: int | None,
	json_output: bool,
) -> None:
	"""Derive sessions and touch points again of all visitors, or of those who were here in a range of days; right ones change no
	row. Exits with 1 if it failed with some. With NAME, a visitor, a lead or a deal, nothing is derived: the touch points of that
	person are shown."""
	first, last = day(from_date), day(to_date)
	if first and last and last < first:
		raise click.UsageError("The range ends before it begins.")
	if name == "":
		# As a script has it whose variable is empty; all visitors are not what it asks for.
		raise click.UsageError("NAME is empty.")
	if limit and not name:
		raise click.UsageError("--limit goes with NAME.")
	if name:
		_print(on_site(context, lambda: _of_person(name, first, last, limit or 100)), json_output)
		return
	done = on_site(context, lambda: _derive(first, last, None if json_output else _tell))
	if json_output:
		print_json({"visitors": done.visitors, "rows_written": done.written, "visitors_failed": done.failed})
	else:
		click.echo(f"{done.visitors:,} visitors, {done.written:,} rows written.")
	if done.failed:
		click.echo(f"It failed with up to {done.failed:,} visitors: see the Error Log.", err=True)
		raise SystemExit(1)


def _derive(first: date | None, last: date | None, tell: Callable[[Any], None] | None) -> Any:
	from trackflow.tracking import repair

	return repair.derive_between(first, last, tell)


def _tell(done: Any) -> None:
	click.echo(f"{done.visitors:,} visitors, {done.written:,} rows", err=True)


def _of_person(name: str, first: date | None, last: date | None, limit: int) -> dict[str, Any]:
	from trackflow.integrations import persons
	from trackflow.privacy import reads
	from trackflow.tracking import timeline
	from trackflow.validation import plain_text

	visitors = persons.visitors_of(plain_text(name, "name"))
	reads.note("Visitor", *sorted(visitors))
	rows, count = timeline.touch_points(visitors, first, last, limit)
	return {"name": name, "visitors": len(visitors), "touch_points": rows, "count": count}


def _print(found: dict[str, Any], json_output: bool) -> None:
	if json_output:
		print_json(found)
		return
	rows = found["touch_points"]
	if not rows:
		click.echo("No touch points." if found["visitors"] else "No visitor is known.")
		return
	table = [{**row, "campaign": row["link_campaign"] or row["campaign"]} for row in rows]
	print_table(
		[column.replace("_", " ").capitalize() for column in COLUMNS],
		[[row[column] for column in COLUMNS] for row in table],
	)
	if found["count"] > len(rows):
		click.echo(f"The last {len(rows):,} of {found['count']:,}.")
