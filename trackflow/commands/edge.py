"""The stand-alone server for redirects and events."""

import json
from typing import Any

import click
from frappe.commands import get_site, pass_context

from trackflow.commands.shell import as_json, trackflow


@trackflow.command("edge")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
	"--port", default=8001, show_default=True, help="Port to listen on; several edges may share one."
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option(
	"--links", default=100_000, show_default=True, type=click.IntRange(1), help="Links in each one's memory."
)
@click.option("--any-host", is_flag=True, help="Answer for the site under whatever host name.")
@click.option(
	"--monitor",
	"monitors",
	multiple=True,
	help="Network (CIDR) that may read /healthz and /metrics; repeatable.",
)
@as_json
@pass_context
def edge(
	context: Any,
	host: str,
	port: int,
	workers: int,
	links: int,
	any_host: bool,
	monitors: tuple[str, ...],
	json_output: bool,
) -> None:
	"""Answer short links and take events without the web workers, until SIGTERM. One site, or `--site all` by host name."""
	try:
		from trackflow.edge import workers as edges
		from trackflow.edge.server import Options
	except ModuleNotFoundError as error:
		raise click.ClickException(f"{error}: install the app's extra `edge`.") from None
	from trackflow.tracking.identity import NetworkError, parse_network

	get_site(context)
	sites = context.sites
	if any_host and len(sites) > 1:
		raise click.ClickException("--any-host is for one site.")
	try:
		networks = tuple(map(parse_network, monitors))
	except NetworkError as error:
		raise click.BadParameter(str(error)) from None
	options = Options(sites, edges.hosts_of(sites), host, port, links, any_host, networks)
	started = {"host": host, "port": port, "workers": workers, "sites": list(sites)}
	text = json.dumps(started) if json_output else f"Answering on http://{host}:{port} for {', '.join(sites)}"
	edges.run(options, workers, lambda: click.echo(text))
	if json_output:
		return
	click.echo("Stopped; what was recorded is written.")
