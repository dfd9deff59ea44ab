"""The demo story."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, on_site, print_json, print_table, trackflow
from trackflow.demo.people import SHOP


@trackflow.command("demo")
@click.option("--url", help="Where the site answers; the host's own address by default.")
@click.option(
	"--shop", default=SHOP, show_default=True, help="The website that visitors come to; it is not asked."
)
@as_json
@pass_context
def demo(context: Any, url: str | None, shop: str, json_output: bool) -> None:
	"""Walk the whole story over HTTP on this site, with demo data, and print it: campaign to won deal to credits."""
	from trackflow.demo import story

	tables = on_site(context, lambda: story.tell(url, shop))
	if json_output:
		print_json(
			{table.title: [dict(zip(table.head, row, strict=True)) for row in table.rows] for table in tables}
		)
		return
	for table in tables:
		click.secho(f"\n{table.title}", bold=True)
		print_table(table.head, table.rows)
