"""Load from wrk on loopback: requests as many different visitors send them, pinned to a core of its own.

`measure` gives requests per second, p99 and what was answered. Traffic goes to 127.0.0.1 only, for a bounded time.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import traffic

# Enough different requests that no cache of results answers for the code.
REQUESTS = 4000
_SCRIPT = """
local requests, number = {{}}, 0
init = function()
	for line in io.lines("{requests}") do
		local path, agent, address = line:match("([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)")
		requests[#requests + 1] = wrk.format("GET", path, {{
			["Host"] = "{host}", ["User-Agent"] = agent, ["X-Forwarded-For"] = address,
			["Accept"] = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", ["Accept-Language"] = "en-GB,en;q=0.9",
			["Accept-Encoding"] = "gzip, deflate, br", ["Connection"] = "keep-alive",
		}})
	end
end
request = function()
	number = number % #requests + 1
	return requests[number]
end
done = function(summary, latency, all)
	io.write(string.format("RESULT %d %d %d %d %d %f\\n", summary.requests, summary.duration, summary.errors.status,
		summary.errors.connect + summary.errors.read + summary.errors.write, summary.errors.timeout, latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Answered:
	"""What wrk saw: `refused` are statuses of 400 and above, `broken` answers that did not come."""

	requests: int
	seconds: float
	refused: int
	broken: int
	p99_milliseconds: float

	@property
	def rate(self) -> float:
		return self.requests / self.seconds


def measure(
	port: int, host: str, paths: Sequence[str], seconds: int, connections: int, core: int | None
) -> Answered:
	"""Ask for `paths` in turn, each time as somebody else, for that long."""
	if not shutil.which("wrk"):
		raise SystemExit("This benchmark needs wrk on PATH (Debian: apt-get install wrk).")
	with tempfile.TemporaryDirectory() as folder:
		requests, script = Path(folder) / "requests", Path(folder) / "load.lua"
		requests.write_text(
			"".join(
				f"{paths[number % len(paths)]}\t{traffic.agent(number)}\t{traffic.address(number + 2**23)}\n"
				for number in range(max(REQUESTS, len(paths)))
			)
		)
		script.write_text(_SCRIPT.format(requests=requests, host=host))
		return run(port, script, seconds, connections, core)


def run(port: int, script: Path, seconds: int, connections: int, core: int | None) -> Answered:
	"""Let wrk send what a script says, whose `done` writes the RESULT."""
	options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
	command = ["wrk", *options, f"http://127.0.0.1:{port}/"]
	answer = subprocess.run(pinned(command, core), capture_output=True, text=True, check=True).stdout
	found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) ([\d.]+)", answer)
	assert found, answer
	count, microseconds, refused, broken, late, p99 = (float(group) for group in found.groups())
	return Answered(int(count), microseconds / 1e6, int(refused), int(broken + late), p99 / 1000)


def pinned(command: Sequence[str], core: int | None) -> list[str]:
	"""The command on one core, where the machine has a way to say so."""
	return (
		list(command)
		if core is None or not shutil.which("taskset")
		else ["taskset", "-c", str(core), *command]
	)
