"""RED-8 under fire: clicks at full speed over HTTP while workers, Redis and MariaDB are killed; then every click is counted.

`python -m benchmarks.soak [--clicks 200000] [--server web|edge]`, with servers of its own; see README.md. Exits with 1 if
a click is missing that the documented guarantee does not allow to be, or if a counter is wrong.
"""

import argparse
import http.client
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import host, report, servers, traffic

LINKS = 1000
WORKER_KILLS = 10
APPEND_ONLY = ["--appendonly", "yes", "--appendfsync", "everysec"]
# Visitors whose sessions, touch points and figures are derived again at the end.
LOOKED_AT = 2000
TIMEOUT_SECONDS = 30


@dataclass
class Answers:
	"""What the clients were told, shared by their processes."""

	redirected: Any = field(default_factory=lambda: multiprocessing.Value("q", 0))
	refused: Any = field(default_factory=lambda: multiprocessing.Value("q", 0))
	unsure: Any = field(default_factory=lambda: multiprocessing.Value("q", 0))

	@property
	def asked(self) -> int:
		return self.redirected.value + self.refused.value + self.unsure.value


class Program:
	"""A program of the site in a process of its own, with its children."""

	def __init__(self, folder: Path, name: str, *arguments: str) -> None:
		self.name, self.arguments, self.log = name, arguments, folder / f"{name}.log"
		self.process: subprocess.Popen | None = None
		self.failures = 0

	def start(self) -> "Program":
		with self.log.open("ab") as log:
			self.process = subprocess.Popen(
				[sys.executable, "-m", "benchless", "--site", host.SITE, *self.arguments],
				stdin=subprocess.DEVNULL,
				stdout=log,
				stderr=log,
				start_new_session=True,
			)
		return self

	def end(self, how: int = signal.SIGTERM) -> None:
		if self.process and self.process.poll() is None:
			os.killpg(self.process.pid, how)
			self.process.wait(60)

	def keep_running(self) -> None:
		"""What a supervisor does: a worker ends by itself when its database goes away."""
		if self.process.poll() is not None:
			self.failures += 1
			self.start()


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--clicks", type=int, default=200_000)
	parser.add_argument("--clients", type=int, default=4, help="processes that click")
	parser.add_argument(
		"--server", choices=["web", "edge"], default="web", help="who answers: web workers or the edge"
	)
	parser.add_argument(
		"--minutes", type=float, default=10, help="clients stop after that, whatever they have done"
	)
	parser.add_argument("--keep", action="store_true", help="append the result to docs/benchmarks.md")
	args = parser.parse_args()
	with servers.Folder(None) as folder:
		redis, database = servers.Redis(folder, APPEND_ONLY), servers.MariaDB(folder, host.MARIADB_OPTIONS)
		with redis, database:
			raise SystemExit(_soak(args, folder, redis, database))


def _soak(args: argparse.Namespace, folder: Path, redis: servers.Redis, database: servers.MariaDB) -> int:
	codes = _prepare(folder, redis, database)
	port = servers.free_port()
	web = _server(folder, args.server, port).start()
	worker = Program(folder, "worker", "trackflow", "drain", "--watch").start()
	answers = Answers()
	try:
		servers.wait_until(lambda: _answers(port, codes[0]), "the web server")
		began = time.monotonic()
		clients = _clients(args, port, codes, answers)
		events = _disturb(args, worker, redis, database, answers, clients)
		for client in clients:
			client.join(max(args.minutes * 60 - (time.monotonic() - began), 1))
		seconds = time.monotonic() - began
	except BaseException:
		_show_logs(folder)
		raise
	finally:
		for client in multiprocessing.active_children():
			client.kill()
		# Asked to end, a server writes what it still holds.
		web.end()
		worker.end(signal.SIGKILL)
	return _publish(args, answers, seconds, events, worker, _settle())


def _prepare(folder: Path, redis: servers.Redis, database: servers.MariaDB) -> list[str]:
	"""A site with its links; answers their codes."""
	os.environ |= {
		"BENCHLESS_SITES": str(folder / "sites"),
		"BENCHLESS_DB_URL": database.url,
		"BENCHLESS_REDIS_URL": redis.url,
		"FRAPPE_SITE": host.SITE,
	}
	from benchless.sites import ensure_site, run_on_site, use_sites_path

	use_sites_path()
	ensure_site(host.SITE, ["trackflow"])

	def codes() -> list[str]:
		import frappe

		traffic.make_site()
		return frappe.get_all("Tracked Link", pluck="short_code", order_by="name", limit=LINKS)

	return run_on_site(host.SITE, codes)


def _server(folder: Path, kind: str, port: int) -> Program:
	if kind == "edge":
		return Program(folder, "edge", "trackflow", "edge", "--port", str(port), "--any-host")
	return Program(folder, "web", "serve", "--port", str(port), "--no-worker")


def _answers(port: int, code: str) -> bool:
	connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
	try:
		# A HEAD is answered and never counted.
		connection.request("HEAD", f"/r/{code}")
		return connection.getresponse().status == 302
	except OSError:
		return False
	finally:
		connection.close()


def _clients(
	args: argparse.Namespace, port: int, codes: list[str], answers: Answers
) -> list[multiprocessing.Process]:
	shares = [
		args.clicks // args.clients + (number < args.clicks % args.clients) for number in range(args.clients)
	]
	until = time.time() + args.minutes * 60
	context = multiprocessing.get_context("fork")
	clients = [
		context.Process(target=_click, args=(port, codes, share, seed, until, answers), daemon=True)
		for seed, share in enumerate(shares)
	]
	for client in clients:
		client.start()
	return clients


def _click(port: int, codes: list[str], number: int, seed: int, until: float, answers: Answers) -> None:
	"""One client: visitors of many addresses and agents, one after the other."""
	some = random.Random(seed)
	connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
	for _click in range(number):
		if time.time() > until:
			return
		who = some.randrange(200_000)
		headers = {
			"X-Forwarded-For": f"198.{18 + who % 2}.{who // 256 % 256}.{who % 256}",
			"User-Agent": traffic.agent(who),
		}
		try:
			connection.request("GET", f"/r/{some.choice(codes)}", headers=headers)
			response = connection.getresponse()
			response.read()
			counter = answers.redirected if response.status == 302 else answers.refused
		except (OSError, http.client.HTTPException):
			connection.close()
			counter = answers.unsure
		with counter.get_lock():
			counter.value += 1


def _disturb(
	args: argparse.Namespace,
	worker: Program,
	redis: servers.Redis,
	database: servers.MariaDB,
	answers: Answers,
	clients: list[multiprocessing.Process],
) -> list[str]:
	"""Kill what can be killed, spread over the run; answers what was done."""

	def again(server: servers.Server, end: Callable[[], None]) -> Callable[[], None]:
		def restart() -> None:
			end()
			time.sleep(1)
			server.start()

		return restart

	def kill_worker() -> None:
		worker.end(signal.SIGKILL)
		worker.start()

	plan = [((number + 0.5) / WORKER_KILLS, "worker killed", kill_worker) for number in range(WORKER_KILLS)]
	plan += [
		(0.3, "Redis stopped and started", again(redis, redis.stop)),
		(0.5, "MariaDB killed and started", again(database, database.crash)),
		(0.7, "Redis killed and started", again(redis, redis.crash)),
	]
	done = []
	for part, what, act in sorted(plan, key=lambda one: one[0]):
		while answers.asked < part * args.clicks and any(client.is_alive() for client in clients):
			time.sleep(0.02)
			worker.keep_running()
		act()
		done.append(what)
		print(f"{answers.asked:>8,} answers: {what}", flush=True)
	while any(client.is_alive() for client in clients):
		time.sleep(0.1)
		worker.keep_running()
	return done


def _settle() -> dict[str, int]:
	"""Store what still waits, then count everything and derive it again."""
	from benchless.sites import run_on_site

	def count() -> dict[str, int]:
		import frappe

		from trackflow.stream import drain, spool, writer
		from trackflow.tracking import counters, repair

		drain.drain(max_seconds=float("inf"), claim_after_seconds=0)
		frappe.db.commit()
		visitors = frappe.get_all("Visitor", pluck="name", order_by="name", limit=LOOKED_AT)
		portions = [visitors[start : start + 500] for start in range(0, len(visitors), 500)]
		return {
			"stored": frappe.db.count("Click Event"),
			"kept in the Click Queue": frappe.db.count("Click Queue", {"status": ("!=", "Processed")}),
			"waiting on the stream": drain.waiting(),
			"bytes in the spool": spool.size(),
			"counted as lost": writer.all_losses(),
			"counters changed by counting again": counters.rebuild(),
			"visits changed by deriving again": sum(repair.rebuild(some) for some in portions),
			"visitors changed by deriving again": sum(repair.rebuild_figures(some) for some in portions),
		}

	return run_on_site(host.SITE, count)


def _publish(
	args: argparse.Namespace,
	answers: Answers,
	seconds: float,
	events: list[str],
	worker: Program,
	found: dict[str, int],
) -> int:
	redirected, unsure = answers.redirected.value, answers.unsure.value
	kept = (
		found["stored"]
		+ found["kept in the Click Queue"]
		+ found["waiting on the stream"]
		+ found["counted as lost"]
	)
	missing = redirected - kept
	allowed = int(redirected / seconds)
	wrong = sum(number for name, number in found.items() if "changed" in name)
	is_fine = -unsure <= missing <= allowed and not wrong and not found["bytes in the spool"]
	rows = [
		["redirected (302)", redirected],
		["refused (503: link not cached, database away)", answers.refused.value],
		["without an answer (may be stored or not)", unsure],
		["answers per second", answers.asked / seconds],
		*found.items(),
		["redirected, but nowhere to be found", missing],
		["allowed to be missing: a second of clicks, at the crash of Redis", allowed],
		["verdict", "as documented" if is_fine else "NOT as documented"],
	]
	notes = [
		f"Meanwhile: {', '.join(f'{events.count(what)} × {what}' for what in dict.fromkeys(events))}; "
		f"the worker ended by itself {worker.failures} times (its database was away) and was started again"
	]
	title = (
		f"Soak: {args.clicks:,} clicks on {LINKS:,} links over HTTP ({args.server}), {args.clients} clients"
	)
	report.publish(title, ["figure", "value"], rows, notes, args.keep)
	return 0 if is_fine else 1


def _show_logs(folder: Path) -> None:
	for log in folder.glob("*.log"):
		sys.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}\n")


if __name__ == "__main__":
	main()
