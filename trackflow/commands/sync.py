"""Forms to an outside CRM."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, bar, on_site, print_json, print_table, trackflow


@trackflow.command("sync-crm")
@click.option("--dry-run", is_flag=True, help="Only say what would be written; up to 20 forms, 5 by default.")
@click.option("--limit", type=click.IntRange(1, 10_000), help="So many forms at most.")
@as_json
@pass_context
def sync_crm(context: Any, dry_run: bool, limit: int | None, json_output: bool) -> None:
	"""Sync forms that are due to the CRM that the settings name, as the scheduler does every five minutes. Exits with 1 where it had
	to stop before its end, or a form ended in an error."""
	if dry_run:
		_preview(context, limit or 5, json_output)
	else:
		_work(context, limit, json_output)


def _preview(context: Any, limit: int, json_output: bool) -> None:
	from trackflow.sync import run, status

	def work() -> list[dict[str, Any]]:
		with status.in_words():
			return run.preview(limit)

	rows = on_site(context, work)
	if json_output:
		print_json(rows)
		return
	for row in rows:
		whom = row["email"] or f"{row['first_name']} {row['last_name']}"
		print_table(
			[whom, f"{row['status']} {row.get('remote_id') or row['message']}"], row["values"].items()
		)
	click.echo(f"{len(rows)} forms; nothing was written.")


def _work(context: Any, limit: int | None, json_output: bool) -> None:
	from trackflow.sync import options, run, status

	def work() -> run.Report:
		if not options.read().is_on:
			raise click.ClickException("The sync is switched off in the settings.")
		of = min(run.waiting(), limit or run.MOST)
		show = bar(json_output, "forms")
		with status.in_words():
			return run.work(limit or run.MOST, tell=(lambda done: show(min(done, of), of)) if show else None)

	report = on_site(context, work)
	done = {one: report.done[one] for one in (*status.STATES[1:], run.LATER, run.WITHDRAWN)}
	if json_output:
		print_json({**done, "due": report.waiting, "stopped": report.stopped.text})
	else:
		print_table(["state", "forms"], [[state, f"{number:,}"] for state, number in done.items()])
		if report.stopped.text:
			click.echo(f"Stopped: {report.stopped.text} {report.waiting:,} forms are due.", err=True)
	if report.stopped.text or done[status.ERROR]:
		raise SystemExit(1)
