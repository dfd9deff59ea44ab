"""Offline conversions for advertising platforms."""

from datetime import datetime
from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, day, on_site, print_json, print_table, trackflow


@trackflow.command("export-conversions")
@click.argument("platform")
@click.option("--from", "from_date", type=click.DateTime(["%Y-%m-%d"]), help="First day of conversions.")
@click.option("--to", "to_date", type=click.DateTime(["%Y-%m-%d"]), help="Last day; today by default.")
@click.option("--type", "conversion_type", default="", help="One type; all that count by default.")
@click.option("--action", default="", help="What the platform knows them by; their type by default.")
@click.option("--dry-run", is_flag=True, help="Only count what would be exported, and what not.")
@click.option("--output", type=click.File("wb"), help="Where to write the file as well.")
@as_json
@pass_context
def export_conversions(
	context: Any,
	platform: str,
	from_date: datetime | None,
	to_date: datetime | None,
	conversion_type: str,
	action: str,
	dry_run: bool,
	output: Any,
	json_output: bool,
) -> None:
	"""Export conversions for PLATFORM (google, meta or linkedin), each once: as a file that the site keeps with the export, and
	that is uploaded by you. The last 30 days by default."""
	from trackflow.day_range import day_range
	from trackflow.offline import exports, files
	from trackflow.validation import plain_text

	def work() -> dict[str, Any]:
		days = day_range(*(str(day(one) or "") for one in (from_date, to_date)))
		kind, called = plain_text(conversion_type, "type"), plain_text(action, "action")
		asked = exports.wanted(platform, *days, kind, called)
		if dry_run:
			return exports.preview(asked)
		if output:
			# Opened now: what is exported is exported once, so a file that cannot be written is to be known before.
			output.write(b"")
		made = exports.outcome(exports.create(asked))
		if output:
			output.write(files.content(made["export"]).encode())
		return made

	answer = on_site(context, work)
	if json_output:
		print_json(answer)
		return
	if answer["reasons"]:
		print_table(
			["Not exported", "conversions"], [[one["words"], one["count"]] for one in answer["reasons"]]
		)
	if dry_run:
		click.echo(f"{answer['platform']}: {answer['conversions']:,} conversions would be exported.")
	else:
		click.echo(
			f"{answer['platform']}: {answer['conversions']:,} conversions exported, {answer['export']}."
		)
		click.echo(f"Upload {answer['file_url']} before {answer['send_before']}.")
