"""Costs and exchange rates from files."""

from pathlib import Path
from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, on_site, print_json, print_table, trackflow


@trackflow.command("import-costs")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "format_name", help="Google Ads, Meta, LinkedIn, TikTok, Microsoft Ads or Generic.")
@click.option("--platform", help="Of a file that names none.")
@click.option("--currency", help="Of a file that names none.")
@click.option("--decimal-mark", type=click.Choice([".", ","]), help="Where the file leaves it open.")
@click.option("--day-order", type=click.Choice(["DMY", "MDY"]), help="Where the file leaves it open.")
@click.option("--mapping", help="The name of a Cost Import Mapping, or headers by field as JSON.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written and refused.")
@as_json
@pass_context
def import_costs(
	context: Any,
	file: Any,
	format_name: str | None,
	platform: str | None,
	currency: str | None,
	decimal_mark: str | None,
	day_order: str | None,
	mapping: str | None,
	dry_run: bool,
	json_output: bool,
) -> None:
	"""Import costs from a platform's CSV; exits with 1 if a row was refused."""
	from trackflow.costs import files, imports

	content = file.read(files.MOST_BYTES + 1)
	said = dict(zip(files.OPTIONS, (format_name, platform, currency, decimal_mark, day_order), strict=True))

	def work() -> dict[str, Any]:
		if dry_run:
			return imports.preview(content, files.options_of(said, mapping))
		return imports.import_now(content, said, mapping, Path(file.name).name)

	answer = on_site(context, work)
	if json_output:
		print_json(answer)
	else:
		_print(answer, dry_run)
	if answer["refused"]:
		raise SystemExit(1)


def _print(answer: dict[str, Any], dry_run: bool) -> None:
	if refused := [[row["row"], row["message"]] for row in answer["rows"] if row["verdict"] == "refused"]:
		print_table(["Row", "Why not"], refused)
	if answer["from_date"]:
		spend = ", ".join(f"{total:,.2f} {currency}" for currency, total in answer["spend"].items())
		click.echo(f"{answer['format']}, {answer['from_date']} to {answer['to_date']}: {spend}.")
	left_out = ", ".join(f"{what} {count}" for what, count in answer["left_out"].items())
	click.echo(
		f"Rows {'that would be ' if dry_run else ''}new: {answer['new']}, changed: {answer['changed']}, "
		f"unchanged: {answer['unchanged']}, refused: {answer['refused']}; left out: {left_out or 'none'}."
	)
	if answer["without_campaign"]:
		click.echo(f"Without a campaign of this site: {answer['without_campaign']}.")
	if not dry_run:
		click.echo(f"Cost Import {answer['name']}; undo it by undo-costs {answer['name']}.")


@trackflow.command("undo-costs")
@click.argument("name")
@as_json
@pass_context
def undo_costs(context: Any, name: str, json_output: bool) -> None:
	"""Undo a Cost Import; exits with 1 if a row stays, because it was changed since."""
	from trackflow.costs import imports

	answer = on_site(context, lambda: imports.undo(name))
	if json_output:
		print_json(answer)
	else:
		for row in answer["rows"]:
			click.echo(f"{row.get('date', row['metric'])} {row.get('campaign', '')}: {row['message']}")
		click.echo(
			f"Rows removed: {answer['removed']}, restored: {answer['restored']}, left: {answer['skipped']}."
		)
	if answer["skipped"]:
		raise SystemExit(1)


@trackflow.command("import-rates")
@click.argument("file", type=click.File("rb"))
@click.option("--decimal-mark", type=click.Choice([".", ","]), help="Where the file leaves it open.")
@click.option("--day-order", type=click.Choice(["DMY", "MDY"]), help="Where the file leaves it open.")
@click.option("--since", help="The first day that is wanted of the European Central Bank's history.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written and refused.")
@as_json
@pass_context
def import_rates(
	context: Any,
	file: Any,
	decimal_mark: str | None,
	day_order: str | None,
	since: str | None,
	dry_run: bool,
	json_output: bool,
) -> None:
	"""Import exchange rates: a list, or the European Central Bank's CSV; exits with 1 if a row was refused."""
	from trackflow.costs import files, rate_import

	content = file.read(files.MOST_BYTES + 1)

	def work() -> dict[str, Any]:
		sheet = rate_import.read(content, decimal_mark or "", day_order or "", since or "")
		return rate_import.import_rates(sheet, dry_run=dry_run)

	answer = on_site(context, work)
	if json_output:
		print_json(answer)
	else:
		if answer["rows"]:
			print_table(["Row", "Why not"], [[row["row"], row["message"]] for row in answer["rows"]])
		click.echo(
			f"{answer['format']}; rates {'that would be ' if dry_run else ''}new: {answer['new']}, changed: {answer['changed']}, "
			f"unchanged: {answer['unchanged']}, refused: {answer['refused']}."
		)
	if answer["refused"]:
		raise SystemExit(1)
