"""One of the two hosts: sends cases, remembers what later cases need (names that the host made up, keys, cookies)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from string import Template
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT_SECONDS = 60
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


@dataclass(frozen=True, slots=True)
class Case:
	"""One request and how its answers are compared.

	`$name` in path, query, headers and bodies is what an earlier case saved. `body` is sent as it is, `json` and `form`
	are encoded. `save` maps names to paths into the answer's JSON (`data.name`). `only` narrows the comparison of
	`data` to these fields. `page` says that an HTML answer is the app's own and is compared word for word, `wording`
	that messages are the framework's or the app's and not those of another app.
	"""

	name: str
	method: str
	path: str
	query: dict[str, Any] | str = ""
	admin: bool = False
	headers: dict[str, str] = field(default_factory=dict)
	body: str | None = None
	json: Any = None
	form: dict[str, str] | None = None
	save: dict[str, str] = field(default_factory=dict)
	only: tuple[str, ...] = ()
	page: bool = False
	wording: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
	"""What came back. `headers` keeps doubles and their order."""

	status: int
	headers: list[tuple[str, str]]
	body: bytes

	def get(self, name: str) -> str:
		"""The first header of that name, or nothing."""
		return next((value for key, value in self.headers if key.lower() == name.lower()), "")

	def json(self) -> Any:
		"""The body as JSON, or None."""
		try:
			return json.loads(self.body)
		except ValueError:
			return None


class Host:
	"""A server under a base URL; `site` names the site where the host name does not."""

	def __init__(self, base_url: str, site: str = "") -> None:
		self.address = urlsplit(base_url)
		# Where a case names another host, the site has to be named, or the host would look for one of that name.
		name = self.address.hostname or ""
		self.site = site or (name if name.endswith(".localhost") else "")
		self.sid = ""
		self.saved: dict[str, str] = {"base": base_url.rstrip("/"), "host": self.address.netloc}

	def login(self, user: str, password: str) -> None:
		"""Log in for the cases of the administrator. Stops the program where that is impossible."""
		answer = self.send(Case("login", "POST", "/api/method/login", form={"usr": user, "pwd": password}))
		for name, value in answer.headers:
			if name.lower() == "set-cookie" and value.startswith("sid="):
				self.sid = value.partition(";")[0].removeprefix("sid=")
		if answer.status != 200 or not self.sid:
			raise SystemExit(f"{self.saved['base']}: the login of {user} failed with {answer.status}.")

	def send(self, case: Case) -> Answer:
		"""Send a case and save what it wants to be saved."""
		body, headers = self._body(case)
		headers = {"User-Agent": CHROME, "Accept": "*/*", **headers, **case.headers}
		if self.site:
			headers["X-Frappe-Site-Name"] = self.site
		if case.admin:
			headers["Cookie"] = f"sid={self.sid}"
		headers = {name: self.fill(value) for name, value in headers.items()}
		answer = self._exchange(case.method, self._target(case), body, headers)
		for name, path in case.save.items():
			self.saved[name] = str(_pick(answer.json(), path) or "")
		return answer

	def fill(self, text: str) -> str:
		"""Replace `$name` by what was saved."""
		return Template(text).safe_substitute(self.saved)

	def _target(self, case: Case) -> str:
		path = self.fill(case.path)
		query = case.query
		if isinstance(query, dict):
			pairs = {name: one if isinstance(one, str) else json.dumps(one) for name, one in query.items()}
			query = urlencode({name: self.fill(one) for name, one in pairs.items()})
		# What is escaped already stays as it is.
		return quote(path, safe="/%:@") + (f"?{self.fill(query)}" if query else "")

	def _body(self, case: Case) -> tuple[bytes | None, dict[str, str]]:
		if case.json is not None:
			return self.fill(json.dumps(case.json)).encode(), {"Content-Type": "application/json"}
		if case.form is not None:
			fields = {name: self.fill(value) for name, value in case.form.items()}
			return urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
		return (None if case.body is None else self.fill(case.body).encode()), {}

	def _exchange(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> Answer:
		kind = HTTPSConnection if self.address.scheme == "https" else HTTPConnection
		# A name below localhost is this machine, whether or not its resolver knows it.
		name = self.address.hostname or ""
		connection = kind(
			"127.0.0.1" if name.endswith(".localhost") else name, self.address.port, timeout=TIMEOUT_SECONDS
		)
		try:
			connection.request(method, target, body, {"Host": self.address.netloc, **headers})
			response: HTTPResponse = connection.getresponse()
			return Answer(response.status, response.getheaders(), response.read())
		finally:
			connection.close()


def _pick(value: Any, path: str) -> Any:
	for part in path.split("."):
		value = value.get(part) if isinstance(value, dict) else None
	return value
