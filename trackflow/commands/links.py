"""Links from files."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, bar, on_site, print_json, print_table, trackflow


@trackflow.command("import-links")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would be made and refused.")
@as_json
@pass_context
def import_links(context: Any, file: Any, dry_run: bool, json_output: bool) -> None:
	"""Import links from a CSV: TrackFlow's own, Bitly's, Dub's or Shlink's; exits with 1 if a row was refused."""
	from trackflow.links import csv_import

	content = file.read(csv_import.MOST_BYTES + 1)
	if dry_run:
		answer = on_site(context, lambda: csv_import.preview(content))
	else:
		answer = on_site(context, lambda: csv_import.import_now(content, bar(json_output)))
	if json_output:
		print_json(answer)
	else:
		refused = [(row["row"], one) for row in answer["rows"] for one in row.get("errors") or ()]
		if refused:
			cells = [[number, one["field"], one["message"]] for number, one in refused]
			print_table(["Row", "Field", "Why not"], cells)
		made = f"links that would be made: {answer['new']}" if dry_run else f"links made: {answer['created']}"
		click.echo(f"{answer['format']}; {made}; rows refused: {answer['failed']}.")
	if answer["failed"]:
		raise SystemExit(1)
