"""Pipedrive on loopback: version 2 of its API as far as the sync uses it, which misbehaves where it is told to.

Shapes as documented (developers.pipedrive.com, the official client 32): searches give `data.items[].item` with `emails` as texts,
updates take `custom_fields`, lists follow by `additional_data.next_cursor`, errors are `{"success": false, "error": …}`.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "5up3rs3cr3tt0k3n0fp1p3dr1v3000000000000a"
PERSON = re.compile(r"/api/v2/persons/(\d+)")
STANDARD = (
	("name", "Name", "varchar"),
	("email", "Email", "varchar"),
	("phone", "Phone", "phone"),
	("label_ids", "Labels", "set"),
)


def key_of(name: str) -> str:
	"""A key as Pipedrive makes them for own fields: 40 hex digits."""
	return (name.encode().hex() * 40)[:40]


class Pipedrive:
	"""A server on a free port. `fails` says for a request which way it fails: a status, "hang", "drip", "drip head", "garbage", "cut",
	a dict (status, headers, body); None for not at all. A context manager."""

	def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
		self.persons: dict[int, dict[str, Any]] = {}
		self.fields = [(key_of(name), name, kind) for name, kind in fields]
		self.requests: list[tuple[str, str]] = []
		self.tokens: set[str] = set()
		self.updates: Counter[int] = Counter()
		self.by_email: dict[str, list[int]] = {}
		self.by_name: dict[str, list[int]] = {}
		self.fails: Callable[[str, str], Any] = lambda _method, _path: None
		self.updated: Callable[[int], None] = lambda _person: None
		self.page = 100
		self.stops = False
		self._lock = Lock()
		self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
		self.server.daemon_threads = True
		# Of who hangs up early.
		self.server.handle_error = lambda *_request: None
		self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

	def add(self, name: str, *emails: str) -> int:
		number = len(self.persons) + 1
		self.persons[number] = {"id": number, "name": name, "emails": list(emails), "custom_fields": {}}
		for email in emails:
			self.by_email.setdefault(email.casefold(), []).append(number)
		self.by_name.setdefault(name.casefold(), []).append(number)
		return number

	def asked(self, method: str = "", path: str = "") -> list[str]:
		return [one for verb, one in self.requests if method in verb and path in one]

	def answer(
		self, method: str, path: str, query: dict[str, str], body: bytes
	) -> tuple[int, dict[str, Any]]:
		with self._lock:
			if method == "GET" and path == "/api/v2/persons/search":
				return self._search(query)
			if method == "GET" and path == "/api/v2/personFields":
				return self._fields(query)
			if method == "PATCH" and (found := PERSON.fullmatch(path)):
				return self._update(int(found[1]), json.loads(body))
			return 404, _error("Not found")

	def _search(self, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
		index = {"email": self.by_email, "name": self.by_name}[query["fields"]]
		if query.get("exact_match") != "true":
			return 400, _error("exact_match is a boolean")
		found = [self.persons[one] for one in index.get(query["term"].casefold(), [])]
		items = [
			{
				"result_score": 1.0,
				"item": {
					"type": "person",
					"phones": [],
					"notes": [],
					"custom_fields": [],
					**{key: one[key] for key in ("id", "name", "emails")},
				},
			}
			for one in found
		]
		page, cursor = self._cut(items, query)
		return 200, {"success": True, "data": {"items": page}, "additional_data": {"next_cursor": cursor}}

	def _fields(self, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
		rows = [
			{
				"field_code": key,
				"field_name": name,
				"field_type": kind,
				"is_custom_field": (key, name, kind) not in STANDARD,
				"options": None,
			}
			for key, name, kind in (*STANDARD, *self.fields)
		]
		page, cursor = self._cut(rows, query)
		return 200, {"success": True, "data": page, "additional_data": {"next_cursor": cursor}}

	def _cut(self, rows: list[Any], query: dict[str, str]) -> tuple[list[Any], str | None]:
		first = int(query.get("cursor", "c0").removeprefix("c"))
		until = first + min(self.page, int(query.get("limit", 100)))
		return rows[first:until], f"c{until}" if until < len(rows) else None

	def _update(self, number: int, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
		if number not in self.persons:
			return 404, _error("Person not found")
		if set(body) != {"custom_fields"}:
			return 400, _error("Only own fields, in this test")
		kinds = {key: kind for key, _name, kind in self.fields}
		for key, value in body["custom_fields"].items():
			if key not in kinds:
				return 400, _error(f"Validation failed: custom_fields: {key}: unknown key")
			if not _fits(kinds[key], value):
				return 400, _error(f"Validation failed: custom_fields: {key}: wrong type")
		self.persons[number]["custom_fields"] |= body["custom_fields"]
		self.updates[number] += 1
		self.updated(number)
		return 200, {"success": True, "data": self.persons[number]}

	def __enter__(self) -> "Pipedrive":
		Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
		return self

	def __exit__(self, *_error: object) -> None:
		self.stops = True
		self.server.shutdown()
		self.server.server_close()


def _fits(kind: str, value: Any) -> bool:
	"""Version 2 takes no text for a number."""
	if kind in ("varchar", "text"):
		return isinstance(value, str) and len(value) <= (255 if kind == "varchar" else 65_535)
	if kind in ("double", "int"):
		return isinstance(value, int | float) and not isinstance(value, bool)
	return kind == "date" and isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))


def _error(text: str) -> dict[str, Any]:
	return {
		"success": False,
		"error": text,
		"error_info": "Please check developers.pipedrive.com",
		"data": None,
	}


def _handler(pipedrive: Pipedrive) -> type[BaseHTTPRequestHandler]:
	class Handler(BaseHTTPRequestHandler):
		protocol_version = "HTTP/1.1"
		# Else an answer's head and body wait for each other's acknowledgement.
		disable_nagle_algorithm = True

		def _serve(self) -> None:
			body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
			parts = urlsplit(self.path)
			pipedrive.requests.append((self.command, self.path))
			pipedrive.tokens.add(self.headers.get("x-api-token", ""))
			if self.headers.get("x-api-token") != TOKEN:
				self._send(401, _error("unauthorized access"))
			elif failure := pipedrive.fails(self.command, parts.path):
				self._fail(failure)
			else:
				query = {key: values[0] for key, values in parse_qs(parts.query).items()}
				self._send(*pipedrive.answer(self.command, parts.path, query, body))

		do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _serve

		def _fail(self, failure: Any) -> None:
			if failure == "hang":
				for _moment in range(3000):
					if pipedrive.stops:
						return
					time.sleep(0.01)
			elif failure == "garbage":
				self._send(200, "<html>Everything is fine</html>")
			elif failure == "cut":
				self.close_connection = True
				self.connection.close()
			elif failure in ("drip", "drip head"):
				self._drip(failure == "drip head")
			elif isinstance(failure, dict):
				self._send(failure["status"], failure.get("body", _error("no")), failure.get("headers", {}))
			else:
				self._send(failure, _error("Something went wrong"))

		def _drip(self, in_head: bool) -> None:
			if in_head:
				self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long:")
			else:
				self._head(200, 10_000, {})
			for _letter in range(10_000):
				if pipedrive.stops:
					return
				self.wfile.write(b" ")
				self.wfile.flush()
				time.sleep(0.02)

		def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
			data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
			self._head(status, len(data), headers or {})
			self.wfile.write(data)

		def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
			self.send_response(status)
			for name, value in {"Content-Type": "application/json", **headers}.items():
				self.send_header(name, value)
			self.send_header("Content-Length", str(length))
			self.end_headers()

		def log_message(self, *_args: Any) -> None:
			pass

	return Handler
