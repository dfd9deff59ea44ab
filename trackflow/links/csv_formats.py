"""Whose CSV it is, and what its rows say as Tracked Links: TrackFlow's own export, any list with plain headers, and the
exports of Bitly, Dub and Shlink. Pure.

Where the foreign columns are from:

- **Shlink**: `ExportShortUrlsBtn` and `ReportExporter` of shlink-web-component write createdAt, domain, shortCode,
  shortUrl, longUrl, title, tags (joined by |) and visits; older versions have no domain and shortCode. The CSV that
  shlink-importer reads ("Long URL", "Short code", "Domain", "Title", "Tags") is read as a plain list.
- **Dub**: the export route of dubinc/dub writes the columns that the user chose under their labels ("Short link",
  "Destination URL", "Clicks", "Created at", "Updated at", "Tags" …), tags joined by a comma, dates in ISO 8601; exports
  through its API have the names of its fields (domain, key, url, shortLink, archived, expiresAt, title, tags).
- **Bitly** publishes no list of columns. Guides of other shorteners describe "Link", "Custom Link" (the custom
  back-half, as a whole URL) and "Destination URL", older ones "Bitlink" and "Long URL"; lists made through its API have
  the names of its fields (id, link, custom_bitlinks, long_url, title, tags, archived, created_at).

Codes keep, in small letters; clicks and dates of creation stay behind. A host that is no domain of ours becomes a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from trackflow.links import csv_text
from trackflow.links.csv_text import CsvError

OWN, BITLY, DUB, SHLINK = "TrackFlow", "Bitly", "Dub", "Shlink"
HAS_PASSWORD = "has_password"  # noqa: S105 a column
SHORT_URL = "short_url"

# Every column of the export that an import reads, in its order, with its header.
COLUMNS: Mapping[str, str] = {
	"title": "Title",
	"target_url": "Target URL",
	"short_code": "Short Code",
	"status": "Status",
	"campaign": "Campaign",
	"domain": "Domain",
	"source": "Source",
	"medium": "Medium",
	"campaign_id": "Campaign ID",
	"content": "Content",
	"term": "Term",
	"additional_parameters": "Additional Parameters",
	"forward_query": "Forward Query",
	"starts_on": "Starts on",
	"expiry_date": "Expires on",
	"max_clicks": "Max Clicks",
	"expired_url": "Expired URL",
	"redirect_status": "Redirect Status",
	"password": "Password",
	"ios_url": "iOS URL",
	"android_url": "Android URL",
	"tags": "Tags",
	"variants": "Variants",
	"rules": "Rules",
}
# Columns of exports, our own included, that say nothing about the link to be made.
PASSED_OVER = frozenset(
	{
		"clicks", "qrscans", "uniquevisitors", "bots", "visits", "createdat", "updatedat", "created", "datecreated",
		"lastclicked", "totalclicks", "totalengagements", "engagements", "scans", "leads", "conversions", "sales",
	}
)  # fmt: skip

_SYNONYMS: Mapping[str, str] = {
	**{name: "target_url" for name in ("target", "url", "longurl", "destination", "destinationurl", "originalurl")},
	**{
		name: "short_code"
		for name in ("code", "slug", "key", "keyword", "alias", "path", "backhalf", "custombackhalf")
	},
	"shorturl": SHORT_URL,
	"shortlink": SHORT_URL,
	"haspassword": HAS_PASSWORD,
	"name": "title",
	"campaignname": "campaign",
	"host": "domain",
	"shortdomain": "domain",
	"utmsource": "source",
	"utmmedium": "medium",
	"utmcampaign": "campaign_id",
	"utmcontent": "content",
	"utmterm": "term",
	"tag": "tags",
	"labels": "tags",
	"start": "starts_on",
	"startdate": "starts_on",
	"validsince": "starts_on",
	"expires": "expiry_date",
	"expiresat": "expiry_date",
	"expirydate": "expiry_date",
	"expirationdate": "expiry_date",
	"validuntil": "expiry_date",
	"maxvisits": "max_clicks",
	"clicklimit": "max_clicks",
	"redirecttype": "redirect_status",
	"ios": "ios_url",
	"android": "android_url",
}  # fmt: skip


def _plain(header: str) -> str:
	return re.sub(r"[^a-z0-9]", "", header.lower())


_OWN_COLUMNS = {**_SYNONYMS, **{_plain(header): name for name, header in COLUMNS.items()}}
_OWN_COLUMNS |= {_plain(name): name for name in COLUMNS}


@dataclass(frozen=True, slots=True)
class Foreign:
	"""A product's columns: header → what it means. Of several `short_url`s the first that is filled is taken."""

	name: str
	# It is this product's file if the headers hold all of one of these sets.
	marks: tuple[frozenset[str], ...]
	columns: tuple[tuple[str, str], ...]
	tag_separators: str

	def fits(self, headers: frozenset[str]) -> bool:
		return any(mark <= headers for mark in self.marks)


FOREIGN = (
	Foreign(
		SHLINK,
		(frozenset({"shorturl", "longurl", "createdat"}), frozenset({"shorturl", "longurl", "visits"})),
		(
			("longurl", "target_url"),
			("shorturl", SHORT_URL),
			("shortcode", "short_code"),
			("domain", "host"),
			("title", "title"),
			("tags", "tags"),
		),
		"|",
	),
	Foreign(
		DUB,
		(frozenset({"shortlink", "destinationurl"}), frozenset({"shortlink", "url", "key"})),
		(
			("destinationurl", "target_url"),
			("url", "target_url"),
			("shortlink", SHORT_URL),
			("key", "short_code"),
			("domain", "host"),
			("title", "title"),
			("tags", "tags"),
			("archived", "archived"),
			("expiresat", "expiry_date"),
			("ios", "ios_url"),
			("android", "android_url"),
		),
		",",
	),
	Foreign(
		BITLY,
		(
			frozenset({"bitlink"}),
			frozenset({"customlink"}),
			frozenset({"custombitlinks"}),
			frozenset({"link", "longurl"}),
			frozenset({"link", "destinationurl"}),
		),
		(
			("longurl", "target_url"),
			("destinationurl", "target_url"),
			("originalurl", "target_url"),
			("customlink", SHORT_URL),
			("custombitlinks", SHORT_URL),
			("bitlink", SHORT_URL),
			("link", SHORT_URL),
			("title", "title"),
			("tags", "tags"),
			("archived", "archived"),
		),
		",|",
	),
)


@dataclass(slots=True)
class Row:
	"""A row of the file: values by field of the Tracked Link, what is wrong (field, words), what will be different."""

	number: int
	values: dict[str, Any] = field(default_factory=dict)
	errors: list[tuple[str, str]] = field(default_factory=list)
	notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sheet:
	"""A file that was read: whose it is, its rows, and headers that nobody understood."""

	format: str
	rows: tuple[Row, ...]
	ignored: tuple[str, ...]


def read(text: str, domains: frozenset[str], zone: ZoneInfo, most_rows: int) -> Sheet:
	"""The rows of a CSV text. `domains` are the hosts of this site; times with an offset become those of `zone`."""
	found = csv_text.records(text)
	_number, headers = next(found, (0, []))
	plain = [_plain(header) for header in headers]
	foreign = next((one for one in FOREIGN if one.fits(frozenset(plain))), None)
	columns = _columns(headers, plain, foreign)
	rows = []
	for number, cells in found:
		if len(rows) >= most_rows:
			raise CsvError(f"The file has more than {most_rows} rows. Split it.")
		rows.append(_row(number, cells, len(headers), columns, foreign, domains, zone))
	understood = {index for index, _meaning in columns}
	ignored = tuple(
		header
		for index, header in enumerate(headers)
		if header and index not in understood and plain[index] not in PASSED_OVER
	)
	return Sheet(foreign.name if foreign else OWN, tuple(rows), ignored)


def _columns(headers: list[str], plain: list[str], foreign: Foreign | None) -> list[tuple[int, str]]:
	"""Index and meaning of the columns that are understood, those first that are asked first."""
	if foreign:
		columns = [(plain.index(header), meaning) for header, meaning in foreign.columns if header in plain]
	else:
		columns = [(index, _OWN_COLUMNS[name]) for index, name in enumerate(plain) if name in _OWN_COLUMNS]
		meanings = [meaning for _index, meaning in columns]
		if twice := next((headers[index] for index, one in columns if meanings.count(one) > 1), None):
			raise CsvError(f"Two columns mean the same; one of them is {twice}.")
	if "target_url" not in {meaning for _index, meaning in columns}:
		raise CsvError("No column says where the links lead. Its header could be: Target URL.")
	return columns


def _row(
	number: int,
	cells: list[str],
	width: int,
	columns: list[tuple[int, str]],
	foreign: Foreign | None,
	domains: frozenset[str],
	zone: ZoneInfo,
) -> Row:
	row = Row(number)
	if any(cells[width:]):
		row.errors.append(
			("", "The row has more cells than the header: a separator within a cell needs quotes.")
		)
	raw: dict[str, str] = {}
	for index, meaning in columns:
		if index < len(cells) and cells[index]:
			raw.setdefault(meaning, csv_text.original(cells[index]))
	if foreign:
		_take_foreign(row, raw, foreign, domains)
	else:
		_take_own(row, raw)
	convert(row, zone)
	return row


def _take_own(row: Row, raw: dict[str, str]) -> None:
	short_url = raw.pop(SHORT_URL, "")
	if short_url and "short_code" not in raw:
		raw["short_code"] = _short(short_url)[1].removeprefix("r/")
	if raw.pop(HAS_PASSWORD, "").lower() in _TRUE and "password" not in raw:
		text = (
			"The link had a password, which no export carries: give it one, or empty the cell Has Password."
		)
		row.errors.append(("password", text))
	row.values.update(raw)


def _take_foreign(row: Row, raw: dict[str, str], foreign: Foreign, domains: frozenset[str]) -> None:
	host, code = _short(_first_of_list(raw.pop(SHORT_URL, "")))
	host = raw.pop("host", "") or host
	code = raw.pop("short_code", "") or code
	archived = raw.pop("archived", "").lower() in _TRUE
	if tags := _tags(raw.pop("tags", ""), foreign.tag_separators):
		row.values["tags"] = tags
	row.values.update(raw)
	if code:
		row.values["short_code"] = code
	if archived:
		row.values["status"] = "Archived"
	if host.lower() in domains:
		row.values["domain"] = host.lower()
	elif host:
		row.notes.append(f"{host} is no domain of this site: the link gets the primary one.")


def _short(url: str) -> tuple[str, str]:
	"""Host and back-half of a short URL, with or without its scheme."""
	host, _slash, path = re.sub(r"^[a-z]+://", "", url, flags=re.IGNORECASE).partition("/")
	return host, re.split(r"[?#]", path, maxsplit=1)[0].strip("/")


def _first_of_list(text: str) -> str:
	"""The first of several short URLs: a JSON list, or separated by bars, commas or blanks."""
	return next((part for part in re.split(r"[\s,|;\[\]\"']+", text) if part), "")


def _tags(text: str, separators: str) -> str:
	if text.startswith("["):
		try:
			parts = [str(part) for part in json.loads(text)]
		except (ValueError, RecursionError):
			parts = [text]
	else:
		parts = re.split(f"[{re.escape(separators)}]", text)
	return ", ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))


_TRUE = frozenset({"1", "true", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "off"})
_DATES = ("starts_on", "expiry_date")
_RULE_DATES = ("from_date", "to_date")


def convert(row: Row, zone: ZoneInfo) -> None:
	"""Turn texts into what the fields hold; what cannot be is an error of the row."""
	for name, value in list(row.values.items()):
		try:
			if isinstance(value, str) and value.strip():
				row.values[name] = value = _value(name, value.strip(), zone)
			if name == "rules" and isinstance(value, list):
				row.values[name] = [_rule(one, number, zone) for number, one in enumerate(value, 1)]
		except ValueError as error:
			row.errors.append((name, str(error)))


def _rule(rule: Any, number: int, zone: ZoneInfo) -> Any:
	"""A rule with its dates as fields hold them."""
	if not isinstance(rule, Mapping):
		return rule
	dates = {
		name: rule[name] for name in _RULE_DATES if isinstance(rule.get(name), str) and rule[name].strip()
	}
	try:
		return {**rule, **{name: _moment(text.strip(), zone) for name, text in dates.items()}}
	except ValueError as error:
		raise ValueError(f"Rule {number}: {error}") from None


def _value(name: str, text: str, zone: ZoneInfo) -> Any:
	if name in _DATES:
		return _moment(text, zone)
	if name == "status":
		return text.capitalize()
	if name == "forward_query":
		if text.lower() not in _TRUE | _FALSE:
			raise ValueError(f"{text} is neither yes nor no.")
		return int(text.lower() in _TRUE)
	if name == "max_clicks":
		if not re.fullmatch(r"[0-9]{1,9}", text):
			raise ValueError(f"{text} is no whole number.")
		return int(text)
	if name in ("variants", "rules"):
		return _rows(text)
	return text


def is_moment(text: str) -> bool:
	"""Whether it is a date as fields hold them, without a time zone."""
	try:
		return datetime.fromisoformat(text).tzinfo is None
	except ValueError:
		return False


def _moment(text: str, zone: ZoneInfo) -> str:
	try:
		moment = datetime.fromisoformat(text)
		if moment.tzinfo:
			moment = moment.astimezone(zone).replace(tzinfo=None)
	except (ValueError, OverflowError):
		raise ValueError(f"{text} is no date that can be read; write it like 2026-03-31 18:00.") from None
	return moment.isoformat(" ", "seconds")


def _rows(text: str) -> list[dict[str, Any]]:
	try:
		rows = json.loads(text)
	except (ValueError, RecursionError):
		rows = None
	if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
		raise ValueError('It must be a list in JSON, such as [{"name": "value"}].')
	return rows
