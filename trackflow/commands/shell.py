"""What all commands share: the group they are in, the site they work on, answers as tables or JSON."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import click
import frappe
from frappe.commands import get_site

as_json = click.option("--json", "json_output", is_flag=True, help="Answer in JSON.")


@click.group("trackflow")
def trackflow() -> None:
	"""Which marketing brought which lead and which deal."""


def on_site(context: Any, work: Callable[[], Any]) -> Any:
	"""Do the work on the site that the command was called for; what it refuses is said without a traceback."""
	with connected(context):
		try:
			return work()
		except frappe.ValidationError as error:
			raise click.ClickException(str(error)) from None
		except UnicodeEncodeError:
			# Bytes of the command line that are no text reach the database as half characters.
			raise click.ClickException("What was typed holds characters that no text can hold.") from None


@contextmanager
def connected(context: Any) -> Iterator[None]:
	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()


def committed(result: Any) -> Any:
	frappe.db.commit()
	return result


def bar(is_silent: bool, what: str = "rows") -> Callable[[int, int], None] | None:
	"""Shows on a terminal how much is done; nowhere else."""
	if is_silent or not sys.stderr.isatty():
		return None
	return lambda done, of: click.echo(f"\r{done} of {of} {what}" + "\n" * (done == of), nl=False, err=True)


def day(moment: datetime | None) -> date | None:
	"""The day of an option; one so far away that the day after it may be none is refused."""
	from trackflow.day_range import EARLIEST, LATEST

	found = moment.date() if moment else None
	if found and not EARLIEST <= found <= LATEST:
		raise click.UsageError(f"{found} is not between {EARLIEST} and {LATEST}.")
	return found


def print_json(data: Any) -> None:
	click.echo(json.dumps(data, indent=1, default=str))


def inert(text: str) -> str:
	"""A text of visitors as a terminal may show it: nothing in it moves the cursor."""
	return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def print_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
	lines = [["" if cell is None else inert(str(cell)) for cell in row] for row in (head, *rows)]
	widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
	for number, line in enumerate(lines):
		click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
		if not number:
			click.echo("  ".join("─" * width for width in widths))
