"""One version of what a data-driven model learnt: the values of its channels. Written once, by code, and never changed."""

from trackflow.attribution.versions import from_text
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {"idx_attribution_training_model": ("attribution_model", "until_date")}


class AttributionTraining(NamedByCode):
	def onload(self) -> None:
		"""The form's table: channels with value and share, the largest first. Exact values have too many digits for it."""
		values = from_text(self.channel_values)
		total = sum(values.values()) or 1
		rows = [
			{"channel": channel, "value": float(value), "share": float(value / total)}
			for channel, value in sorted(values.items(), key=lambda one: (-one[1], one[0]))
		]
		self.set_onload("channels", rows)


def on_doctype_update() -> None:
	add_indexes("Attribution Training", INDEXES)
