"""Takes a batch of events from a website to the stream: key, origin, shape, privacy, verdict (COL-1, COL-2).

Answers in plain values, for the site's API and for other servers alike. Asks nothing of the database when the settings
are cached, and stores nothing itself.
"""

import time
from dataclasses import dataclass
from typing import Any

from trackflow.config import get_config
from trackflow.incoming import GRANTED, Caller, Incoming, recognise
from trackflow.keys import click_secret, day_key
from trackflow.policy import Config, Domain
from trackflow.stream import writer
from trackflow.tracking import events, identity
from trackflow.tracking.events import BatchError, Event, EventError
from trackflow.tracking.parameters import click_ids_of, click_reference_of, host_of, utm_of
from trackflow.tracking.rows import event_name

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
	"""HTTP status, JSON body, and the origin that may read it ("" = none)."""

	status: int
	body: dict[str, Any]
	origin: str = ""


def collect(body: bytes, incoming: Incoming) -> Answer:
	"""Take `body`: 202 with counts of accepted, duplicate and rejected events, or 4xx with a code and a reason."""
	try:
		batch = events.read_batch(body)
		config = get_config()
		domain = _authorised(batch.public_key, config)
		origin = _origin(incoming, domain)
		return Answer(*_take(batch, incoming, config, domain), origin=origin)
	except BatchError as error:
		# Any page may read why it was refused: a script that cannot takes it for an outage and tries again.
		return Answer(error.status, {"error": error.code, "message": str(error)}, origin="*")


def _authorised(public_key: str, config: Config) -> Domain:
	domain = config.domain_of_key(public_key)
	if not domain or not domain.enabled:
		raise BatchError(401, "unknown_key", "This public key is not known here.")
	if not config.enabled:
		raise BatchError(403, "tracking_off", "Tracking is switched off.")
	return domain


def _origin(incoming: Incoming, domain: Domain) -> str:
	"""The request's origin, which must belong to the site key; the Referer stands in where there is none."""
	origin = incoming.headers.get("origin", "")
	if not is_allowed(host_of(origin or incoming.headers.get("referer", "")), domain):
		raise BatchError(403, "origin", "This website may not use this public key.")
	return origin


def is_allowed(host: str, domain: Domain) -> bool:
	"""Whether pages of `host` belong to the domain: itself and its subdomains, unless narrowed to a list."""
	if domain.allowed_origins:
		return host in {host_of(one) or one.partition(":")[0] for one in domain.allowed_origins}
	own = domain.name.partition(":")[0]
	return host == own or host.endswith(f".{own}")


def _take(
	batch: events.Batch, incoming: Incoming, config: Config, domain: Domain
) -> tuple[int, dict[str, Any]]:
	received = time.time()
	records: list[Record] = []
	rejected: list[dict[str, Any]] = []
	secret = click_secret()
	for index, raw in enumerate(batch.events):
		try:
			event = events.read_event(raw, received, batch.sent_at)
			if event.url and not is_allowed(host_of(event.url), domain):
				raise EventError("The url is of another website than the public key.")
		except EventError as error:
			rejected.append({"index": index, "reason": str(error)})
			continue
		caller = recognise(
			incoming, config, domain, day_key, event.visitor_id, event.consent, sets_cookie=False
		)
		if event.type == "CONSENT" and event.visitor_id:
			# Whoever withdraws is no longer recognised; the withdrawal itself belongs to who gave it.
			caller = caller._replace(visitor_id=event.visitor_id, is_cookieless=False)
		counted = not caller.bot_reason and not (caller.is_internal and config.exclude_internal)
		records.append(_record(event, received, config, domain, caller, counted, secret))
	new = writer.write(records, [record["id"] for record in records])
	body = {"accepted": sum(new), "duplicate": len(new) - sum(new), "rejected": rejected}
	return (202 if records else 400), body


def _record(
	event: Event,
	received: float,
	config: Config,
	domain: Domain,
	caller: Caller,
	counted: bool,
	secret: bytes,
) -> Record:
	return {
		"kind": "event",
		"id": event_name(domain.public_key, event.event_id),
		"event_id": event.event_id,
		"at": event.at,
		"received": received,
		"domain": domain.name,
		"event_type": event.type,
		"event_name": event.name,
		"url": event.url,
		"title": event.title,
		"referrer": event.referrer,
		"value": event.value,
		"currency": event.currency,
		"properties": event.properties,
		"form": event.form
		if _keeps_values(event, domain, config, caller)
		else events.without_values(event.form),
		"screen": event.screen,
		"viewport": event.viewport,
		"click_ref": identity.read_click(click_reference_of(event.url), secret) or "",
		"click_ids": click_ids_of(event.url, event.referrer),
		"utm": utm_of(event.url, event.referrer),
		"counted": counted,
		"person": _person(event, domain, config, caller),
		**caller.as_record(),
	}


def _keeps_values(event: Event, domain: Domain, config: Config, caller: Caller) -> bool:
	"""Whether what was typed may be kept (COL-7): by setting and level, of a visitor who may be recognised; at level GDPR of one
	who said so."""
	if not (config.collect_form_values and caller.may_set_cookie) or domain.privacy_level == "HIPAA":
		return False
	return domain.privacy_level != "GDPR" or event.consent == GRANTED


def _person(event: Event, domain: Domain, config: Config, caller: Caller) -> dict[str, Any]:
	"""What the event says of the visitor, by field of Visitor."""
	person: dict[str, Any] = {}
	if event.consent:
		person["consent_status"] = event.consent.capitalize()
		person["consent_policy_version"] = config.consent_policy_version
	if event.email and caller.may_set_cookie and domain.privacy_level != "HIPAA":
		person |= {"contact_email": event.email, "contact_name": event.full_name}
	return person
