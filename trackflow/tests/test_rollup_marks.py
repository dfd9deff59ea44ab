"""Days whose figures are to be worked out again are noted with what changed (ROL-1)."""

from datetime import date

import frappe

from trackflow.day_range import each_day
from trackflow.rollups import marks
from trackflow.tests.base import TrackFlowTestCase, counted_statements

DAY = date(2026, 3, 16)


class TestMarks(TrackFlowTestCase):
	"""ROL-1: a mark is one statement, and stored with the change or not at all."""

	def marked(self) -> list[date]:
		return frappe.get_all(marks.MARK, pluck="date", order_by="date")

	def test_many_days_are_one_statement(self) -> None:
		marks.mark([DAY])
		with counted_statements() as statements:
			marks.mark(each_day(DAY, date(2026, 5, 1)))
		self.assertEqual(len(statements), 1)
		self.assertEqual(len(self.marked()), 48)

	def test_no_day_is_no_statement(self) -> None:
		with counted_statements() as statements:
			marks.mark([])
		self.assertEqual(statements, [])

	def test_a_mark_goes_with_its_change(self) -> None:
		frappe.db.commit()
		marks.mark([DAY, DAY])
		self.assertEqual(self.marked(), [DAY])
		frappe.db.rollback()
		self.assertEqual(self.marked(), [])
