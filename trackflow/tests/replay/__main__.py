"""The command line of the replay; exits with 1 if anything differs."""

from __future__ import annotations

import argparse
import sys
import textwrap

from trackflow.tests.replay.cases import CASES, CLEANING, CRM_CASES, PREPARATION, RESTORED
from trackflow.tests.replay.client import Case, Host
from trackflow.tests.replay.compare import Difference, differences

WIDTHS = (38, 34, 44, 44)


def main(arguments: list[str] | None = None) -> int:
	"""Prepare, replay, clean up, report."""
	options = _options(arguments)
	hosts = (Host(options.base_url_a, options.site_a), Host(options.base_url_b, options.site_b))
	for host in hosts:
		host.login(options.user, options.password)
	cases = [case for case in _cases(hosts) if options.only in case.name]
	clean(hosts)
	try:
		prepare(hosts)
		found = replay(hosts, cases, options.verbose)
	finally:
		clean(hosts)
	_print_table(found)
	differing = len({one.case for one in found})
	print(f"{len(cases)} requests replayed, {differing} differ, {len(found)} differences.")
	return 1 if found else 0


def replay(hosts: tuple[Host, Host], cases: list[Case], verbose: bool = False) -> list[Difference]:
	"""Send every case to both hosts, one after the other; answers what differs."""
	found: list[Difference] = []
	for case in cases:
		one, other = (host.send(case) for host in hosts)
		if verbose:
			print(f"{one.status} {other.status}  {case.method:7}{case.name}")
		found += differences(case, one, other, (hosts[0].saved, hosts[1].saved))
	return found


def prepare(hosts: tuple[Host, Host]) -> None:
	"""Make the same data on both hosts. Stops the program where that fails: nothing could be compared."""
	for host in hosts:
		for case in PREPARATION:
			answer = host.send(case)
			if answer.status != 200:
				text = answer.body.decode(errors="replace")[-2000:]
				raise SystemExit(f"{host.saved['base']}: {case.name} failed with {answer.status}:\n{text}")


def clean(hosts: tuple[Host, Host]) -> None:
	"""Remove what a replay makes, also what one that was interrupted left; put the settings back."""
	for host in hosts:
		if "settings" in host.saved:
			host.send(RESTORED)
		for doctype, field, pattern in CLEANING:
			listing = {
				"filters": [[field, "like", pattern]],
				"limit_page_length": 0,
				"order_by": "creation desc",
			}
			names = (
				host.send(Case("list", "GET", f"/api/resource/{doctype}", listing, admin=True)).json() or {}
			)
			for row in names.get("data", []):
				host.send(Case("remove", "DELETE", f"/api/resource/{doctype}/{row['name']}", admin=True))


def _cases(hosts: tuple[Host, Host]) -> list[Case]:
	question = Case("is CRM there?", "GET", "/api/resource/CRM Lead", {"limit_page_length": 1}, admin=True)
	have_crm = [host.send(question).status == 200 for host in hosts]
	if all(have_crm):
		return [*CASES, *CRM_CASES]
	print("Not both hosts have Frappe CRM: its requests are left out.")
	return list(CASES)


def _options(arguments: list[str] | None) -> argparse.Namespace:
	parser = argparse.ArgumentParser(prog="python -m trackflow.tests.replay", description=__doc__)
	parser.add_argument("base_url_a", help="e.g. http://one.localhost:8000")
	parser.add_argument("base_url_b")
	parser.add_argument("--site-a", default="", help="name of the site, where the host name is not its name")
	parser.add_argument("--site-b", default="")
	parser.add_argument("--user", default="Administrator")
	parser.add_argument("--password", default="admin")
	parser.add_argument("--only", default="", help="only cases whose name contains this")
	parser.add_argument("-v", "--verbose", action="store_true", help="print every request with both statuses")
	return parser.parse_args(arguments)


def _print_table(found: list[Difference]) -> None:
	if not found:
		return
	_print_row(("request", "what", "A", "B"))
	print("  ".join("─" * width for width in WIDTHS))
	for one in found:
		_print_row((one.case, one.what, one.one, one.other))


def _print_row(cells: tuple[str, str, str, str]) -> None:
	columns = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, WIDTHS, strict=True)]
	for number in range(max(map(len, columns))):
		line = [column[number] if number < len(column) else "" for column in columns]
		print("  ".join(text.ljust(width) for text, width in zip(line, WIDTHS, strict=True)).rstrip())


if __name__ == "__main__":
	sys.exit(main())
