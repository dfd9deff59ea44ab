"""Makes two answers to one case comparable and names what differs. Pure.

What may differ between two hosts that do the same is named here, each with its reason; all the rest must be equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from trackflow.tests.replay.client import Answer, Case

HEADERS = (
	"Location", "Cache-Control", "Content-Type", "X-Robots-Tag", "Allow", "Retry-After", "Referrer-Policy",
	"X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy", "Content-Disposition", "WWW-Authenticate",
	"Vary", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers", "X-Replay",
)  # fmt: skip
VERDICT = ("status", "json.exc_type", "json._server_messages.0.message")
MISSING = object()
ATTRIBUTES = ("path", "domain", "max-age", "secure", "httponly", "samesite")

# Values that every host makes up for itself.
VOLATILE = (
	(re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?"), "<time>"),
	(re.compile(r"\bv_[0-9a-f]{16}\b"), "<visitor>"),
	(re.compile(r"\bpk_[0-9a-f]{24}\b"), "<key>"),
	(re.compile(r"\btfclid=[\w.~%-]+"), "tfclid=<click>"),
)
# Fields that hold a name made by chance (hash), in documents and their child rows.
NAMES = frozenset({"name", "parent"})
HASH = re.compile(r"[0-9a-z]{10}|[0-9a-f]{16}")
DROPPED = frozenset(
	{
		# Tracebacks name files and lines; whether one is sent at all is a setting of the site.
		"exc", "exception", "_debug_messages",
		# A random number, and which app Frappe takes for the cause of an error.
		"__frappe_exc_id", "_exc_source",
		# Where people land is a setting of the site and of its other apps.
		"home_page",
		# What a worker writes while requests go on: sooner or later, or not at all where none is running.
		"click_count", "scan_count", "bot_count", "unique_visitor_count", "last_click", "clicks", "conversion_count",
		"credits", "visitors", "touch_points",
	}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
	"""What of a case's answers differs, with both sides' value."""

	case: str
	what: str
	one: str
	other: str


def differences(
	case: Case, one: Answer, other: Answer, saved: tuple[Mapping[str, str], Mapping[str, str]]
) -> list[Difference]:
	"""Everything that differs between two answers, after what each host has `saved` is taken for the same."""
	first, second = describe(case, one, saved[0]), describe(case, other, saved[1])
	if one.status != other.status:
		# One succeeded, or they failed for different reasons: every field would differ, to nobody's use.
		first, second = (
			{name: facts[name] for name in VERDICT if name in facts} for facts in (first, second)
		)
	return [
		Difference(case.name, what, _text(first.get(what, MISSING)), _text(second.get(what, MISSING)))
		for what in sorted(first.keys() | second.keys())
		if first.get(what, MISSING) != second.get(what, MISSING)
	]


def describe(case: Case, answer: Answer, saved: Mapping[str, str]) -> dict[str, Any]:
	"""An answer as flat, comparable facts."""
	facts: dict[str, Any] = {"status": answer.status}
	for name in HEADERS:
		if value := answer.get(name):
			facts[name] = _same(value, saved)
	facts |= _cookies(answer)
	value = answer.json()
	if value is not None:
		facts |= _flat("json", _narrowed(_normalised(value, saved), case))
	elif case.page or not answer.get("Content-Type").startswith("text/html"):
		facts["body"] = _same(answer.body.decode(errors="replace"), saved)
	return facts


def _cookies(answer: Answer) -> dict[str, Any]:
	"""Each cookie's attributes. Its value counts only as being there; an expiry only as being past or not."""
	facts: dict[str, Any] = {}
	for name, value in answer.headers:
		if name.lower() != "set-cookie":
			continue
		for key, morsel in SimpleCookie(value).items():
			attributes = {one: morsel[one] for one in ATTRIBUTES if morsel[one] != ""}
			attributes["is gone"] = (
				morsel["expires"].startswith("Thu, 01 Jan 1970") or morsel["max-age"] == "0"
			)
			facts[f"cookie {key}"] = {**attributes, "has value": bool(morsel.value)}
	return facts


def _normalised(value: Any, saved: Mapping[str, str], key: str = "") -> Any:
	if isinstance(value, dict):
		return {name: _normalised(one, saved, name) for name, one in value.items() if name not in DROPPED}
	if isinstance(value, list):
		return [_normalised(one, saved, key) for one in value]
	if not isinstance(value, str):
		return value
	if key == "_server_messages":
		# Only what was raised: Frappe also explains refusals of permission, in words of its own.
		messages = [json.loads(one) for one in json.loads(value)]
		return [_normalised(one, saved) for one in messages if one.get("raise_exception")]
	text = _same(value, saved)
	return "<name>" if key in NAMES and HASH.fullmatch(text) else text


def _same(text: str, saved: Mapping[str, str]) -> str:
	for name, value in sorted(saved.items(), key=lambda item: -len(item[1])):
		if len(value) > 5:
			text = text.replace(value, f"${name}")
	for pattern, mark in VOLATILE:
		text = pattern.sub(mark, text)
	return text


def _narrowed(value: Any, case: Case) -> Any:
	if not isinstance(value, dict):
		return value
	if case.only and isinstance(value.get("data"), dict):
		value = {**value, "data": {name: value["data"].get(name) for name in case.only}}
	has_messages = case.wording and value.get("_server_messages")
	return {name: one for name, one in value.items() if has_messages or name != "_server_messages"}


def _flat(prefix: str, value: Any) -> dict[str, Any]:
	if isinstance(value, dict) and value:
		found: dict[str, Any] = {}
		for name, one in value.items():
			found |= _flat(f"{prefix}.{name}", one)
		return found
	if isinstance(value, list) and any(isinstance(one, dict) for one in value):
		found = {f"{prefix}.length": len(value)}
		for number, one in enumerate(value):
			found |= _flat(f"{prefix}.{number}", one)
		return found
	return {prefix: value}


def _text(value: Any) -> str:
	if value is MISSING:
		return "–"
	return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
