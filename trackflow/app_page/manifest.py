"""What Vite built of frontend/: which files the page loads. Names carry a hash of what is in them, the manifest says which."""

import json
import os
from dataclasses import dataclass
from functools import lru_cache

import frappe

ENTRY = "src/main.ts"
BASE = "/assets/trackflow/frontend/"
# What builds it; the second where there is no bench.
COMMANDS = ("bench build --app trackflow", "make install")


@dataclass(frozen=True, slots=True)
class Assets:
	"""Addresses on this site: the script that begins, those that it imports, and the styles of all."""

	script: str
	preloads: tuple[str, ...]
	styles: tuple[str, ...]


def find_assets() -> Assets | None:
	"""None where the app was not built yet."""
	path = frappe.get_app_path("trackflow", "public", "frontend", "manifest.json")
	try:
		changed = os.stat(path).st_mtime_ns
	except FileNotFoundError:
		return None
	return _read(path, changed)


@lru_cache(maxsize=2)
def _read(path: str, changed: int) -> Assets:
	"""Read anew when a build has changed the file: workers live on."""
	with open(path, encoding="utf-8") as file:
		chunks = json.load(file)
	# In the order of their loading; a dictionary, as a set that keeps it.
	names: dict[str, None] = {}
	waiting = [ENTRY]
	while waiting:
		name = waiting.pop(0)
		if name not in names:
			names[name] = None
			waiting += chunks[name].get("imports", ())
	return Assets(
		script=BASE + chunks[ENTRY]["file"],
		preloads=tuple(BASE + chunks[name]["file"] for name in names if name != ENTRY),
		styles=tuple(
			BASE + style for style in dict.fromkeys(s for n in names for s in chunks[n].get("css", ()))
		),
	)
