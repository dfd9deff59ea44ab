"""Costs and credits of one day at one grain under one model. Ratios are worked out, never stored: they cannot be summed."""

from frappe.utils import flt, getdate

from trackflow.records import NamedByCode
from trackflow.rollups.grains import Place
from trackflow.rollups.rows import row_name
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_daily_rollup_date_grain": ("date", "grain"),
	"idx_daily_rollup_platform": ("platform", "date"),
	"idx_daily_rollup_campaign": ("campaign", "date"),
	"idx_daily_rollup_model": ("attribution_model", "date"),
	"idx_daily_rollup_grain_model": ("grain", "attribution_model", "date"),
	"idx_daily_rollup_grain_campaign": ("grain", "attribution_model", "campaign", "date"),
}


class DailyRollup(NamedByCode):
	def autoname(self) -> None:
		place = Place(*(self.get(part) or "" for part in Place._fields))
		self.name = row_name(getdate(self.date), self.grain, place, self.attribution_model)

	@property
	def cpa(self) -> float | None:
		return _ratio(self._spend, self.conversions)

	@property
	def roas(self) -> float | None:
		return _ratio(None if self.value_without_rate else flt(self.conversion_value), self._spend)

	@property
	def ctr(self) -> float | None:
		share = _ratio(self.clicks, self.impressions)
		return None if share is None else share * 100

	@property
	def cpc(self) -> float | None:
		return _ratio(self._spend, self.clicks)

	@property
	def _spend(self) -> float | None:
		"""None where it is not known: the column of an amount holds no empty value."""
		return None if self.spend_without_rate else flt(self.spend)


def _ratio(part: float | None, whole: float | None) -> float | None:
	"""None where there is nothing to divide by: an empty figure, never zero or infinity."""
	return flt(part) / flt(whole) if part is not None and flt(whole) else None


def on_doctype_update() -> None:
	add_indexes("Daily Rollup", INDEXES)
