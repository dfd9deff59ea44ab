"""COL-1, RED-8: 100,000 events from 50 clients at once that retry and repeat themselves; then every event is looked for.

`python -m benchmarks.flood`. A client is the browsers of some visitors: it sends batches, some of them again, some with events of
earlier ones, and gives up on some answers before they come. What is stored must be exactly the distinct events, and of each
visitor one session with all of them. Exits with 1 if anything is missing or doubled.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks import host, report, servers, traffic
from benchmarks.collector import make_site
from benchmarks.redirect import Edge

BATCH = 20
# Batches of one visitor.
VISIT = 5
# Shares of batches that are sent once more, that bring an earlier event along, and whose answer is not waited for.
AGAIN, EARLIER, GIVEN_UP = 0.1, 0.2, 0.02


class Client:
	"""The browsers of some visitors, one after the other."""

	def __init__(self, number: int, batches: int, port: int, site: str, key: str) -> None:
		self.number, self.batches, self.port, self.site, self.key = number, batches, port, site, key
		self.chance = random.Random(number)
		self.sent = 0
		self.verdicts: Counter[str] = Counter()
		self.connection = HTTPConnection("127.0.0.1", port, timeout=60)

	def run(self) -> "Client":
		began = time.time() - 600
		for portion in range(self.batches):
			ids = [f"{self.number}-{portion}-{index}" for index in range(BATCH)]
			if portion % VISIT and self.chance.random() < EARLIER:
				ids.append(f"{self.number}-{portion - 1}-0")
			body = self._body(ids, visitor(self.number, portion // VISIT), began + portion)
			if self.chance.random() < GIVEN_UP:
				self._give_up(body)
			for _time in range(1 + (self.chance.random() < AGAIN)):
				self._send(body)
		self.connection.close()
		return self

	def _body(self, ids: list[str], visitor_id: str, at: float) -> bytes:
		events = [
			{
				"eventId": one,
				"type": "PAGE_VIEW",
				"url": f"https://{traffic.SHOP}/products/{one}",
				"visitorId": visitor_id,
				"timestamp": int(at * 1000),
			}
			for one in ids
		]
		return json.dumps({"publicKey": self.key, "events": events}).encode()

	def _give_up(self, body: bytes) -> None:
		"""Send, and be gone before the answer comes, as a page that is closed: the next attempt is a retry."""
		self._request(body)
		self.connection.close()
		self.verdicts["given up"] += 1

	def _send(self, body: bytes) -> None:
		while True:
			try:
				self._request(body)
				answer = self.connection.getresponse()
				status, told = answer.status, answer.read()
			except (OSError, HTTPException):
				self.connection.close()
				self.verdicts["without an answer"] += 1
				continue
			self.sent += 1
			if status == 202:
				verdict = json.loads(told)
				self.verdicts.update(accepted=verdict["accepted"], duplicate=verdict["duplicate"])
				return
			self.verdicts[str(status)] += 1
			time.sleep(float(answer.headers.get("Retry-After", 1)))

	def _request(self, body: bytes) -> None:
		headers = {
			"Host": self.site,
			"Origin": f"https://{traffic.SHOP}",
			"Content-Type": "text/plain",
			"User-Agent": traffic.agent(self.number),
			"X-Forwarded-For": traffic.address(self.number),
		}
		self.connection.request("POST", "/collect", body, headers)


def visitor(client: int, visit: int) -> str:
	return f"v_{(client + 1) * 2**32 + visit:016x}"


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--events", type=int, default=100_000)
	parser.add_argument("--clients", type=int, default=50)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where, ExitStack() as stack:
		key = make_site()
		folder = stack.enter_context(servers.Folder(None))
		batches = args.events // (args.clients * BATCH * VISIT) * VISIT
		began = time.monotonic()
		with Edge(folder, *_command(args)) as edge, ThreadPoolExecutor(args.clients) as pool:
			clients = [Client(number, batches, edge.port, args.site, key) for number in range(args.clients)]
			list(pool.map(Client.run, clients))
		seconds = time.monotonic() - began
		is_right = _publish(clients, batches, seconds, args, where.name)
	raise SystemExit(0 if is_right else 1)


def _command(args: argparse.Namespace) -> tuple[list[str], Path]:
	frappe_python = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", args.site]
	benchless = [str(Path(sys.executable).with_name("benchless")), "--site", args.site]
	sites = Path(args.bench or os.environ["BENCHLESS_SITES"]).resolve()
	return (frappe_python if args.bench else benchless), sites


def _publish(
	clients: list[Client], batches: int, seconds: float, args: argparse.Namespace, where: str
) -> bool:
	import frappe

	from trackflow.stream import drain

	drain.drain(max_seconds=3600)
	frappe.db.rollback()
	visitors = [visitor(client.number, visit) for client in clients for visit in range(batches // VISIT)]
	of_visitors = {"visitor": ("in", visitors)}
	expected = len(clients) * batches * BATCH
	stored = frappe.db.count("Visitor Event", of_visitors)
	distinct = len(set(frappe.get_all("Visitor Event", of_visitors, pluck="event_id")))
	sessions = frappe.get_all(
		"Visitor Session", {"visitor_id": ("in", visitors)}, ["visitor_id", "event_count"], order_by="name"
	)
	verdicts = sum((client.verdicts for client in clients), Counter())
	right_sessions = sum(one.event_count == VISIT * BATCH for one in sessions)
	kept = frappe.db.count("Click Queue", {"status": ("!=", "Processed")})
	is_right = (
		stored == distinct == expected and right_sessions == len(sessions) == len(visitors) and not kept
	)
	rows = [
		["distinct events sent", expected],
		["events sent in all", verdicts["accepted"] + verdicts["duplicate"]],
		["answered: new", verdicts["accepted"]],
		["answered: duplicate", verdicts["duplicate"]],
		["requests given up before the answer", verdicts["given up"]],
		["requests without an answer, sent again", verdicts["without an answer"]],
		["answers 429 and 5xx, sent again", sum(n for name, n in verdicts.items() if name.isdigit())],
		["stored", stored],
		["stored twice", stored - distinct],
		["kept in the Click Queue", kept],
		["sessions", len(sessions)],
		["sessions with exactly their visitor's events", right_sessions],
		["seconds to send", seconds],
		["verdict", "exactly once" if is_right else "NOT RIGHT"],
	]
	title = f"Flood: {expected:,} events from {args.clients} clients over HTTP (edge), on {where}"
	report.publish(title, ["figure", "value"], rows, [f"Batches of {BATCH} and more"], args.keep)
	return is_right


if __name__ == "__main__":
	main()
