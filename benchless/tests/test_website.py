"""The demo shop: its pages, its policy, and its way of passing an enquiry on (HOST-3). The site is a stand-in that records."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from benchless.website import make_app
from werkzeug.test import Client

KEY = "pk_0123456789abcdef01234567"
ENQUIRY = {
	"first_name": "Ann",
	"last_name": "Example",
	"email": "ann@example.com",
	"organization": "Example Ltd",
}


class Site:
	"""Answers POST with `status` and remembers what came."""

	def __init__(self) -> None:
		self.status = 200
		self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
		site = self

		class Handler(BaseHTTPRequestHandler):
			def do_POST(self) -> None:
				body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
				site.requests.append((self.path, dict(self.headers), body))
				self.send_response(site.status)
				self.end_headers()

			def log_message(self, format: str, *args: object) -> None:
				pass

		self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.url = f"http://127.0.0.1:{self.server.server_port}"
		threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
	site = Site()
	yield site
	site.server.shutdown()
	site.server.server_close()


@pytest.fixture
def client(site: Site) -> Client:
	return Client(make_app(site.url + "/", KEY, "key:secret"))


@pytest.mark.parametrize("path", ["/", "/products", "/contact", "/thanks"])
def test_every_page_has_the_tag_and_says_that_it_is_a_demo(client: Client, site: Site, path: str) -> None:
	response = client.get(path)
	assert response.status_code == 200
	assert (
		f'<script async src="{site.url}/assets/trackflow/js/trackflow.js" data-key="{KEY}"' in response.text
	)
	assert 'data-consent="required"' in response.text
	assert "This is a demo shop" in response.text


@pytest.mark.parametrize("path", ["/", "/missing", "/static/shop.js", "/static/../__init__.py"])
def test_the_policy_is_strict_on_every_answer(client: Client, site: Site, path: str) -> None:
	policy = client.get(path).headers["Content-Security-Policy"]
	assert "default-src 'none'" in policy
	assert f"script-src 'self' {site.url};" in policy
	assert "unsafe" not in policy


def test_what_is_not_there_is_not_found(client: Client) -> None:
	assert client.get("/missing").status_code == 404
	assert client.get("/static/missing.js").status_code == 404
	assert client.get("/static/../__init__.py").status_code == 404
	assert client.post("/products").status_code == 405


def test_an_enquiry_becomes_a_lead_with_the_visitor_beside_it(client: Client, site: Site) -> None:
	form = {**ENQUIRY, "trackflow_visitor_id": "v_0123456789abcdef", "tfclid": "abc.def", "extra": "x"}
	response = client.post("/contact", data=form)
	assert (response.status_code, response.headers["Location"]) == (303, "/thanks")
	[(path, headers, body)] = site.requests
	assert path == "/api/resource/CRM%20Lead"
	assert headers["Authorization"] == "token key:secret"
	assert body == {**ENQUIRY, "trackflow_visitor_id": "v_0123456789abcdef", "tfclid": "abc.def"}


def test_an_enquiry_of_an_unknown_visitor_names_none(client: Client, site: Site) -> None:
	client.post("/contact", data={**ENQUIRY, "trackflow_visitor_id": "", "tfclid": ""})
	[(_path, _headers, body)] = site.requests
	assert body == ENQUIRY


def test_a_wrong_enquiry_is_shown_again(client: Client, site: Site) -> None:
	response = client.post("/contact", data={**ENQUIRY, "email": "", "first_name": '"><script>'})
	assert response.status_code == 422
	assert "Please enter" in response.text
	assert "&#34;&gt;&lt;script&gt;" in response.text
	assert not site.requests


def test_an_enquiry_that_is_too_large_is_refused(client: Client, site: Site) -> None:
	assert client.post("/contact", data={**ENQUIRY, "email": "a@" + "x" * 100_000}).status_code == 413
	assert not site.requests


@pytest.mark.parametrize("status", [403, 417, 500])
def test_a_site_that_refuses_is_no_crash(client: Client, site: Site, status: int) -> None:
	site.status = status
	response = client.post("/contact", data=ENQUIRY)
	assert response.status_code == 502
	assert str(status) in response.text
	assert 'value="ann@example.com"' in response.text
	assert "secret" not in response.text


def test_a_site_that_is_down_is_no_crash() -> None:
	response = Client(make_app("http://127.0.0.1:1", KEY, "key:secret")).post("/contact", data=ENQUIRY)
	assert response.status_code == 502
	assert "cannot be reached" in response.text
