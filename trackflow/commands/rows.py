"""Rows out of the site."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, on_site, trackflow


@trackflow.command("export")
@click.argument(
	"what", type=click.Choice(["clicks", "sessions", "events", "touches", "conversions", "credits", "links"])
)
@click.option(
	"--from", "from_date", help="The first day, such as 2026-03-01; by default 30 days up to the last one."
)
@click.option("--to", "to_date", help="The last day; today by default.")
@click.option("--domain", help="Of this domain alone.")
@click.option("--project", help="Of the domains of this project alone.")
@click.option(
	"--output", type=click.File("wb", lazy=True), default="-", help="A file; the terminal by default."
)
@as_json
@pass_context
def export(
	context: Any,
	what: str,
	from_date: str | None,
	to_date: str | None,
	domain: str | None,
	project: str | None,
	output: Any,
	json_output: bool,
) -> None:
	"""Write the rows of a range of days as CSV, or as JSON; of any number of them, at the memory of some."""
	from trackflow.analytics import exporting
	from trackflow.analytics.scope import period_of, scope_of

	def write() -> None:
		scope, period = scope_of(domain, project), period_of(from_date, to_date)
		for piece in exporting.exported(what, "json" if json_output else "csv", scope, period):
			output.write(piece)

	on_site(context, write)
