"""What is stored about a person: shown, copied, erased."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, on_site, print_json, print_table, trackflow


@trackflow.group("privacy")
def privacy() -> None:
	"""A person's data: what there is, a copy of it, its erasure."""


@privacy.command("export")
@click.argument("subject")
@click.option(
	"--output", type=click.File("wb"), default="-", help="Where to write; standard output by default."
)
@as_json
@pass_context
def export_subject(context: Any, subject: str, output: Any, json_output: bool) -> None:
	"""Write all that is stored about SUBJECT, an e-mail address or a visitor id: JSON in any case."""
	from trackflow.privacy import export, subjects

	on_site(context, lambda: export.write(subjects.find(subjects.read(subject)), output))


@privacy.command("erase")
@click.argument("subject")
@click.option("--dry-run", is_flag=True, help="Only say whom it is about and count the rows.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@click.option("--reference", default="", help="Yours, such as the number of a ticket; never an address.")
@as_json
@pass_context
def erase_subject(
	context: Any, subject: str, dry_run: bool, is_sure: bool, reference: str, json_output: bool
) -> None:
	"""Erase all that is stored about SUBJECT, an e-mail address or a visitor id; totals stay. It cannot be undone."""
	from trackflow.exceptions import StreamUnavailable
	from trackflow.privacy import erasure, export, subjects

	if "@" in reference:
		raise click.BadParameter("The reference is kept: it must not be an address.")
	named = on_site(context, lambda: subjects.read(subject))
	if dry_run or not (is_sure or json_output):
		found = on_site(context, lambda: export.preview(subjects.find(named)))
		if dry_run and json_output:
			print_json(found)
			return
		for kind in ("emails", "visitors", "leads", "deals", "organizations"):
			click.echo(f"{kind}: {', '.join(found[kind]) or 'none'}")
		print_table(["DocType", "rows"], [[name, f"{number:,}"] for name, number in found["rows"].items()])
		if dry_run:
			return
	if not is_sure:
		click.confirm("Erase this for good?", abort=True, err=True)
	try:
		done = on_site(context, lambda: erasure.erase(named, reference=reference))
	except StreamUnavailable as error:
		raise click.ClickException(f"The stream cannot be read, nothing was erased: {error}") from None
	if json_output:
		print_json(done)
	else:
		print_table(["DocType", "erased"], [[name, f"{number:,}"] for name, number in done["rows"].items()])
		click.echo(f"Erasure {done['name']}: {done['status']}.")
