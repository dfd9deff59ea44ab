"""`bench --site S trackflow …`: the app on the command line (CLI-1). Every command can answer as JSON, for scripts."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import frappe
from frappe.commands import get_site, pass_context

from trackflow.demo.people import SHOP

# Exit code: all is safe, but somebody should look.
KEPT = 3
as_json = click.option("--json", "json_output", is_flag=True, help="Answer in JSON.")


@click.group("trackflow")
def trackflow() -> None:
	"""Which marketing brought which lead and which deal."""


@trackflow.command("doctor")
@as_json
@pass_context
def doctor(context: Any, json_output: bool) -> None:
	"""Check that the site can record, store and attribute; exits with 1 if something is broken."""
	from trackflow.doctor import examine

	findings = _on_site(context, examine)
	if json_output:
		_print_json([finding.as_dict() for finding in findings])
	else:
		_print_table(["", "Check", "Finding"], [[one.mark, one.check, one.text] for one in findings])
	if any(one.is_broken for one in findings):
		raise SystemExit(1)


@trackflow.command("drain")
@click.option("--watch", is_flag=True, help="Go on until interrupted, as a worker of its own.")
@as_json
@pass_context
def drain(context: Any, watch: bool, json_output: bool) -> None:
	"""Store all clicks and events that wait, and tell how far it is. Exits with 1 if Redis is out of reach (the spool is
	stored all the same), with 3 if records were kept in the Click Queue."""
	from trackflow.exceptions import StreamUnavailable

	try:
		done = _on_site(context, lambda: _watch() if watch else _drain(None if json_output else _progress()))
	except StreamUnavailable as error:
		raise click.ClickException(f"The stream cannot be read: {error}") from None
	except KeyboardInterrupt:
		return
	if json_output:
		figures = {"records": done.records, "stored": done.stored, "failed": done.failed}
		_print_json({**figures, "seconds": round(done.seconds, 3)})
	else:
		click.echo(
			f"{done.records:,} records read, {done.stored:,} new, {done.failed:,} kept in the Click Queue."
		)
	if done.failed:
		raise SystemExit(KEPT)


def _drain(tell: Callable[[Any], None] | None) -> Any:
	from trackflow.stream import drain as stream

	return stream.drain(max_seconds=float("inf"), tell=tell)


def _progress() -> Callable[[Any], None]:
	"""Tells, once a second at most, how far a drain is."""
	from trackflow.exceptions import StreamUnavailable
	from trackflow.stream import drain as stream

	told = [time.monotonic()]

	def tell(done: Any) -> None:
		if time.monotonic() - told[0] < 1:
			return
		told[0] = time.monotonic()
		with suppress(StreamUnavailable):
			click.echo(
				f"{done.records:,} records, {done.records / done.seconds:,.0f} a second; "
				f"{stream.waiting():,} entries wait",
				err=True,
			)

	return tell


def _watch() -> Any:
	from trackflow.exceptions import StreamUnavailable

	while True:
		try:
			_drain(_progress())
		except StreamUnavailable as error:
			click.echo(f"The stream cannot be read: {error}", err=True)
		frappe.db.rollback()
		time.sleep(1)


@trackflow.command("rebuild")
@click.argument("what", type=click.Choice(["clicks", "visits", "all"]))
@as_json
@pass_context
def rebuild(context: Any, what: str, json_output: bool) -> None:
	"""Work out again what follows from clicks and events: counters of links ("clicks"), sessions, touch points and visitors'
	own figures ("visits"). Right figures change no row; what may lie behind the retention's days is left as it is."""
	from trackflow.tracking import counters, repair

	def tell(done: int) -> None:
		click.echo(f"{done:,} visitors", err=True)

	written: dict[str, int] = {}
	if what in ("clicks", "all"):
		written["clicks"] = _on_site(context, counters.rebuild)
	if what in ("visits", "all"):
		written["visits"] = _on_site(context, lambda: repair.rebuild_all(None if json_output else tell))
	if json_output:
		_print_json({"rows_written": written})
	else:
		for name, number in written.items():
			click.echo(f"{name}: {number:,} rows written.")


@trackflow.command("retention")
@click.option("--dry-run", is_flag=True, help="Only count what is due.")
@as_json
@pass_context
def retention(context: Any, dry_run: bool, json_output: bool) -> None:
	"""Delete what is older than the settings allow; what belongs to a person who converted stays. The scheduler does it every
	day."""
	from trackflow.privacy import retention as by_age

	def tell(doctype: str, number: int) -> None:
		click.echo(f"{doctype}: {number:,}", err=True)

	done = _on_site(context, lambda: by_age.run(dry_run, tell=None if json_output else tell))
	if json_output:
		_print_json({"dry_run": dry_run, "rows": done})
	else:
		_print_table(
			["DocType", "due" if dry_run else "deleted"],
			[[name, f"{number:,}"] for name, number in done.items()],
		)


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

	_on_site(context, lambda: export.write(subjects.find(subjects.read(subject)), output))


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
	named = _on_site(context, lambda: subjects.read(subject))
	if dry_run or not (is_sure or json_output):
		found = _on_site(context, lambda: export.preview(subjects.find(named)))
		if dry_run and json_output:
			_print_json(found)
			return
		for kind in ("emails", "visitors", "leads", "deals", "organizations"):
			click.echo(f"{kind}: {', '.join(found[kind]) or 'none'}")
		_print_table(["DocType", "rows"], [[name, f"{number:,}"] for name, number in found["rows"].items()])
		if dry_run:
			return
	if not is_sure:
		click.confirm("Erase this for good?", abort=True, err=True)
	try:
		done = _on_site(context, lambda: erasure.erase(named, reference=reference))
	except StreamUnavailable as error:
		raise click.ClickException(f"The stream cannot be read, nothing was erased: {error}") from None
	if json_output:
		_print_json(done)
	else:
		_print_table(["DocType", "erased"], [[name, f"{number:,}"] for name, number in done["rows"].items()])
		click.echo(f"Erasure {done['name']}: {done['status']}.")


@trackflow.command("attribution")
@click.option("--from", "from_date", type=click.DateTime(["%Y-%m-%d"]), help="First day of conversions.")
@click.option("--to", "to_date", type=click.DateTime(["%Y-%m-%d"]), help="Last day of conversions.")
@click.option("--pending", is_flag=True, help="Only conversions that wait for their credits.")
@click.option(
	"--train", "trains", is_flag=True, help="Train Markov and Shapley, and credit what that concerns."
)
@click.option("--explain", "explained", metavar="NAME", help="Say why: a conversion, a lead or a deal.")
@click.option(
	"--model", default="", help="With --explain: one by name, or all; the default one if none is given."
)
@click.option(
	"--compare",
	"group_by",
	help="Only show what the models credit, by channel, campaign, link, source, medium or platform.",
)
@as_json
@pass_context
def attribution(
	context: Any,
	from_date: datetime | None,
	to_date: datetime | None,
	pending: bool,
	trains: bool,
	explained: str | None,
	model: str,
	group_by: str | None,
	json_output: bool,
) -> None:
	"""Compute the credits of conversions again, of all or of a range of days. Unchanged data changes no row. With --explain or
	--compare nothing is computed: the one says why the credits of a conversion are what they are, the other what the models
	credit in a range of days, the last 30 by default."""
	from trackflow.attribution import comparing, run
	from trackflow.day_range import day_range

	if model and not explained:
		raise click.UsageError("--model goes with --explain.")
	if explained:
		_print_explanation(_on_site(context, lambda: _explain(explained, model)), json_output)
		return
	if group_by is not None:
		days = (str(_day(one) or "") for one in (from_date, to_date))
		answer = _on_site(context, lambda: comparing.comparison_answer(*day_range(*days), group_by))
		_print_comparison(answer, json_output)
		return
	if trains:
		_print_trained(_on_site(context, run.learn), json_output)
		return
	if pending:
		seen, written = _on_site(context, run.credit_pending), None
	else:
		seen, written = _on_site(context, lambda: run.rebuild(_day(from_date), _day(to_date)))
	if json_output:
		_print_json({"conversions": seen, "rows_written": written})
	else:
		click.echo(
			f"{seen} conversions credited" + ("." if written is None else f", {written} rows written.")
		)


def _explain(name: str, model: str) -> dict[str, Any]:
	from trackflow.integrations import explained

	return explained.of_any(name, model)


def _print_explanation(told: dict[str, Any], json_output: bool) -> None:
	from trackflow.attribution.explanation_words import lines

	if json_output:
		_print_json(told)
		return
	for line in (*told["words"], *lines(told["models"])):
		click.echo(line)


def _print_comparison(answer: dict[str, Any], json_output: bool) -> None:
	if json_output:
		_print_json(answer)
		return
	models = [model["name"] for model in answer["models"]]
	lines = [(one["label"] or "None", one["figures"]) for one in answer["groups"]]
	rest = (("Others", "others"), ("Unattributed", "unattributed"), ("Total", "totals"))
	lines += [(label, answer[key]) for label, key in rest if answer[key]]
	_print_table(
		[answer["group_by"].title(), *models],
		[[label, *(f"{figures[name]['conversions']:.2f}" for name in models)] for label, figures in lines],
	)


def _print_trained(trained: list[Any], json_output: bool) -> None:
	if json_output:
		_print_json([one.as_dict() for one in trained])
		return
	for one in trained:
		kept = "new" if one.is_new else "as it was"
		version = (
			f"version {one.version} ({kept}), {one.conversions:,} conversions"
			if one.version
			else "not trained"
		)
		click.echo(f"{one.model}: {version}. {one.message}".rstrip())


@trackflow.command("import-links")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would be made and refused.")
@as_json
@pass_context
def import_links(context: Any, file: Any, dry_run: bool, json_output: bool) -> None:
	"""Import links from a CSV: TrackFlow's own, Bitly's, Dub's or Shlink's; exits with 1 if a row was refused."""
	from trackflow.links import csv_import

	content = file.read(csv_import.MOST_BYTES + 1)
	if dry_run:
		answer = _on_site(context, lambda: csv_import.preview(content))
	else:
		answer = _on_site(context, lambda: csv_import.import_now(content, _bar(json_output)))
	if json_output:
		_print_json(answer)
	else:
		refused = [(row["row"], one) for row in answer["rows"] for one in row.get("errors") or ()]
		if refused:
			cells = [[number, one["field"], one["message"]] for number, one in refused]
			_print_table(["Row", "Field", "Why not"], cells)
		made = f"links that would be made: {answer['new']}" if dry_run else f"links made: {answer['created']}"
		click.echo(f"{answer['format']}; {made}; rows refused: {answer['failed']}.")
	if answer["failed"]:
		raise SystemExit(1)


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

	tables = _on_site(context, lambda: story.tell(url, shop))
	if json_output:
		_print_json(
			{table.title: [dict(zip(table.head, row, strict=True)) for row in table.rows] for table in tables}
		)
		return
	for table in tables:
		click.secho(f"\n{table.title}", bold=True)
		_print_table(table.head, table.rows)


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

	made = _on_site(
		context, lambda: _committed(stored_keys.create(name, scopes, domain, user, addresses, expires))
	)
	if json_output:
		_print_json(made)
	else:
		click.echo(f"{made['key']}\nKeep it: it is shown only now.")


@api_key.command("list")
@as_json
@pass_context
def list_api_keys(context: Any, json_output: bool) -> None:
	"""Show all keys, without their secrets."""
	from trackflow.access import stored_keys

	keys = _on_site(context, stored_keys.listed)
	if json_output:
		_print_json(keys)
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
	_print_table(["Name", "Prefix", "", "User", "Domain", "Expires", "Scopes"], rows)


@api_key.command("revoke")
@click.argument("name")
@as_json
@pass_context
def revoke_api_key(context: Any, name: str, json_output: bool) -> None:
	"""Switch the key off that is called NAME, or has that prefix."""
	from trackflow.access import stored_keys

	_on_site(context, lambda: _committed(stored_keys.revoke(name)))
	if json_output:
		_print_json({"revoked": name})
	else:
		click.echo(f"{name} is switched off.")


def _committed(result: Any) -> Any:
	frappe.db.commit()
	return result


@trackflow.command("benchmark", context_settings={"ignore_unknown_options": True})
@click.argument(
	"name",
	type=click.Choice(["attribution", "collector", "drain", "flood", "import_links", "redirect", "soak"]),
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@pass_context
def benchmark(context: Any, name: str, options: tuple[str, ...]) -> None:
	"""Measure NAME on this site, which must be one for tests; OPTIONS are the benchmark's own (see benchmarks/README.md)."""
	root = Path(__file__).parents[1]
	if not (root / "benchmarks").is_dir():
		raise click.ClickException(
			"The benchmarks are in TrackFlow's repository; this is an installed package."
		)
	command = [sys.executable, "-m", f"benchmarks.{name}", "--site", get_site(context), *options]
	environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
	raise SystemExit(subprocess.run(command, env=environment, check=False).returncode)


def _on_site(context: Any, work: Callable[[], Any]) -> Any:
	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		return work()
	except frappe.ValidationError as error:
		raise click.ClickException(str(error)) from None
	finally:
		frappe.destroy()


def _bar(is_silent: bool) -> Callable[[int, int], None] | None:
	"""Shows on a terminal how much is done; nowhere else."""
	if is_silent or not sys.stderr.isatty():
		return None
	return lambda done, of: click.echo(f"\r{done} of {of} rows" + "\n" * (done == of), nl=False, err=True)


def _day(moment: datetime | None) -> date | None:
	return moment.date() if moment else None


def _print_json(data: Any) -> None:
	click.echo(json.dumps(data, indent=1, default=str))


def _print_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
	lines = [["" if cell is None else str(cell) for cell in row] for row in (head, *rows)]
	widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
	for number, line in enumerate(lines):
		click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
		if not number:
			click.echo("  ".join("─" * width for width in widths))


commands = [trackflow]
