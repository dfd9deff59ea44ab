"""What the settings say of the sync, as values; what is wrong with them, in words (SYN-1)."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from trackflow.exceptions import StreamUnavailable
from trackflow.sync import mapping, state
from trackflow.sync.circuit import Circuit
from trackflow.sync.fields import NAMES
from trackflow.sync.mapping import Field, Kind, Problem, RemoteField
from trackflow.sync.pipedrive import COMPANY, Pipedrive
from trackflow.sync.provider import Clock, Provider
from trackflow.sync.state import Breaker
from trackflow.validation import plain_text, whole_number

SETTINGS = "TrackFlow Settings"
PROVIDERS = {Pipedrive.name: Pipedrive}
# What the app shows and saves; the token is saved and never shown.
SHOWN = ("sync_enabled", "sync_provider", "sync_company", "sync_delay_minutes")
TOKEN, FIELDS = "sync_token", "sync_fields"
ROW = ("source", "remote_field", "remote_label", "remote_type")


class Options(NamedTuple):
	"""What is synced: fields in the order of the settings; the language of its words."""

	is_on: bool
	provider: str
	fields: tuple[Field, ...]
	language: str


def read(settings: Document | None = None) -> Options:
	"""As stored, or as a form has them."""
	settings = settings or frappe.get_single(SETTINGS)
	provider = settings.sync_provider or Pipedrive.name
	return Options(
		is_on=bool(cint(settings.sync_enabled)),
		provider=provider,
		fields=tuple(_fields(settings, PROVIDERS[provider].kinds)),
		language=frappe.db.get_single_value("System Settings", "language") or "en",
	)


def told() -> dict[str, Any]:
	"""The settings as the app shows them."""
	settings = frappe.get_single(SETTINGS)
	return {
		**{name: settings.get(name) for name in SHOWN},
		"has_token": bool(_token(settings)),
		"fields": [{name: row.get(name) or "" for name in ROW} for row in settings.sync_fields],
		"sources": NAMES,
		"providers": list(PROVIDERS),
	}


def save(values: Mapping[str, Any], rows: Any, token: str) -> None:
	"""Set these; all rows of the mapping where they are given; a new token where there is one. What the settings' own form refuses is
	refused."""
	settings = frappe.get_single(SETTINGS)
	settings.check_permission("write")
	if unknown := sorted(set(values) - set(SHOWN)):
		frappe.throw(_("{0} is not set here.").format(", ".join(unknown)))
	settings.update({name: _checked(settings, name, value) for name, value in values.items()})
	if rows is not None:
		settings.set(FIELDS, _rows(rows))
	if token:
		settings.set(TOKEN, token)
	settings.save()
	# Whether that mends it is seen by the next question.
	with suppress(StreamUnavailable):
		state.note_trouble("")


def connect(clock: Clock = time, tell: Callable[[Circuit], None] | None = None) -> Provider:
	"""The CRM that the settings name. Stops with words where they lack what it takes."""
	settings = frappe.get_single(SETTINGS)
	token = _token(settings)
	if not token:
		frappe.throw(_("The settings have no API token of {0}.").format(settings.sync_provider))
	return PROVIDERS[settings.sync_provider or Pipedrive.name](
		settings.sync_company or "", token, Breaker(clock, tell), clock
	)


def check(settings: Document) -> None:
	"""Stop where the settings that are about to be stored make no sense."""
	settings.sync_company = _company(settings.sync_company)
	provider = settings.sync_provider or Pipedrive.name
	if provider not in PROVIDERS:
		frappe.throw(_("There is no provider {0}.").format(provider))
	for row in settings.sync_fields:
		row.remote_field = (row.remote_field or "").strip()
	fields = tuple(_fields(settings, PROVIDERS[provider].kinds))
	if found := mapping.problems(fields, PROVIDERS[provider].searched):
		frappe.throw("<br>".join(in_words(found)), title=_("Fields of the CRM"))
	if not cint(settings.sync_enabled):
		return
	if not fields:
		frappe.throw(_("Choose at least one field that is written before the sync is switched on."))
	# What is typed stands in the field, what is stored shows as asterisks.
	if not (settings.get(TOKEN) or _token(settings)):
		frappe.throw(_("The sync needs an API token of {0}.").format(provider))


def in_words(problems: Iterable[Problem]) -> list[str]:
	"""What is wrong with the mapping, a sentence each."""
	return [_SENTENCES[one.what]().format(one.source, one.remote) for one in problems]


def labelled(fields: Collection[RemoteField]) -> list[dict[str, Any]]:
	"""The CRM's fields as people choose among them."""
	return [one._asdict() for one in sorted(fields, key=lambda one: (one.label.casefold(), one.key))]


def _checked(settings: Document, name: str, value: Any) -> Any:
	field = settings.meta.get_field(name)
	if field.fieldtype == "Check":
		return int(bool(value))
	return whole_number(value, field.label) if field.fieldtype == "Int" else plain_text(value, field.label)


def _rows(given: Any) -> list[dict[str, str]]:
	if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
		frappe.throw(_("{0} must be a list of objects.").format("fields"))
	return [{name: plain_text(one.get(name), name)[:140] for name in ROW} for one in given]


def _fields(settings: Document, kinds: Any) -> Sequence[Field]:
	return [
		Field(
			source=row.source or "",
			remote=row.remote_field or "",
			type=row.remote_type or "",
			label=row.remote_label or "",
			kind=kinds.get(row.remote_type or "", Kind()),
		)
		for row in settings.sync_fields
	]


def _token(settings: Document) -> str:
	return settings.get_password(TOKEN, raise_exception=False) or ""


def _company(typed: str | None) -> str:
	"""The first part of the company's address, also where all of it was typed."""
	text = (typed or "").strip().lower()
	text = text.removeprefix("https://").removesuffix("/").removesuffix(".pipedrive.com")
	if text and not COMPANY.fullmatch(text):
		frappe.throw(
			_("{0} is not the name of a company at Pipedrive, such as acme in acme.pipedrive.com.").format(
				text
			)
		)
	return text


_SENTENCES: dict[str, Callable[[], str]] = {
	mapping.TWICE: lambda: _("{0}: another field is written to {1} too; a field of the CRM takes one."),
	mapping.UNKNOWN_SOURCE: lambda: _("{0} is no field that can be written."),
	mapping.NO_REMOTE: lambda: _("{0}: no field of the CRM is chosen."),
	mapping.SEARCHED: lambda: _("{0}: persons are searched by {1}, which is never written."),
	mapping.GONE: lambda: _("{0}: the CRM has no field {1} any more."),
	mapping.UNSUITABLE: lambda: _(
		"{0}: the field {1} of the CRM cannot be written here; take a text, a number or a date."
	),
	mapping.OTHER_KIND: lambda: _(
		"{0}: the field {1} of the CRM is of another type now. Check the fields and save."
	),
}
