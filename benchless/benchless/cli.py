"""The command line, in the form of bench's: `benchless [--site S] <command>`; apps bring commands of their own."""

import importlib.util
import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchless import RealFrappeError, activate, background, sites

if TYPE_CHECKING:
	from benchless.server import Listener


class Commands(click.Group):
	"""Own commands first, then those of the apps (`commands = [...]` in their commands module)."""

	def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
		return super().get_command(ctx, cmd_name) or get_app_commands().get(cmd_name)

	def list_commands(self, ctx: click.Context) -> list[str]:
		return [*super().list_commands(ctx), *sorted(get_app_commands())]


def get_app_commands() -> dict[str, click.Command]:
	activate()
	apps_txt = Path(sites.get_sites_path(), "apps.txt")
	apps = apps_txt.read_text().split() if apps_txt.exists() else sites.DEFAULT_APPS
	found = {}
	for app in apps:
		if (
			app == "frappe"
			or not importlib.util.find_spec(app)
			or not importlib.util.find_spec(f"{app}.commands")
		):
			continue
		module = importlib.import_module(f"{app}.commands")
		found.update({command.name: command for command in getattr(module, "commands", [])})
	return found


@click.group(cls=Commands)
@click.option("--site", help="The site to work on ('all' for every one); without it the default site")
@click.option("--force", is_flag=True, help="Overwrite what is there")
@click.option("--verbose", is_flag=True)
@click.option("--profile", is_flag=True, hidden=True)
@click.pass_context
def cli(ctx: click.Context, site: str | None, force: bool, verbose: bool, profile: bool) -> None:
	"""Runs a Frappe app without a bench: for trying it, and for fast tests."""
	activate()
	named = sites.get_sites() if site == "all" else [site or sites.get_default_site()]
	ctx.obj = {"sites": named, "force": force, "verbose": verbose, "profile": profile}


def main() -> None:
	sites.use_sites_path()
	try:
		cli(prog_name="benchless")
	except RealFrappeError as error:
		click.secho(str(error), fg="red", err=True)
		sys.exit(1)


def get_site(ctx: click.Context) -> str:
	site = ctx.obj["sites"][0]
	if site not in sites.get_sites():
		raise click.ClickException(f"Site {site} does not exist: benchless new-site {site}")
	return site


@cli.command("new-site")
@click.argument("site")
@click.option("--admin-password", default=sites.ADMIN_PASSWORD, show_default=True)
@click.option("--install-app", "apps", multiple=True, help="May be given several times")
@click.pass_context
def new_site(ctx: click.Context, site: str, admin_password: str, apps: tuple[str, ...]) -> None:
	"""Make a site."""
	if site in sites.get_sites() and not ctx.obj["force"]:
		raise click.ClickException(f"Site {site} already exists")
	if site in sites.get_sites():
		sites.drop_site(site)
	for line in sites.ensure_site(site, apps, admin_password):
		click.echo(line)


@cli.command("up")
@click.option("--app", "apps", multiple=True, default=sites.DEFAULT_APPS, show_default=True)
@click.pass_context
def up(ctx: click.Context, apps: tuple[str, ...]) -> None:
	"""Make the site and install the apps where that is not done yet; then migrate."""
	site = ctx.obj["sites"][0]
	for line in sites.ensure_site(site, apps):
		click.echo(line)
	sites.migrate(site)
	click.echo(f"{site} is ready")


@cli.command("drop-site")
@click.argument("site")
def drop_site(site: str) -> None:
	"""Delete a site and its data."""
	sites.drop_site(site)


@cli.command("install-app")
@click.argument("apps", nargs=-1, required=True)
@click.pass_context
def install_app(ctx: click.Context, apps: tuple[str, ...]) -> None:
	"""Install apps on the site."""
	for line in sites.ensure_site(get_site(ctx), apps):
		click.echo(line)


@cli.command("uninstall-app")
@click.argument("app")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing")
@click.option("--no-backup", is_flag=True, help="Accepted as on a bench; there is no backup here")
@click.pass_context
def uninstall_app(ctx: click.Context, app: str, yes: bool, no_backup: bool) -> None:
	"""Remove an app and its data from the site."""
	site = get_site(ctx)
	if not yes:
		click.confirm(f"All data of {app} on {site} will be deleted. Continue?", abort=True)
	sites.run_on_site(site, sites.uninstall, app)


@cli.command("migrate")
@click.pass_context
def migrate(ctx: click.Context) -> None:
	"""Bring the site's tables, records and hooks up to the apps' present state."""
	for site in ctx.obj["sites"]:
		sites.migrate(site)


@cli.command("list-apps")
@click.pass_context
def list_apps(ctx: click.Context) -> None:
	"""The apps of the site."""
	for app in sites.run_on_site(get_site(ctx), sites.get_installed):
		click.echo(app)


@cli.command("set-admin-password")
@click.argument("password")
@click.pass_context
def set_admin_password(ctx: click.Context, password: str) -> None:
	"""Give Administrator a new password."""
	from frappe.utils.password import update_password

	sites.run_on_site(get_site(ctx), update_password, "Administrator", password)


@cli.command("clear-cache")
@click.pass_context
def clear_cache(ctx: click.Context) -> None:
	"""Empty the site's cache."""
	import frappe

	sites.run_on_site(get_site(ctx), frappe.clear_cache)


@cli.command("execute")
@click.argument("method")
@click.option("--args", default="[]", help="Positional arguments, a JSON list")
@click.option("--kwargs", default="{}", help="Named arguments, a JSON object")
@click.pass_context
def execute(ctx: click.Context, method: str, args: str, kwargs: str) -> None:
	"""Call a function by its dotted path, commit, and print what it returns as JSON."""

	def call() -> object:
		import frappe

		return frappe.get_attr(method)(*json.loads(args), **json.loads(kwargs))

	result = sites.run_on_site(get_site(ctx), call)
	if result is not None:
		click.echo(json.dumps(result, default=str))


@cli.command("console")
@click.pass_context
def console(ctx: click.Context) -> None:
	"""A Python prompt with a connection to the site."""
	import code

	import frappe

	sites.enter(get_site(ctx))
	frappe.connect()
	try:
		code.interact(
			banner=f"{frappe.local.site}: frappe is there, frappe.db.commit() keeps changes",
			local={"frappe": frappe},
		)
	finally:
		sites.leave()


@cli.command("serve")
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True)
@click.option("--no-worker", is_flag=True, help="Neither worker nor scheduler: they run elsewhere")
@click.option("--website", is_flag=True, help="The demo website too, on the port after --port")
@click.pass_context
def serve(ctx: click.Context, port: int, no_worker: bool, website: bool) -> None:
	"""Serve the sites on loopback, with worker and scheduler, until Ctrl-C."""
	from benchless.server import Listener, Server

	site = get_site(ctx)
	servers: list[Listener] = [Server(port=port, site=site, background=not no_worker)]
	start_listening(servers[0])
	click.echo(f"{site} on http://localhost:{servers[0].port} (Ctrl-C stops)")
	if website:
		servers.append(demo_website(site, servers[0].port))
		start_listening(servers[1])
		click.echo(f"The demo website on {servers[1].url}")
	wait_for_signal()
	click.echo("Stopping")
	for server in servers:
		server.stop()


def demo_website(site: str, port: int) -> "Listener":
	"""The demo shop beside a site: by address another host than the site, so that their cookies do not mix."""
	from benchless.server import HOST, Listener
	from benchless.website import make_app
	from trackflow.demo.setting import prepare

	stage = sites.run_on_site(site, prepare, background.shop_url(port))
	return Listener(make_app(f"http://localhost:{port}", stage.public_key, stage.token), port + 1, HOST)


def start_listening(server: "Listener") -> None:
	try:
		server.start()
	except OSError as error:
		port = server.wsgi.bind_addr[1]
		raise click.ClickException(
			f"Port {port} cannot be used ({error.strerror or error}); choose one with PORT=…"
		)


@cli.command("worker")
@click.option("--queue", help="Only these queues, e.g. short,default")
@click.option("--burst", is_flag=True, help="Stop when nothing waits")
@click.option("--scheduler/--no-scheduler", default=False, help="Run the scheduler too")
def worker(queue: str | None, burst: bool, scheduler: bool) -> None:
	"""Work off background jobs of all sites."""
	from frappe.utils.scheduler import run
	from frappe.utils.worker import Worker

	path, stopping = sites.get_sites_path(), threading.Event()
	single = Worker(sites.get_sites, path, queue.split(",") if queue else None)
	if burst:
		click.echo(f"{single.burst()} jobs done")
		return
	if scheduler:
		threading.Thread(target=run, args=(sites.get_sites, path, stopping), daemon=True).start()
	thread = threading.Thread(target=single.run, daemon=True)
	thread.start()
	wait_for_signal()
	stopping.set()
	single.stop()
	thread.join(30)


@cli.command("start")
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True)
@click.pass_context
def start(ctx: click.Context, port: int) -> None:
	"""Serve the site and the demo website in the background (stop: `benchless stop`)."""
	get_site(ctx)
	started = background.start(port)
	click.echo("The server is up" if started else "The server was up already")


@cli.command("stop")
def stop() -> None:
	"""Stop what `start` started."""
	click.echo("Stopped" if background.stop() else "No server was running")


@cli.command("with-server", context_settings={"ignore_unknown_options": True})
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def with_server(ctx: click.Context, port: int, command: tuple[str, ...]) -> None:
	"""Run another command while the server is up; one that was not is stopped afterwards."""
	get_site(ctx)
	with background.running(port):
		name, *arguments = command
		cli.get_command(ctx, name).main(arguments, prog_name=name, parent=ctx, standalone_mode=False)


@cli.command("welcome")
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True)
@click.pass_context
def welcome(ctx: click.Context, port: int) -> None:
	"""Say where the site is, how to log in, and what to click."""
	click.echo(background.welcome(get_site(ctx), port))


def wait_for_signal() -> None:
	"""Return on Ctrl-C, when asked to end, or when the sites are gone: nothing is left to serve then."""
	asked = threading.Event()
	for number in (signal.SIGINT, signal.SIGTERM):
		signal.signal(number, lambda *_args: asked.set())
	while not asked.wait(0.5) and Path(sites.get_sites_path()).exists():
		pass
