"""Keys for programs."""

from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, committed, on_site, print_json, print_table, trackflow

EVENTS = "events:write"
_NUMBER = click.IntRange(min=0)


@trackflow.group("api-key")
def api_key() -> None:
	"""Keys for programs: made, listed, revoked, given another secret."""


@api_key.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=[EVENTS], show_default=True, help="Repeatable.")
@click.option("--domain", help="The domain whose events are sent with it.")
@click.option("--user", help="Whom the key acts as. For sending events alone it is Administrator.")
@click.option("--address", "addresses", multiple=True, help="From where alone: address or CIDR; repeatable.")
@click.option("--expires", help="Until when, in the site's time zone, such as 2027-12-31.")
@click.option(
	"--per-minute", type=_NUMBER, default=0, help="Requests at most; without any, the settings' limit."
)
@click.option("--per-hour", type=_NUMBER, default=0)
@click.option("--per-day", type=_NUMBER, default=0)
@as_json
@pass_context
def create_api_key(
	context: Any,
	name: str,
	scopes: tuple[str, ...],
	domain: str | None,
	user: str | None,
	addresses: tuple[str, ...],
	expires: str | None,
	per_minute: int,
	per_hour: int,
	per_day: int,
	json_output: bool,
) -> None:
	"""Make a key called NAME and print it: it is shown this once."""
	from trackflow.access import stored_keys

	if not user and set(scopes) != {EVENTS}:
		raise click.UsageError("Say whom the key acts as: --user, somebody who may just what it needs.")
	limits = {
		"limit_per_minute": per_minute,
		"limit_per_hour": per_hour,
		"limit_per_day": per_day,
	}
	_print_whole(
		on_site(
			context,
			lambda: committed(stored_keys.create(name, scopes, domain, user, addresses, expires, **limits)),
		),
		json_output,
	)


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
			one.last_used,
			one.usage_count,
			" ".join(one.scopes),
		]
		for one in keys
	]
	print_table(["Name", "Prefix", "", "User", "Domain", "Expires", "Last Used", "Requests", "Scopes"], rows)


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


@api_key.command("rotate")
@click.argument("name")
@as_json
@pass_context
def rotate_api_key(context: Any, name: str, json_output: bool) -> None:
	"""Give the key that is called NAME, or has that prefix, another secret, and print it; the former one is refused from now on."""
	from trackflow.access import stored_keys

	_print_whole(on_site(context, lambda: committed(stored_keys.rotate(name))), json_output)


def _print_whole(made: dict[str, Any], json_output: bool) -> None:
	if json_output:
		print_json(made)
	else:
		click.echo(f"{made['key']}\nKeep it: it is shown only now.")
