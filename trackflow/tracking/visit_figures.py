"""What counts of visits, for every figure of sessions. A session is one touch. A visit is a session that saw a page: only such a one
can bounce or last.

Terms for queries over Visitor Session; nothing here reads.
"""

from typing import Any

from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Sum

from trackflow.tracking.click_figures import number

# What can be added over days and channels; visitors cannot.
FIGURES = ("sessions", "page_views", "visits", "bounces", "seconds")


def figures(session: Any) -> dict[str, Any]:
	"""The sums of FIGURES, by name."""
	is_visit = session.page_views > 0
	return {
		"sessions": Count("*"),
		"page_views": Sum(session.page_views),
		"visits": number(is_visit),
		"bounces": number(is_visit & (session.is_bounce == 1)),
		"seconds": Sum(Case().when(is_visit, session.duration_seconds).else_(0)),
	}
