"""A mark: something of this day changed, and its daily figures are to be worked out again. See `trackflow.rollups.marks`."""

from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_rollup_day_date": ("date",),
}


class RollupDay(NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Rollup Day", INDEXES)
