"""Sites with clicks, sessions, events, touches and credits as drains and attribution leave them, for tests of figures."""

from datetime import datetime, timedelta
from typing import Any

from trackflow import bulk
from trackflow.naming import key_name, timed_name
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import VISITOR

DAY = datetime(2026, 3, 2, 12)
MARCH = ("2026-03-01", "2026-03-04")
SITE, OTHER = "shop.example.com", "blog.example.com"
MODEL = "Last Touch"


class FiguresTestCase(TrackFlowTestCase):
	"""With rows that a test names, everything else of them sensible."""

	def setUp(self) -> None:
		super().setUp()
		self.number = 0

	def click(self, link: str, at: datetime = DAY, event_type: str = "Click", **values: Any) -> str:
		row = {
			"click_timestamp": at,
			"event_type": event_type,
			"tracked_link": link,
			"counted": int(event_type in ("Click", "QR Scan")),
			"visitor_id": VISITOR.format(1),
			"domain": SITE,
		}
		return self._row("Click Event", {**row, **values})

	def session(self, at: datetime = DAY, number: int = 1, **values: Any) -> str:
		"""A session, with its touch point under the same values."""
		row = {
			"visitor_id": VISITOR.format(number),
			"session_start": at,
			"session_end": at + timedelta(seconds=values.get("duration_seconds", 0)),
			"page_views": 1,
			"event_count": 1,
			"channel": "Email",
			"domain": SITE,
			**values,
		}
		name = self._row("Visitor Session", row, timed_name(at, "session", str(self.number)))
		taken = ("channel", "campaign", "link_campaign", "domain", "tracked_link", "source", "medium")
		touch = {field: row[field] for field in taken if field in row}
		self._row(
			"Touch Point",
			{"session": name, "occurred_at": at, "visitor_id": row["visitor_id"], **touch},
			touch_of(name),
		)
		return name

	def event(self, at: datetime = DAY, event_type: str = "PAGE_VIEW", **values: Any) -> str:
		row = {
			"timestamp": at,
			"event_type": event_type,
			"visitor": VISITOR.format(1),
			"counted": 1,
			"domain": SITE,
			"page_url": f"https://{SITE}/products",
		}
		return self._row("Visitor Event", {**row, **values})

	def credit(self, session: str = "", at: datetime = DAY, **values: Any) -> str:
		"""A credit of a conversion of its own, of a session's touch or of none."""
		row = {
			"conversion_date": at,
			"attribution_model": MODEL,
			"conversion_type": "Lead",
			"touch_point": touch_of(session) if session else None,
			"position": int(bool(session)),
			"weight": 1,
			"credited_value": 0,
			"currency": "USD",
			"channel": "Email" if session else "Unattributed",
		}
		return self._row("Attribution Link", {**row, **values})

	def _row(self, doctype: str, row: dict[str, Any], name: str = "") -> str:
		self.number += 1
		name = name or f"{doctype.lower().replace(' ', '-')}-{self.number:04d}"
		bulk.insert(doctype, [{"name": name, **row}])
		return name


def touch_of(session: str) -> str:
	"""The name of a session's touch point, which follows from the same moment as its own."""
	return session[:11] + key_name("touch", session)[:21]


def make_domains() -> None:
	"""Two domains of one project, and one of none."""
	factories.make_domain(SITE, project="Shops")
	factories.make_domain(OTHER, project="Shops")
	factories.make_domain("else.example.com")
