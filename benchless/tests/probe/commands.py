"""A command of the probe app, written as for a bench."""

import click
import frappe
from frappe.commands import get_site, pass_context


@click.command("probe-hello")
@click.argument("name")
@pass_context
def hello(context: frappe._dict, name: str) -> None:
	"""Say hello."""
	click.echo(f"hello {name} on {get_site(context)}")


commands = [hello]
