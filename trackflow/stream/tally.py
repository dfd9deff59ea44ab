"""Counts what happens where people wait: answers by status and time, refusals by reason, what was written.

A process counts in its memory. What it has counted travels to the queue Redis with one of its next writes, by the same script
(TELL), every few seconds at most: no count costs a round trip. So a figure may be some seconds late, that of a process with
nothing to write until its next request, and what a process that is killed had not told is missing: figures for whoever looks
after the site, never a base for anything else. They stand by the minute in which they were told, for two hours, and as sums.
"""

import time
from bisect import bisect_left
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.stream import connection
from trackflow.stream.connection import Script

Figures = Mapping[str, int]

# Upper ends of the groups of response times, in milliseconds; beyond the last one is "inf".
BOUNDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)
BEYOND = "inf"
_GROUPS = (*map(str, BOUNDS), BEYOND)
TELL_SECONDS = 5
KEPT_SECONDS = 2 * 60 * 60
TOTALS_KEY = "figures"

# `first` is the place of the minute's key in KEYS, before that of the totals; `at` that of the figures in ARGV: names and
# numbers, with blanks between them, or nothing.
TELL = (
	f"""
local KEPT = {KEPT_SECONDS}
"""
	+ """
local function tell(first, at)
	if ARGV[at] == "" then return end
	for name, number in string.gmatch(ARGV[at], "(%S+) (%d+)") do
		redis.call("HINCRBY", KEYS[first], name, number)
		redis.call("HINCRBY", KEYS[first + 1], name, number)
	end
	redis.call("EXPIRE", KEYS[first], KEPT)
end
"""
)
_ALONE = Script(TELL + "tell(1, 1)")

_lock = Lock()
# By site, as a process may serve several.
_counted: dict[str, dict[str, int]] = {}
_told_at: dict[str, float] = {}


def add(figures: Figures) -> None:
	"""Count these. Their names hold no blanks."""
	site = frappe.local.site
	with _lock:
		counted = _counted.get(site)
		if counted is None:
			counted = _counted[site] = {}
		for name, number in figures.items():
			if number:
				counted[name] = counted.get(name, 0) + number


def answered(endpoint: str, status: int, seconds: float, refused: str = "", **more: int) -> None:
	"""Count an answer of an endpoint: by status, by the time it took, by the reason of a refusal."""
	of_status, of_time, of_all = _names(endpoint, status, bisect_left(BOUNDS, seconds * 1000))
	figures = {of_status: 1, of_time: 1, of_all: int(seconds * 1_000_000)}
	if refused:
		figures[f"{endpoint}.refused.{refused}"] = 1
	for name, number in more.items():
		figures[f"{endpoint}.{name}"] = number
	add(figures)


def keys(figures: str, unused: str = "") -> tuple[str, str]:
	"""What TELL wants to have in KEYS, with these figures in ARGV; where there are none, any key of the site's."""
	if not figures and unused:
		return unused, unused
	totals = connection.key(TOTALS_KEY)
	return f"{totals}:{int(time.time() // 60)}", totals


def due(at_once: bool = False) -> str:
	"""What TELL wants to have in ARGV: what this process has not told yet, or nothing where it did moments ago. It counts as
	told from here on: see `untold`."""
	site, now = frappe.local.site, time.monotonic()
	if not at_once and now - _told_at.get(site, 0.0) < TELL_SECONDS:
		return ""
	with _lock:
		_told_at[site] = now
		counted = _counted.pop(site, None)
	return as_text(counted) if counted else ""


def untold(text: str) -> None:
	"""Redis did not take what `due` gave: it is counted as before."""
	if text:
		words = text.split()
		add(dict(zip(words[::2], map(int, words[1::2]), strict=True)))


def tell() -> None:
	"""Tell what this process counted, now. Raises StreamUnavailable if Redis is out of reach."""
	text = due(at_once=True)
	if not text:
		return
	try:
		_ALONE.run(keys(text), [text])
	except (RedisError, StreamUnavailable) as error:
		untold(text)
		raise StreamUnavailable(str(error)) from error


def tell_by(pipeline: Any, figures: Figures) -> None:
	"""Let a job's own pipeline tell figures: a job's process ends before its next write."""
	text = as_text(figures)
	if text:
		pipeline.eval(_ALONE.text, 2, *keys(text), text)


def as_text(figures: Figures) -> str:
	return " ".join(f"{name} {number}" for name, number in figures.items() if number)


def read(minutes: int) -> tuple[list[dict[str, int]], dict[str, int]]:
	"""The figures of the last minutes, newest first, the running one included, and the sums. One round trip. Raises
	StreamUnavailable if Redis is out of reach."""
	now = int(time.time() // 60)
	try:
		pipeline = connection.connect().pipeline(transaction=False)
		for minute in range(now, now - minutes, -1):
			pipeline.hgetall(connection.key(f"{TOTALS_KEY}:{minute}"))
		pipeline.hgetall(connection.key(TOTALS_KEY))
		*last, totals = map(_read, pipeline.execute())
	except RedisError as error:
		raise StreamUnavailable(str(error)) from error
	return last, totals


def forget() -> None:
	"""Throw away what this process counted and did not tell."""
	with suppress(KeyError), _lock:
		_told_at.pop(frappe.local.site, None)
		_counted.pop(frappe.local.site)


def _read(answer: Mapping[bytes, bytes]) -> dict[str, int]:
	return {name.decode(): int(number) for name, number in answer.items()}


@lru_cache(1024)
def _names(endpoint: str, status: int, group: int) -> tuple[str, str, str]:
	"""The figures of an answer by its status, by the group of its time, and of all times together."""
	return f"{endpoint}.status.{status}", f"{endpoint}.ms.{_GROUPS[group]}", f"{endpoint}.microseconds"
