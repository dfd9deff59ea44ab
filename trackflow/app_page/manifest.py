"""What Vite built of frontend/: which files the page loads. Names carry a hash of what is in them, the manifest says which."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import frappe

ENTRY = "src/main.ts"
BASE = "/assets/trackflow/frontend/"
# What builds it; the second where there is no bench.
COMMANDS = ("bench build --app trackflow", "make install")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Assets:
	"""Addresses on this site: the script that begins, those that it imports, and the styles of all."""

	script: str
	preloads: tuple[str, ...]
	styles: tuple[str, ...]


def find_assets() -> Assets | None:
	"""None where the app was not built yet."""
	return built("manifest.json", _read)


def built(name: str, read: Callable[[str, int], Value]) -> Value | None:
	"""A file of the build as `read` has it, which may remember it by path and time: workers outlive builds. None if there is none."""
	path = frappe.get_app_path("trackflow", "public", "frontend", name)
	try:
		return read(path, os.stat(path).st_mtime_ns)
	except FileNotFoundError:
		return None


@lru_cache(maxsize=2)
def _read(path: str, changed: int) -> Assets:
	with open(path, encoding="utf-8") as file:
		return assets_of(json.load(file))


def assets_of(chunks: dict[str, dict]) -> Assets:
	"""The entry with all that it cannot begin without; what it loads later is its own business."""
	names = [ENTRY]
	for name in names:
		names += [one for one in chunks[name].get("imports", ()) if one not in names]
	styles = dict.fromkeys(style for name in names for style in chunks[name].get("css", ()))
	return Assets(
		script=BASE + chunks[ENTRY]["file"],
		preloads=tuple(BASE + chunks[name]["file"] for name in names[1:]),
		styles=tuple(BASE + style for style in styles),
	)
