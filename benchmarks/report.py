"""What every benchmark prints: the machine, the versions, the command, one table; and the same appended to the docs.

Knows nothing of what is measured. `docs/benchmarks.md` is only ever appended to, and only if asked.
"""

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def publish(
	title: str, head: Sequence[str], rows: Iterable[Sequence[object]], notes: Sequence[str], keep: bool
) -> None:
	"""Print a result; append it to the docs if `keep`."""
	cells = [[_text(cell) for cell in row] for row in rows]
	text = "\n".join(
		[f"## {title}", "", *_lines(head, cells), "", *(f"- {note}" for note in [*notes, *_where()]), ""]
	)
	print("\n" + text)
	if keep:
		with DOCUMENT.open("a") as file:
			file.write("\n" + text)


def _where() -> list[str]:
	command = shlex.join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
	return [f"{date.today()}: `{command}`", f"Machine: {machine()}", f"Versions: {versions()}"]


def machine() -> str:
	"""Cores, processor, memory and load of this machine."""
	memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
	return f"{os.cpu_count()} cores, {_processor()}, {memory:.0f} GiB; load before {os.getloadavg()[2]:.1f} (15 minutes)"


def versions() -> str:
	"""Python, the servers, and the packages that matter."""
	packages = [f"{name} {_version(name)}" for name in ("redis", "PyMySQL", "ua-parser", "ua-parser-rs")]
	servers = [_first_line("mariadbd", "--version"), _first_line("redis-server", "--version")]
	return ", ".join([f"Python {platform.python_version()}", *packages, *filter(None, servers)])


def _lines(head: Sequence[str], cells: list[list[str]]) -> list[str]:
	widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
	rows = [head, ["-" * width for width in widths], *cells]
	return [
		"| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
		for row in rows
	]


def _text(cell: object) -> str:
	if isinstance(cell, float):
		return f"{cell:,.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
	return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _processor() -> str:
	for line in Path("/proc/cpuinfo").read_text().splitlines():
		if line.startswith("model name"):
			return line.partition(":")[2].strip()
	return platform.machine()


def _version(package: str) -> str:
	try:
		return version(package)
	except PackageNotFoundError:
		return "not installed"


def _first_line(*command: str) -> str:
	try:
		answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
	except FileNotFoundError:
		return ""
	words = answer.split()
	return " ".join(words[:3]).rstrip(",") if words else ""
