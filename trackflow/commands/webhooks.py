"""Webhooks: how they fare, resumed, delivered now."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, committed, on_site, print_json, print_table, trackflow


@trackflow.group("webhooks")
def webhooks() -> None:
	"""What is told to other programs: listed, resumed, delivered now."""


@webhooks.command("list")
@as_json
@pass_context
def list_webhooks(context: Any, json_output: bool) -> None:
	"""Show all webhooks, with what waits and what was given up."""
	from trackflow.webhooks import managing

	found = on_site(context, managing.listed)
	if json_output:
		print_json(found)
		return
	rows = [
		[
			one["name"],
			one["key"],
			one["event"],
			one["url"],
			one["state"],
			one["failures"],
			one["pending"],
			one["failed"],
		]
		for one in found
	]
	print_table(["Name", "Key", "Event", "URL", "", "Failures in a Row", "Waiting", "Given up"], rows)


@webhooks.command("resume")
@click.argument("name")
@as_json
@pass_context
def resume_webhook(context: Any, name: str, json_output: bool) -> None:
	"""Deliver again to the webhook called NAME, beginning with what waits."""
	from trackflow.webhooks import managing

	waiting = on_site(context, lambda: committed(managing.resume(name)))
	if json_output:
		print_json({"webhook": name, "pending": waiting})
	else:
		click.echo(f"Resumed; {waiting} deliveries are on their way.")


@webhooks.command("send")
@as_json
@pass_context
def send_webhooks(context: Any, json_output: bool) -> None:
	"""Deliver what is due, now, as the scheduler does each minute."""
	from trackflow.webhooks import sender

	tried = on_site(context, sender.send_due)
	if json_output:
		print_json({"tried": tried})
	else:
		click.echo(f"{tried} deliveries were tried.")
