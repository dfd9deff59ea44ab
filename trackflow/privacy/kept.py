"""What is due by its age and stays all the same, since totals rest on it, becomes nobody's (RET-1): conversions with all that is
credited for them, then the touches and visits on which credits rest.

It is done as by an erasure (`nobodys`), with a key that lives as long as the run, a batch a transaction: a run that is killed leaves
whole batches, and the next one goes on. A conversion is frozen by it: no run credits it again (`conversions.KEPT`), none is made of
its time (`aged.kept_until`), and its journey is stored with it, as its touches may go, or are somebody's of whom it must not tell.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from typing import Any

import frappe

from trackflow import bulk
from trackflow.attribution import journeys, run
from trackflow.collisions import retried
from trackflow.privacy import aged, nobodys
from trackflow.privacy.due import CONVERSIONS, Table
from trackflow.privacy.nobodys import Pseudonyms
from trackflow.privacy.personal import BY_DOCTYPE, DEAL
from trackflow.tracking import identity
from trackflow.tracking.conversions import DONE, FAILED, KEPT, PENDING

Row = dict[str, Any]

AT_ONCE = 200
OF_DEAL = ("Deal Attribution", "Deal Link Association")


def due(cutoff: datetime) -> Iterator[list[str]]:
	"""The names of conversions that are due, a batch at a time, those that still wait for credits first. By status, as it is indexed:
	those that are nobody's already are never passed."""
	table = frappe.qb.DocType(CONVERSIONS.doctype)
	at = table.conversion_date
	for status in (PENDING, FAILED, DONE):
		query = (
			frappe.qb.from_(table)
			.select(table.name, at)
			.where((table.attribution_status == status) & (at < cutoff))
			.orderby(at, table.name)
			.limit(AT_ONCE)
		)
		rows = query.run()
		while rows:
			yield [name for name, _at in rows]
			last, moment = rows[-1]
			# The bound for the index; then the rows of the same moment that are behind.
			rows = query.where(at >= moment).where((at > moment) | (table.name > last)).run()


@dataclass(slots=True)
class Ageing:
	"""One run of it."""

	names: Pseudonyms = field(default_factory=lambda: Pseudonyms(token_bytes(32)))

	def conversions(self, cutoff: datetime) -> Iterator[int]:
		"""Make the conversions that are due nobody's; yields how many, batch by batch."""
		for some in due(cutoff):
			rows = bulk.load(CONVERSIONS.doctype, {"name": ("in", some)}, ["visitor", "attribution_status"])
			if waiting := [name for name, row in rows.items() if row.attribution_status == PENDING]:
				run.credit_new(waiting)
			self._visitors(cutoff, {row.visitor for row in rows.values() if row.visitor})
			yield self._conversions(cutoff, some)

	def rows(self, table: Table, cutoff: datetime) -> Iterator[int]:
		"""Make rows on which credits rest nobody's; yields how many, batch by batch."""
		for visitors in aged.kept(table, cutoff):
			self._rows(table, cutoff, visitors)
			yield len(visitors)

	@retried
	def _visitors(self, cutoff: datetime, names: Collection[str]) -> None:
		"""Visitors whose last conversion was before then say so no more, at which moment least of all. Before their conversions: a run
		that is killed here does it again."""
		frappe.db.commit()
		rows = bulk.lock("Visitor", names, ["last_conversion_date"])
		nothing = {"has_converted": 0, "conversion_count": 0, "last_conversion_date": None}
		last = {name: row.last_conversion_date for name, row in rows.items() if row.last_conversion_date}
		bulk.update("Visitor", {name: nothing for name, at in last.items() if at < cutoff}, is_locked=True)
		frappe.db.commit()

	@retried
	def _conversions(self, cutoff: datetime, some: list[str]) -> int:
		frappe.db.commit()
		# What is being credited right now is left to the next run.
		rows = [row for row in journeys.conversions(some) if row.attribution_status != PENDING]
		longest = max((model.lookback_days for model in journeys.active_models()), default=0)
		touches = journeys.touches_of(rows, longest)
		aged.remember(CONVERSIONS, cutoff)
		changes = {row.name: {"visitor": self.names.of_visitor(row.visitor)} for row in rows}
		nobodys.rename_conversions(self.names, changes, with_visitors=True)
		told = {
			self.names.of_conversion(row.name): {
				"attribution_status": KEPT,
				"attribution_data": journeys.to_text(touches.get(row.name, ())),
			}
			for row in rows
		}
		bulk.update(CONVERSIONS.doctype, told, is_locked=True)
		deals = {row.crm_deal for row in rows if row.crm_deal and row.source_doctype == "CRM Deal"}
		for doctype in OF_DEAL:
			nobodys.rename_documents(doctype, {DEAL: {deal: self.names.of("deal", deal) for deal in deals}})
		self.names.commit()
		return len(rows)

	@retried
	def _rows(self, table: Table, cutoff: datetime, visitors: dict[str, str]) -> None:
		frappe.db.commit()
		aged.remember(table, cutoff)
		erased = {name: self.names.of_visitor(visitor) for name, visitor in visitors.items()}
		nobodys.empty_rows(BY_DOCTYPE[table.doctype], erased)
		if table.doctype == "Touch Point":
			self._credits(visitors)
		frappe.db.commit()

	def _credits(self, touches: Collection[str]) -> None:
		"""Credits of these touches that still name a visitor: those of a conversion that somebody deleted."""
		rows = bulk.load("Attribution Link", {"touch_point": ("in", touches)}, ["visitor_id"])
		changes = {
			name: {"visitor_id": self.names.of_visitor(row.visitor_id)}
			for name, row in rows.items()
			if not identity.is_erased(row.visitor_id)
		}
		nobodys.write("Attribution Link", changes)
