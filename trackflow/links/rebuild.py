"""Brings what links derive from their campaign and domain up to date, in bounded pieces. Changes only what differs."""

from typing import Any

import frappe

from trackflow import bulk, jobs
from trackflow.links import destination
from trackflow.links.addresses import scan_url
from trackflow.links.parameters import CAMPAIGN_FIELDS, link_parameters
from trackflow.redirect import links as snapshots
from trackflow.runs import recorded

PIECE = 500
_READ = (
	"name", "short_code", "domain", "campaign", "campaign_id", "source", "medium", "content", "term",
	"additional_parameters", "target_url", "destination_url", "qr_code",
)  # fmt: skip


def enqueue_rebuild(field: str, value: str, version: object) -> None:
	"""Rebuild the links whose `field` (campaign or domain) has that value, after the change that made `version`."""
	job_id = f"rebuild-links::{field}::{value}::{version}"
	jobs.enqueue("trackflow.links.rebuild.rebuild", job_id=job_id, field=field, value=value)


@recorded
def rebuild(field: str, value: str) -> int:
	"""Work out destination and QR text of those links anew; returns how many changed."""
	changed, last = 0, ""
	while rows := _piece(field, value, last):
		changed += _rebuild_piece(rows)
		last = rows[-1].name
	return changed


def _piece(field: str, value: str, last: str) -> list[Any]:
	# Links without a domain of their own follow the primary one.
	wanted = ("in", ["", value]) if field == "domain" else value
	return frappe.get_all(
		"Tracked Link",
		filters=[
			[field, *wanted] if isinstance(wanted, tuple) else [field, "=", wanted],
			["name", ">", last],
		],
		fields=list(_READ),
		order_by="name",
		limit=PIECE,
	)


def _rebuild_piece(rows: list[Any]) -> int:
	campaigns = _campaigns({row.campaign for row in rows if row.campaign})
	changes = {}
	for row in rows:
		parameters = link_parameters(row, campaigns.get(row.campaign, {}))
		fresh = {
			"campaign_id": parameters["campaign"],
			"destination_url": destination.build(row.target_url, parameters),
			"qr_code": scan_url(row.short_code, row.domain),
		}
		if not bulk.same(fresh, row):
			changes[row.name] = fresh
	bulk.update("Tracked Link", changes)
	# Variants are built when a link is read, so every snapshot has to go, also of links whose row stays.
	snapshots.forget(*(row.short_code for row in rows))
	return len(changes)


def _campaigns(names: set[str]) -> dict[str, Any]:
	fields = ["name", *CAMPAIGN_FIELDS]
	rows = frappe.get_all("Link Campaign", {"name": ("in", sorted(names))}, fields, order_by="name")
	return {row.name: row for row in rows}
