"""Keys for programs."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, committed, on_site, print_json, print_table, trackflow


@trackflow.group("api-key")
def api_key() -> None:
	"""Keys for programs: made, listed, revoked."""


@api_key.command("create")
@click.argument("name")
@click.option(
	"--scope", "scopes", multiple=True, default=["events:write"], show_default=True, help="Repeatable."
)
@click.option("--domain", help="The domain whose events are sent with it.")
@click.option("--user", default="Administrator", show_default=True, help="Whom the key acts as.")
@click.option("--address", "addresses", multiple=True, help="From where alone: address or CIDR; repeatable.")
@click.option("--expires", help="Until when, in the site's time zone, such as 2027-12-31.")
@as_json
@pass_context
def create_api_key(
	context: Any,
	name: str,
	scopes: tuple[str, ...],
	domain: str | None,
	user: str,
	addresses: tuple[str, ...],
	expires: str | None,
	json_output: bool,
) -> None:
	"""Make a key called NAME and print it: it is shown this once."""
	from trackflow.access import stored_keys

	made = on_site(
		context, lambda: committed(stored_keys.create(name, scopes, domain, user, addresses, expires))
	)
	if json_output:
		print_json(made)
	else:
		click.echo(f"{made['key']}\nKeep it: it is shown only now.")


@api_key.command("list")
@as_json
@pass_context
def list_api_keys(context: Any, json_output: bool) -> None:
	"""Show all keys, without their secrets."""
	from trackflow.access import stored_keys

	keys = on_site(context, stored_keys.listed)
	if json_output:
		print_json(keys)
		return
	rows = [
		[
			one.name,
			one.api_key,
			"on" if one.is_active else "off",
			one.user,
			one.domain,
			one.expires_on,
			" ".join(one.scopes),
		]
		for one in keys
	]
	print_table(["Name", "Prefix", "", "User", "Domain", "Expires", "Scopes"], rows)


@api_key.command("revoke")
@click.argument("name")
@as_json
@pass_context
def revoke_api_key(context: Any, name: str, json_output: bool) -> None:
	"""Switch the key off that is called NAME, or has that prefix."""
	from trackflow.access import stored_keys

	on_site(context, lambda: committed(stored_keys.revoke(name)))
	if json_output:
		print_json({"revoked": name})
	else:
		click.echo(f"{name} is switched off.")
