"""The site's own health and upkeep: doctor, drain, rebuild, weekly-summary; and what its API is: openapi."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click
import frappe
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, on_site, print_json, print_table, trackflow

# Exit code: all is safe, but somebody should look.
KEPT = 3


@trackflow.command("doctor")
@as_json
@pass_context
def doctor(context: Any, json_output: bool) -> None:
	"""Check that the site can record, store and attribute; exits with 1 if something is broken."""
	from trackflow.doctor import examine

	findings = on_site(context, examine)
	if json_output:
		print_json([finding.as_dict() for finding in findings])
	else:
		print_table(["", "Check", "Finding"], [[one.mark, one.check, one.text] for one in findings])
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
		done = on_site(context, lambda: _watch() if watch else _drain(None if json_output else _progress()))
	except StreamUnavailable as error:
		raise click.ClickException(f"The stream cannot be read: {error}") from None
	except KeyboardInterrupt:
		return
	if json_output:
		figures = {"records": done.records, "stored": done.stored, "failed": done.failed}
		print_json({**figures, "seconds": round(done.seconds, 3)})
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
		written["clicks"] = on_site(context, counters.rebuild)
	if what in ("visits", "all"):
		written["visits"] = on_site(context, lambda: repair.rebuild_all(None if json_output else tell))
	if json_output:
		print_json({"rows_written": written})
	else:
		for name, number in written.items():
			click.echo(f"{name}: {number:,} rows written.")


@trackflow.command("weekly-summary")
@click.option("--preview", is_flag=True, help="Print it and send nothing.")
@as_json
@pass_context
def weekly_summary(context: Any, preview: bool, json_output: bool) -> None:
	"""Send the summary of the last full week to those whom the settings name, unless that was done; or print it. Exits with 1 if
	there is nobody to send it to."""
	if preview:
		_preview_summary(context, json_output)
		return
	from trackflow.weekly_summary import send

	sent = on_site(context, send.send)
	if json_output:
		print_json({"week": sent.week, "recipients": sent.recipients, "reason": sent.reason or None})
	elif sent.reason == "sent":
		click.echo(f"The summary of the week before {sent.week} was sent before.")
	elif not sent.reason:
		click.echo(f"Queued for {sent.recipients} recipients.")
	if sent.reason == "nobody":
		raise click.ClickException("The settings name no recipient.")


def _preview_summary(context: Any, json_output: bool) -> None:
	from trackflow.weekly_summary import layout, send

	mail = on_site(context, send.build)
	if json_output:
		print_json({"subject": mail.subject, "text": layout.text(mail), "html": layout.html(mail)})
	else:
		click.echo(f"{mail.subject}\n\n{layout.text(mail)}", nl=False)


@trackflow.command("openapi")
@pass_context
def openapi(context: Any) -> None:
	"""Print what the API is, as an OpenAPI document: for generators of clients and for tools that try an API out."""
	from trackflow import openapi as described

	print_json(on_site(context, described.document))
