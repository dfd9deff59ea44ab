"""How the site is (RPT-3), for whoever may read its settings: TrackFlow Managers and System Managers."""

from typing import Any

import frappe
from frappe import _
from werkzeug.wrappers import Response

from trackflow import doctor
from trackflow.exceptions import StreamUnavailable
from trackflow.health import measure, prometheus
from trackflow.stream import tally
from trackflow.validation import plain_text

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@frappe.whitelist(methods=["GET"])
def get_metrics(format: str = "json") -> dict[str, Any] | Response:
	"""What waits and how old it is, what the jobs did, how database and Redis are, what callers were answered in the last hour, and
	the findings of the checks; as JSON, or for Prometheus as text (`format` is prometheus)."""
	frappe.has_permission("TrackFlow Settings", "read", throw=True)
	form = plain_text(format, "format").lower()
	if form not in ("json", "prometheus"):
		frappe.throw(_("format is either {0} or {1}.").format("json", "prometheus"))
	checks = [finding.as_dict() for finding in doctor.examine()]
	is_broken = any(one["mark"] == doctor.BROKEN for one in checks)
	metrics = {"ok": not is_broken, **measure.metrics(), "checks": checks}
	return metrics if form == "json" else _as_text(metrics)


def _as_text(metrics: dict[str, Any]) -> Response:
	try:
		_minutes, sums = tally.read(1)
	except StreamUnavailable:
		sums = {}
	text = prometheus.as_text(metrics, sums, tally.BOUNDS)
	return Response(text, content_type=TEXT, headers={"Cache-Control": "no-store"})
