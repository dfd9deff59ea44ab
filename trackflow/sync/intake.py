"""Notes forms that are to be synced, where events are stored: in the same transaction, so each as often as its event (SYN-1).

Knows no CRM. Nothing is noted of who may not leave, nor of who cannot be searched for; whether it may leave is asked again when it
does.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from trackflow import bulk
from trackflow.policy import Config, Domain
from trackflow.sync import schedule
from trackflow.sync.leaving import Sender, may_leave
from trackflow.sync.matching import person_key

Row = dict[str, Any]

LOG = "CRM Sync Log"
FORM = "FORM_SUBMIT"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def note(
	events: Iterable[Row], known: Mapping[str, Row], people: Mapping[str, Row], config: Config
) -> list[str]:
	"""Note the forms among new counted events of locked visitors, of whom `people` holds what they said just now; answers the names
	of what was noted. Costs nothing where there is no form, or no sync."""
	if not config.form_sync:
		return []
	forms = (row for row in events if row["event_type"] == FORM)
	rows = [
		log
		for row in forms
		if (log := _log(row, known[row["visitor"]] | people.get(row["visitor"], {}), config))
	]
	bulk.insert(LOG, rows, ignore_duplicates=True)
	return [row["name"] for row in rows]


def form_of(event: Mapping[str, Any]) -> Row:
	"""A form as its event keeps it: form_id, form_name, fields, values."""
	stored = event.get("form_data")
	found = json.loads(stored) if isinstance(stored, str) and stored else stored
	return found if isinstance(found, dict) else {}


def asks_consent(domain: Domain | None, config: Config) -> bool:
	"""Whether visitors of the domain are asked for their consent."""
	return config.consent_required and (domain is None or domain.consent_required)


def _log(event: Row, visitor: Row, config: Config) -> Row | None:
	domain = config.domains.get(event["domain"] or "")
	sender = Sender(
		level=domain.privacy_level if domain else "",
		asks_consent=asks_consent(domain, config),
		consent=visitor.get("consent_status") or "",
		is_cookieless=bool(visitor.get("is_cookieless")),
		is_robot=bool(event["is_bot"]),
		is_internal=bool(event["is_internal"]),
	)
	values = form_of(event).get("values") or {}
	email = (values.get("email") or visitor.get("contact_email") or "").strip().lower()
	person = {
		"email": email if _EMAIL.fullmatch(email) else "",
		"first_name": values.get("first_name") or "",
		"last_name": values.get("last_name") or "",
	}
	if not (may_leave(sender) and person_key(**person)):
		return None
	key = schedule.idempotency_key(config.form_sync.provider, event["name"])
	return {
		"name": key,
		"idempotency_key": key,
		"provider": config.form_sync.provider,
		"status": schedule.PENDING,
		"visitor": event["visitor"],
		"visitor_event": event["name"],
		"due_at": event["timestamp"] + config.form_sync.delay,
		"attempts": 0,
		**person,
	}
