"""PRF-4: events per second that one edge process takes over HTTP, 100 a batch, each validated, on the stream when it answers.

`python -m benchmarks.collector`. Beside it, in one process and without HTTP: decode, check the types and append, which is all
that any collector has to do. The edge runs on one core, wrk on another; Redis is a process of its own.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import host, load, report, servers, traffic
from benchmarks.redirect import LOAD_CORE, Edge

BATCH = 100
WARM_UP_SECONDS = 3
# Visitors of a batch: a browser sends its own events, a server those of many.
VISITORS = (1, BATCH)
# Ids are the number of the request and that of the event.
_SCRIPT = """
local file = io.open("{body}")
local body = file:read("*a")
file:close()
local number, refused = 0, 0
local headers = {{["Host"] = "{host}", ["Origin"] = "https://{shop}", ["User-Agent"] = "{agent}",
	["X-Forwarded-For"] = "198.51.100.7", ["Content-Type"] = "text/plain"}}
local run = string.format("%08x", os.time() % 4294967296)
request = function()
	number = number + 1
	return wrk.format("POST", "/collect", headers, (string.gsub(body, "@", run .. string.format("%08x", number))))
end
done = function(summary, latency, all)
	io.write(string.format("RESULT %d %d %d %d %d %f\\n", summary.requests, summary.duration, summary.errors.status,
		summary.errors.connect + summary.errors.read + summary.errors.write, summary.errors.timeout, latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Run:
	"""One run: events by the second and by the second of the edge's processor time."""

	answered: load.Answered
	cpu: float

	@property
	def events(self) -> int:
		return self.answered.requests * BATCH

	@property
	def rate(self) -> float:
		return self.events / self.answered.seconds

	@property
	def rate_of_core(self) -> float:
		return self.events / self.cpu


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--seconds", type=int, default=6, help="length of a run")
	parser.add_argument("--repeats", type=int, default=3)
	parser.add_argument("--connections", type=int, default=8)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where, ExitStack() as stack:
		key = make_site()
		folder = stack.enter_context(servers.Folder(None))
		rows = [_row(f"bare, {count} visitors", [_bare(key, count, args)]) for count in VISITORS]
		for count in VISITORS:
			rows.append(_measure(folder, key, count, args))
		_publish(rows, args, where.name)


def make_site() -> str:
	import frappe

	traffic.make_site()
	settings = frappe.get_single("TrackFlow Settings")
	for field in ("limit_events_per_address_minute", "limit_events_per_site_minute"):
		settings.set(field, 0)
	settings.save(ignore_permissions=True)
	domain = frappe.get_doc("Domain Configuration", traffic.SHOP)
	domain.consent_required = 0
	domain.save(ignore_permissions=True)
	frappe.db.commit()
	return domain.public_key


def _body(key: str, visitors: int) -> bytes:
	"""A batch as the website script writes it; "@" stands for the number of the request."""
	now = int(time.time() * 1000)
	events = [
		{
			"eventId": f"@{number:02x}",
			"type": "PAGE_VIEW" if number % 4 else "CUSTOM",
			"name": "" if number % 4 else "scroll",
			"url": f"https://{traffic.SHOP}/products/{number}?utm_source=newsletter&utm_medium=email",
			"title": f"Product {number}",
			"referrer": "https://mail.example.com/",
			"timestamp": now - number * 10,
			"visitorId": f"v_{number % visitors:016x}",
			"screen": "1920x1080",
			"viewport": "1280x720",
			**({} if number % 4 else {"properties": {"depth": 50}}),
		}
		for number in range(BATCH)
	]
	return json.dumps({"publicKey": key, "sentAt": now, "events": events}, separators=(",", ":")).encode()


def _bare(key: str, visitors: int, args: argparse.Namespace) -> Run:
	"""What no collector in this language can do without."""
	import msgspec

	from trackflow.stream import connection
	from trackflow.tracking.events import _Body

	body, decoder, redis = _body(key, visitors), msgspec.json.Decoder(_Body), connection.connect()
	stream = connection.key("stream")
	batches, cpu, began = 0, time.process_time(), time.monotonic()
	while time.monotonic() < began + args.seconds:
		decoder.decode(body)
		redis.xadd(stream, {"records": body}, maxlen=1000)
		batches += 1
	seconds, cpu = time.monotonic() - began, time.process_time() - cpu
	redis.delete(stream)
	return Run(load.Answered(batches, seconds, 0, 0, 0.0), cpu)


def _measure(folder: Path, key: str, visitors: int, args: argparse.Namespace) -> list[object]:
	from trackflow.stream import connection

	benchless = [str(Path(sys.executable).with_name("benchless")), "--site", args.site]
	frappe_python = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", args.site]
	sites = Path(args.bench or os.environ["BENCHLESS_SITES"]).resolve()
	redis, runs = connection.connect(), []
	with Edge(folder, frappe_python if args.bench else benchless, sites) as edge:
		for _number in range(args.repeats + 1):
			seconds = args.seconds if runs else WARM_UP_SECONDS
			before = _cpu(edge.process.pid)
			answered = _load(edge.port, _body(key, visitors), seconds, args)
			runs.append(Run(answered, _cpu(edge.process.pid) - before))
			on_stream = redis.xlen(connection.key("stream"))
			if answered.refused or answered.broken or on_stream < answered.requests:
				raise SystemExit(f"Not all was taken: {answered}, {on_stream} on the stream")
			_empty(redis)
	return _row(f"edge, {visitors} visitors", runs[1:])


def _load(port: int, body: bytes, seconds: int, args: argparse.Namespace) -> load.Answered:
	with tempfile.TemporaryDirectory() as folder:
		file, script = Path(folder) / "body", Path(folder) / "load.lua"
		file.write_bytes(body)
		script.write_text(
			_SCRIPT.format(body=file, host=args.site, shop=traffic.SHOP, agent=traffic.agent(1))
		)
		return load.run(port, script, seconds, args.connections, LOAD_CORE)


def _empty(redis: object) -> None:
	from trackflow.stream import connection

	redis.delete(connection.key("stream"))
	names = list(
		redis.scan_iter(connection.key("seen:*").replace("{", "[{]").replace("}", "[}]"), count=10_000)
	)
	for start in range(0, len(names), 10_000):
		redis.delete(*names[start : start + 10_000])


def _cpu(process: int) -> float:
	fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
	return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _row(name: str, runs: list[Run]) -> list[object]:
	rate = statistics.median(run.rate for run in runs)
	of_core = statistics.median(run.rate_of_core for run in runs)
	print(f"{name}: {rate:,.0f} events/s, {of_core:,.0f} by the second of processor time")
	return [
		name,
		round(rate),
		round(of_core),
		1e6 / of_core,
		statistics.median(run.answered.p99_milliseconds for run in runs) or "",
		sum(run.events for run in runs),
	]


def _publish(rows: list[list[object]], args: argparse.Namespace, where: str) -> None:
	head = [
		"one process on one core", "events/s, median", "per second of its processor time", "µs of processor per event",
		"p99 of a batch, ms", "events taken",
	]  # fmt: skip
	notes = [
		f"wrk, {args.connections} connections, {args.repeats} runs of {args.seconds} s after a warm-up; {BATCH} events a batch, "
		"every id another; every event validated and on the stream when it is answered; Redis in a process of its own",
		"bare: decoded with its types checked, and appended to the stream, without HTTP, duplicates, privacy and verdict",
		"Target of PRF-4: 100,000 per second and core",
	]
	report.publish(f"Collector: events per second on {where}", head, rows, notes, args.keep)


if __name__ == "__main__":
	main()
