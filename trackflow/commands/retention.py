"""What is deleted by its age, and the archive of it: run, listed, read back."""

from typing import Any

import click
import frappe
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, on_site, print_json, print_table, trackflow


@trackflow.command("retention")
@click.option("--dry-run", is_flag=True, help="Only count what is due, or what would be read back.")
@click.option("--archives", is_flag=True, help="List the files of the archive instead.")
@click.option(
	"--restore", "restored", metavar="FILE|NAME", help="Read this file of the archive back instead."
)
@as_json
@pass_context
def retention(context: Any, dry_run: bool, archives: bool, restored: str, json_output: bool) -> None:
	"""Delete what is older than the settings allow, clicks and sessions into the archive where there is one; what belongs to a
	person who converted stays as long as the conversion is somebody's. Conversions, and what their credits rest on, are kept and
	become nobody's. The scheduler does it every day."""
	if archives and restored:
		raise click.UsageError("Either --archives or --restore.")
	if archives:
		_list(context, json_output)
	elif restored:
		_restore(context, restored, dry_run, json_output)
	else:
		_run(context, dry_run, json_output)


def _run(context: Any, dry_run: bool, json_output: bool) -> None:
	from trackflow.privacy import retention as by_age
	from trackflow.privacy.archive import keeping, trouble

	def tell(doctype: str, number: int, is_kept: bool) -> None:
		verb = "made nobody's" if is_kept else "deleted"
		click.echo(f"{doctype}: {number:,} {'counted' if dry_run else verb}", err=True)

	def work() -> tuple[by_age.Done, str]:
		done = by_age.run(dry_run, tell=None if json_output else tell)
		return done, "" if dry_run else trouble.current()

	try:
		done, said = on_site(context, work)
	except keeping.Busy as error:
		raise click.ClickException(str(error)) from None
	if json_output:
		print_json({"dry_run": dry_run, "rows": done.deleted, "kept": done.kept, "archive_error": said})
	else:
		verbs = ["to be deleted", "to be made nobody's"] if dry_run else ["deleted", "made nobody's"]
		print_table(
			["DocType", *verbs],
			[
				[name, f"{done.deleted.get(name, 0):,}", f"{done.kept[name]:,}" if name in done.kept else ""]
				for name in dict.fromkeys((*done.kept, *done.deleted))
			],
		)
	if said:
		raise click.ClickException(f"Nothing is archived, and nothing of visitors was deleted: {said}")


def _list(context: Any, json_output: bool) -> None:
	from trackflow.privacy.archive import keeping

	fields = [
		"name",
		"document_type",
		"status",
		"from_time",
		"until_time",
		"row_count",
		"size_bytes",
		"places",
	]
	rows = on_site(
		context,
		lambda: frappe.get_all(keeping.RECORD, fields=fields, order_by="document_type, from_time, name"),
	)
	if json_output:
		print_json(rows)
		return
	print_table(
		["file", "status", "from", "rows", "bytes"],
		[[row.name, row.status, row.from_time, f"{row.row_count:,}", f"{row.size_bytes:,}"] for row in rows],
	)


def _restore(context: Any, named: str, dry_run: bool, json_output: bool) -> None:
	from trackflow.privacy.archive import restoring

	found = on_site(context, lambda: restoring.restore(named, dry_run))
	if json_output:
		print_json(
			{"dry_run": dry_run, "doctype": found.doctype, "rows": found.rows, "missing": found.missing}
		)
		return
	verb = "would come back" if dry_run else "came back"
	click.echo(f"{found.doctype}: {found.missing:,} of {found.rows:,} rows {verb}; the others are there.")
	if found.left_out:
		click.echo(f"Fields that there are no more: {', '.join(found.left_out)}.")
	if found.missing and not dry_run:
		click.echo(
			"The next run of retention deletes what is due by its age again: raise the days to keep it."
		)
