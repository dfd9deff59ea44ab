"""Figures of the site, of a domain or of the domains of a project, and the rows behind them (RPT-2), for people who may read them."""

from typing import Any

import frappe

from trackflow.analytics import overview
from trackflow.analytics.credited import model_of
from trackflow.analytics.scope import check, period_of, scope_of
from trackflow.validation import plain_text

Row = dict[str, Any]


@frappe.whitelist(methods=["GET"])
def get_overview(
	from_date: str | None = None,
	to_date: str | None = None,
	domain: str | None = None,
	project: str | None = None,
	model: str | None = None,
) -> Row:
	"""What came in during a range of days, the last 30 by default, beside as many days before it: people and robots, visits,
	channels, conversions under a model (the default one if none is named), and what led to most of it."""
	check(*overview.DOCTYPES)
	return overview.overview(
		scope_of(domain, project), period_of(from_date, to_date), model_of(plain_text(model, "model"))
	)
