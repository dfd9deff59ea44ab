"""A browser of a few lines: keeps cookies, sends what it is told."""

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit


class Client:
	def __init__(self, url: str):
		self.address = urlsplit(url).netloc
		self.cookies: dict[str, str] = {}

	def request(
		self,
		method: str,
		path: str,
		data: Any = None,
		headers: dict[str, str] | None = None,
		**arguments: Any,
	) -> "Answer":
		"""`data`: a dict is sent as JSON, text as it is; keyword arguments as a form (or as the query, on GET)."""
		headers, body = dict(headers or {}), data
		if isinstance(data, dict | list):
			body, headers["Content-Type"] = json.dumps(data), "application/json"
		elif arguments and method == "GET":
			path = f"{path}?{urlencode(arguments)}"
		elif arguments:
			body, headers["Content-Type"] = urlencode(arguments), "application/x-www-form-urlencoded"
		if self.cookies:
			headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
		connection = HTTPConnection(self.address, timeout=30)
		try:
			connection.request(method, path, body=body, headers=headers)
			return self.keep_cookies(Answer(connection.getresponse()))
		finally:
			connection.close()

	def get(self, path: str, **kwargs: Any) -> "Answer":
		return self.request("GET", path, **kwargs)

	def post(self, path: str, data: Any = None, **kwargs: Any) -> "Answer":
		return self.request("POST", path, data, **kwargs)

	def login(self, usr: str = "Administrator", pwd: str = "admin") -> "Answer":
		return self.post("/api/method/login", usr=usr, pwd=pwd)

	def keep_cookies(self, answer: "Answer") -> "Answer":
		for name, cookie in answer.cookies.items():
			if cookie.value:
				self.cookies[name] = cookie.value
			else:
				self.cookies.pop(name, None)
		return answer


class Answer:
	def __init__(self, response: HTTPResponse):
		self.status, self.headers, self.body = response.status, response.headers, response.read()
		self.cookies: SimpleCookie = SimpleCookie()
		for line in response.headers.get_all("Set-Cookie") or ():
			self.cookies.load(line)

	@property
	def text(self) -> str:
		return self.body.decode()

	@property
	def json(self) -> Any:
		return json.loads(self.body)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
	end = time.monotonic() + seconds
	while not condition():
		assert time.monotonic() < end, "it did not happen in time"
		time.sleep(0.05)
