"""PRF-1 and PRF-2: redirects per second with recording, by the bench and by the edge, beside the bench's ping and nginx.

`python -m benchmarks.redirect --bench SITES --site SITE`; without a bench the edge of benchless beside nginx. See README.md.
One server at a time, one process each, on one core; wrk on another. Every answered click is looked for on the stream.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks import host, load, report, servers, traffic

SERVER_CORE, LOAD_CORE = 0, 1
# A cold edge reads a few hundred links a second; all of them are to be in memory when it counts.
WARM_UP_SECONDS = 8
PING = "/api/method/ping"
_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
	access_log off; keepalive_requests 1000000;
	server {{ listen 127.0.0.1:{port}; location / {{ return 302 https://shop.example.com/products; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Subject:
	"""Something to measure: a server, and what it is asked for."""

	name: str
	server: servers.Server
	paths: list[str]
	records: bool


@dataclass(frozen=True, slots=True)
class Result:
	subject: Subject
	runs: list[load.Answered]
	stored: int

	@property
	def rate(self) -> float:
		return statistics.median(run.rate for run in self.measured)

	@property
	def measured(self) -> list[load.Answered]:
		"""The runs after the warm-up."""
		return self.runs[1:]

	@property
	def answered(self) -> int:
		return sum(run.requests for run in self.runs)


class Web(servers.Server):
	"""gunicorn as bench starts it: one synchronous worker, preloaded."""

	name = "gunicorn"

	def __init__(self, folder: Path, sites: Path) -> None:
		super().__init__(folder)
		self.sites = sites

	def command(self) -> list[str]:
		gunicorn = Path(sys.executable).with_name("gunicorn")
		options = ["-b", f"127.0.0.1:{self.port}", "-w", "1", "-t", "120", "--preload", "--max-requests", "0"]
		here = ["--chdir", str(self.sites)]
		return load.pinned([str(gunicorn), *here, *options, "frappe.app:application"], SERVER_CORE)

	def is_up(self) -> bool:
		return _answers(self.port)


class Edge(servers.Server):
	"""`trackflow edge` of the site."""

	name = "edge"

	def __init__(self, folder: Path, prefix: list[str], directory: Path) -> None:
		super().__init__(folder)
		self.prefix, self.directory = prefix, directory

	def command(self) -> list[str]:
		command = [*self.prefix, "trackflow", "edge", "--host", "127.0.0.1", "--port", str(self.port)]
		return load.pinned(["env", "-C", str(self.directory), *command], SERVER_CORE)

	def is_up(self) -> bool:
		return _answers(self.port, "/healthz")


class Nginx(servers.Server):
	"""`return 302`: what no redirect server can be faster than."""

	name = "nginx"

	def command(self) -> list[str]:
		configuration = self.folder / "nginx.conf"
		configuration.write_text(_NGINX.format(folder=self.folder, port=self.port))
		return load.pinned(["nginx", "-c", str(configuration), "-p", str(self.folder)], SERVER_CORE)

	def is_up(self) -> bool:
		return _answers(self.port)


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--seconds", type=int, default=8, help="length of a run")
	parser.add_argument("--repeats", type=int, default=5)
	parser.add_argument("--connections", type=int, default=16)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where, ExitStack() as stack:
		traffic.make_site()
		folder = stack.enter_context(servers.Folder(None))
		results = [_measure(subject, args) for subject in _subjects(folder, args)]
		_publish(results, args, where.name)


def _subjects(folder: Path, args: argparse.Namespace) -> Iterator[Subject]:
	import frappe

	sites = Path(args.bench or os.environ["BENCHLESS_SITES"]).resolve()
	codes = frappe.get_all("Tracked Link", pluck="short_code", order_by="name", limit=traffic.LINKS)
	links = [f"/r/{code}" for code in codes]
	frappe.db.commit()
	if args.bench:
		web = Web(folder, sites)
		yield Subject("bench, ping", web, [PING], records=False)
		yield Subject("bench, redirect", web, links, records=True)
		frappe_python = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", args.site]
		yield Subject("edge, redirect", Edge(folder, frappe_python, sites), links, records=True)
	else:
		benchless = [str(Path(sys.executable).with_name("benchless")), "--site", args.site]
		yield Subject("edge, redirect", Edge(folder, benchless, sites), links, records=True)
	if shutil.which("nginx"):
		yield Subject("nginx, return 302", Nginx(folder), ["/r/anything"], records=False)


def _measure(subject: Subject, args: argparse.Namespace) -> Result:
	# The server ends first: what it still holds belongs to what it answered.
	with _counted() as recorded, subject.server:
		port = subject.server.port
		warm = load.measure(port, args.site, subject.paths, WARM_UP_SECONDS, args.connections, LOAD_CORE)
		runs = [
			load.measure(port, args.site, subject.paths, args.seconds, args.connections, LOAD_CORE)
			for _number in range(args.repeats)
		]
	result = Result(subject, [warm, *runs], recorded())
	print(f"{subject.name}: {result.rate:,.0f} requests/s")
	return result


@contextmanager
def _counted() -> Iterator[Callable[[], int]]:
	"""Count the clicks that come onto the stream meanwhile, and take them away; no worker of the site may run."""
	import frappe

	from trackflow.stream import connection

	redis, key = connection.connect(), connection.key("stream")
	redis.delete(key)
	found = 0
	yield lambda: found
	start = b"-"
	while entries := redis.xrange(key, min=start, count=5000):
		found += sum(len(json.loads(fields[b"records"])) for _id, fields in entries)
		start = b"(" + entries[-1][0]
	redis.delete(key)


def _answers(port: int, path: str = "/") -> bool:
	connection = HTTPConnection("127.0.0.1", port, timeout=2)
	try:
		connection.request("GET", path)
		return bool(connection.getresponse().status)
	except (OSError, HTTPException):
		return False
	finally:
		connection.close()


def _publish(results: list[Result], args: argparse.Namespace, where: str) -> None:
	by_name = {result.subject.name: result for result in results}
	ping, nginx = by_name.get("bench, ping"), by_name.get("nginx, return 302")
	rows = [
		[
			result.subject.name,
			round(result.rate),
			f"{min(run.rate for run in result.measured):,.0f} – {max(run.rate for run in result.measured):,.0f}",
			statistics.median(run.p99_milliseconds for run in result.measured),
			f"{result.rate / ping.rate:.2f}" if ping else "",
			f"{result.rate / nginx.rate:.1%}" if nginx else "",
			f"{result.answered:,} / {result.stored:,}" if result.subject.records else "",
			sum(run.refused + run.broken for run in result.runs),
		]
		for result in results
	]
	head = [
		"one process on one core", "requests/s, median", "lowest – highest", "p99 ms, median", "× ping", "of nginx",
		"clicks answered / on the stream", "errors",
	]  # fmt: skip
	notes = [
		f"wrk, {args.connections} connections, {args.repeats} runs of {args.seconds} s after a warm-up of {WARM_UP_SECONDS} s; "
		f"{traffic.LINKS} links, {load.REQUESTS} different visitors",
		"Targets: bench redirect ≥ 1.5 × ping (PRF-1); edge ≥ 30 × ping, ≥ 15 % of nginx, p99 < 5 ms (PRF-2)",
	]
	report.publish(f"Redirects per second on {where}", head, rows, notes, args.keep)


if __name__ == "__main__":
	main()
