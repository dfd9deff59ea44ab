"""Daily figures: worked out again."""

from datetime import datetime
from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, bar, day, on_site, print_json, trackflow


@trackflow.command("rollup")
@click.option("--from", "from_date", type=click.DateTime(["%Y-%m-%d"]), help="First day, changed or not.")
@click.option(
	"--to", "to_date", type=click.DateTime(["%Y-%m-%d"]), help="Last day; yesterday if none is given."
)
@click.option("--all", "everything", is_flag=True, help="All days that have costs, conversions or figures.")
@as_json
@pass_context
def rollup(
	context: Any,
	from_date: datetime | None,
	to_date: datetime | None,
	everything: bool,
	json_output: bool,
) -> None:
	"""Work out the daily figures of yesterday and of all days that changed, or of a range of days: spend and credits, then clicks and
	visits. Unchanged data changes no row. Exits with 1 if a day failed."""
	from trackflow.click_rollups import run as clicks
	from trackflow.rollups import run

	if everything and (from_date or to_date):
		raise click.UsageError("--all takes no days.")
	if to_date and not from_date:
		raise click.UsageError("--to goes with --from.")
	if from_date and to_date and to_date < from_date:
		raise click.UsageError("The range ends before it begins.")
	tell = bar(json_output, "days")

	def work() -> tuple[run.Done, run.Done]:
		if everything or from_date:
			days = day(from_date), day(to_date)
			return run.rebuild(*days, tell), clicks.rebuild(*days, tell)
		return run.run_nightly(tell), clicks.run(until=clicks.last_day(), tell=tell)

	spend, hits = on_site(context, work)
	if json_output:
		print_json({**spend.as_dict(), "clicks": hits.as_dict()})
	else:
		_say("Spend and credits", spend)
		_say("Clicks and visits", hits)
	if spend.failed or hits.failed:
		raise SystemExit(1)


def _say(what: str, done: Any) -> None:
	click.echo(f"{what}: {done.days} days worked out, {done.rows_written} rows written.")
	if done.failed:
		click.echo(f"Failed, see the Error Log: {', '.join(map(str, done.failed))}.")
