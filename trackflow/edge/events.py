"""What the edge answers besides short links: the collector in all its spellings, and what a website's script asks for."""

import json
import re

from trackflow.edge.http import Reply, plain, reply
from trackflow.edge.site import Site
from trackflow.incoming import Incoming
from trackflow.policy import Domain
from trackflow.tracking import arrivals, collector, events, script, segment

COLLECTOR = "/collect"
COLLECTOR_PATHS = frozenset({COLLECTOR, "/api/track"})
CONFIG_PREFIX = "/api/v1/config/domain/"
SCRIPT = re.compile(r"/pixel/(pk_[0-9a-f]{24})/tracking\.js")


def claims(path: str) -> bool:
	"""Whether an address is answered here."""
	return path in COLLECTOR_PATHS or path in segment.CALLS or path.startswith((CONFIG_PREFIX, "/pixel/"))


def most_bytes(path: str) -> int:
	"""How large a body may be; 0 where none is taken."""
	if path in segment.CALLS:
		return segment.MAX_BYTES
	return events.MAX_BYTES if path in COLLECTOR_PATHS else 0


async def answer(site: Site, incoming: Incoming, body: bytes) -> Reply:
	"""The answer to a request that is claimed."""
	if incoming.path.startswith((CONFIG_PREFIX, "/pixel/")):
		if incoming.method not in ("GET", "HEAD"):
			return _not_allowed("GET, HEAD")
		if turned := await site.taker.take(lambda: _turned_away(site, incoming)):
			return _told(turned)
		return _config(site, incoming) if incoming.path.startswith(CONFIG_PREFIX) else _script(site, incoming)
	if incoming.method == "OPTIONS":
		return reply(*collector.preflight(incoming, site.desk.config))
	if incoming.method != "POST":
		return _not_allowed("POST, OPTIONS")
	collect = collector.collect_segment if incoming.path in segment.CALLS else collector.collect
	return _told(await site.taker.take(lambda: collect(body, incoming, site.desk)))


def too_large(path: str) -> Reply:
	"""The answer to a body of more than `most_bytes`, of which not all was read."""
	text = f"The body is larger than {most_bytes(path)} bytes."
	return _told(collector.Answer(413, {"error": "too_large", "message": text}, origin="*"))


def _not_allowed(methods: str) -> Reply:
	body = {"error": "method", "message": f"This address is asked by {methods}."}
	return reply(405, (*collector.JSON_HEADERS, ("Allow", methods)), json.dumps(body))


def _told(answer: collector.Answer) -> Reply:
	return reply(answer.status, answer.headers, json.dumps(answer.body))


def _turned_away(site: Site, incoming: Incoming) -> collector.Answer | None:
	"""In a thread of the site: whether the address may ask; if so, that its website's script was asked for."""
	turned = collector.turned_away(incoming, site.desk, "scripts")
	if not turned and (domain := _domain_of_script(site, incoming)):
		arrivals.count(domain, scripts=1)
	return turned


def _domain_of_script(site: Site, incoming: Incoming) -> Domain | None:
	found = SCRIPT.fullmatch(incoming.path)
	return site.desk.config.domain_of_key(found[1]) if found else None


def _config(site: Site, incoming: Incoming) -> Reply:
	"""What a script needs to know of its website, and nothing else."""
	config = site.desk.config
	domain = config.domain_of(incoming.path[len(CONFIG_PREFIX) :])
	if not domain or not domain.enabled:
		return plain(404)
	told = {
		"domain": domain.name,
		"publicKey": domain.public_key,
		"consent": {
			"required": config.consent_required and domain.consent_required,
			"default": domain.consent_default.lower(),
		},
		"options": dict(domain.script_options),
	}
	return reply(200, (*collector.JSON_HEADERS, ("Access-Control-Allow-Origin", "*")), json.dumps(told))


def _script(site: Site, incoming: Incoming) -> Reply:
	"""The website script of a public key, as the site itself serves it; its events come back here."""
	config = site.desk.config
	domain = _domain_of_script(site, incoming)
	if not domain or not domain.enabled:
		return _javascript(404, script.MISSING)
	if not config.enabled:
		return _javascript(200, script.SWITCHED_OFF)
	text = script.script_of(domain, config, f"{incoming.scheme}://{incoming.host}", COLLECTOR)
	etag = f'"{script.etag_of(text)}"'
	if etag in incoming.headers.get("if-none-match", ""):
		return _javascript(304, "", etag)
	return _javascript(200, text, etag)


def _javascript(status: int, text: str, etag: str = "") -> Reply:
	headers = {"Content-Type": f"{script.MIMETYPE}; charset=utf-8", **script.headers_of(text)}
	return reply(status, (*headers.items(), ("ETag", etag)) if etag else tuple(headers.items()), text)
