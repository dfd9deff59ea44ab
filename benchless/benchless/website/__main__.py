"""`python -m benchless.website --site-url … --public-key … --token key:secret [--port …]`: serves the shop until Ctrl-C."""

import threading

import click

from benchless.website import make_app, serve


@click.command()
@click.option("--site-url", required=True, help="Where TrackFlow is served")
@click.option("--public-key", required=True, help="Of the website's Domain Configuration")
@click.option(
	"--token", required=True, envvar="WEBSITE_TOKEN", help="api_key:api_secret of a user who may create leads"
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8080, show_default=True)
def main(site_url: str, public_key: str, token: str, host: str, port: int) -> None:
	"""Serve the demo shop."""
	server = serve(make_app(site_url, public_key, token), host, port)
	click.echo(f"Demo shop on {server.url} (Ctrl-C stops)")
	try:
		threading.Event().wait()
	except KeyboardInterrupt:
		server.stop()


if __name__ == "__main__":
	main()
