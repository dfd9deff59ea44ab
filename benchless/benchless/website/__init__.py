"""A demo shop on an origin of its own, with the website script: what `make up` shows a short link leading to (HOST-3).

`make_app(site_url, public_key, token)` is a WSGI app that knows the site by its address alone, as any website would: its
pages carry the script tag, its contact form makes a CRM Lead over Frappe's REST API. `serve` runs it in a thread.
"""

import json
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request as Outgoing
from urllib.request import urlopen

from jinja2 import Environment, FileSystemLoader, select_autoescape
from werkzeug.exceptions import NotFound
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

from benchless.server import Listener

HERE = Path(__file__).parent
PAGES = {"/": "home.html", "/products": "products.html", "/contact": "contact.html", "/thanks": "thanks.html"}
LEAD_FIELDS = {"first_name": 140, "last_name": 140, "email": 140, "organization": 140}
# What the website script puts into the form: who the visitor is, and which click led here.
REFERENCES = {"trackflow_visitor_id": 140, "tfclid": 512}
MAX_FORM_BYTES = 64 * 1024
TIMEOUT = 10


class LeadRefused(Exception):
	"""The site did not take the lead; the text may be shown to the visitor."""


def make_app(site_url: str, public_key: str, token: str) -> Callable:
	"""The shop. `site_url`: where TrackFlow is served; `token`: "api_key:api_secret" of a user who may create leads."""
	return Website(site_url.rstrip("/"), public_key, token)


def serve(app: Callable, host: str = "127.0.0.1", port: int = 0) -> Listener:
	"""Serve `app` in a thread from here on, until `.stop()`; port 0 takes any free one, `.url` says which."""
	return Listener(app, port, host).start()


class Website:
	"""The WSGI app."""

	def __init__(self, site_url: str, public_key: str, token: str) -> None:
		self._site_url, self._token = site_url, token
		self._templates = Environment(
			loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape()
		)
		self._templates.globals.update(site_url=site_url, public_key=public_key)
		self._headers = security_headers(site_url)

	def __call__(self, environ: dict, start_response: Callable) -> list[bytes]:
		response = self._answer(Request(environ))
		response.headers.update(self._headers)
		return response(environ, start_response)

	def _answer(self, request: Request) -> Response:
		if request.path == "/contact" and request.method == "POST":
			return self._take_enquiry(request)
		if request.method not in ("GET", "HEAD"):
			return Response("Only GET here.\n", 405, {"Allow": "GET, HEAD"})
		if request.path.startswith("/static/"):
			return self._static(request)
		template = PAGES.get(request.path)
		return self._page(request.path, template) if template else self._page("", "not_found.html", 404)

	def _page(self, path: str, template: str, status: int = 200, **values: object) -> Response:
		text = self._templates.get_template(template).render(
			path=path, **{"values": {}, "error": "", **values}
		)
		return Response(text, status, mimetype="text/html")

	def _static(self, request: Request) -> Response:
		try:
			return send_from_directory(
				HERE / "static", request.path.removeprefix("/static/"), request.environ
			)
		except NotFound as error:
			return Response(f"{error.description}\n", 404)

	def _take_enquiry(self, request: Request) -> Response:
		"""What every website with a form does: check, pass on, thank. See other, so that a reload sends nothing twice."""
		request.max_content_length = request.max_form_memory_size = MAX_FORM_BYTES
		if (request.content_length or 0) > MAX_FORM_BYTES:
			return self._page("/contact", "contact.html", 413, error="That was too much text.")
		values = _cropped(request.form, LEAD_FIELDS)
		if not values["first_name"] or "@" not in values["email"]:
			return self._page(
				"/contact",
				"contact.html",
				422,
				values=values,
				error="Please enter your first name and an e-mail address.",
			)
		try:
			self._create_lead({**values, **_cropped(request.form, REFERENCES)})
		except LeadRefused as error:
			return self._page("/contact", "contact.html", 502, values=values, error=str(error))
		return Response(status=303, headers={"Location": "/thanks"})

	def _create_lead(self, values: Mapping[str, str]) -> None:
		body = json.dumps({name: value for name, value in values.items() if value}).encode()
		headers = {
			"Authorization": f"token {self._token}",
			"Content-Type": "application/json",
			"Accept": "application/json",
		}
		request = Outgoing(f"{self._site_url}/api/resource/CRM%20Lead", body, headers, method="POST")
		try:
			with urlopen(request, timeout=TIMEOUT):
				return
		except HTTPError as error:
			text = f"Your enquiry could not be passed on: the site answered {error.code}."
			raise LeadRefused(text) from error
		except (URLError, HTTPException, TimeoutError, OSError) as error:
			raise LeadRefused("Your enquiry could not be passed on: the site cannot be reached.") from error


def security_headers(site_url: str) -> dict[str, str]:
	"""A strict policy, as a careful website would have: nothing but our own files, and the one site for the script."""
	site = "{0.scheme}://{0.netloc}".format(urlsplit(site_url))
	policy = {
		"default-src": "'none'",
		"script-src": f"'self' {site}",
		"connect-src": site,
		"style-src": "'self'",
		"img-src": "'self'",
		"form-action": "'self'",
		"base-uri": "'none'",
		"frame-ancestors": "'none'",
	}
	return {
		"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
		"Referrer-Policy": "strict-origin-when-cross-origin",
		"X-Content-Type-Options": "nosniff",
		"Cache-Control": "no-cache",
	}


def _cropped(form: Mapping[str, str], fields: Mapping[str, int]) -> dict[str, str]:
	return {name: form.get(name, "").strip()[:length] for name, length in fields.items()}
