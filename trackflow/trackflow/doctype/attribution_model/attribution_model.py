"""A way to share the credit for a conversion among touches. Exactly one model is the default, and it is active."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, flt

from trackflow.attribution.channel_rules import ChannelRule, RuleError
from trackflow.attribution.models import DATA_DRIVEN
from trackflow.attribution.run import queue_rebuild
from trackflow.config import forget_config
from trackflow.rollups import marks
from trackflow.validation import channel_weights, json_object, within


class AttributionModel(Document):
	def validate(self) -> None:
		self._check_parameters()
		self._check_channel_rules()
		self._check_default()

	def on_update(self) -> None:
		if cint(self.is_default):
			make_default(self.name)
		forget_config()
		if not (frappe.flags.in_install or frappe.flags.in_migrate):
			queue_rebuild(self.modified)
			before = self.get_doc_before_save()
			if not before or cint(before.is_active) != cint(self.is_active):
				# Days with costs alone have figures under each active model, too.
				marks.mark_all()

	def on_trash(self) -> None:
		if cint(self.is_default):
			frappe.throw(_("{0} is the default model. Make another one the default first.").format(self.name))

	def after_delete(self) -> None:
		forget_config()
		marks.mark_all()

	def after_rename(self, old: str, new: str, merge: bool = False) -> None:
		# The names of daily figures follow from the model's.
		marks.mark_all()

	def _check_parameters(self) -> None:
		within(self.lookback_days, 0, 3650, "Lookback Days")
		if cint(self.time_decay_half_life_days) < 1:
			frappe.throw(_("The half-life must be at least one day."))
		first, last = flt(self.position_based_first_weight), flt(self.position_based_last_weight)
		if min(first, last) < 0 or first + last > 100:
			frappe.throw(_("First and last touch share between 0 and 100 %; the rest goes to those between."))
		if self.model_type in DATA_DRIVEN:
			within(self.markov_order, 1, 3, "Order of the Chain")
			within(self.training_days, 1, 3650, "Learns from Days")
			within(self.minimum_conversions, 1, 1_000_000, "Conversions It Needs")
		if self.model_type == "Custom":
			if not self.base_model or self.base_model == "Custom":
				frappe.throw(_("A custom model needs a base model that is not custom itself."))
			self.custom_rules = channel_weights(self.custom_rules, "Custom Rules")
		else:
			self.base_model, self.custom_rules = "", None

	def _check_channel_rules(self) -> None:
		for row in self.channel_rules:
			where = _("Channel rule {0}").format(row.idx)
			conditions = json_object(row.match_conditions, where)
			if not conditions:
				frappe.throw(_('{0} needs a condition, such as {{"source": "partner*"}}.').format(where))
			if empty := [name for name, value in conditions.items() if value == [] or "" in _listed(value)]:
				frappe.throw(_("{0}: the condition {1} is empty.").format(where, ", ".join(empty)))
			if flt(row.weight) < 0:
				frappe.throw(_("{0}: the weight must not be negative.").format(where))
			try:
				ChannelRule(row.channel_name, conditions, cint(row.priority), flt(row.weight))
			except RuleError as error:
				frappe.throw(_("{0}: {1}").format(where, error))
			row.match_conditions = frappe.as_json(conditions, indent=1)

	def _check_default(self) -> None:
		"""The first model is the default; later it passes from one to the next, and is never nobody's."""
		current = frappe.db.get_value("Attribution Model", {"is_default": 1, "name": ("!=", self.name)})
		if not cint(self.is_default) and not current:
			before = self.get_doc_before_save()
			if before and cint(before.is_default):
				frappe.throw(_("Make another model the default instead: there is always one."))
			self.is_default = 1
		if cint(self.is_default) and not cint(self.is_active):
			frappe.throw(_("The default model must be active."))


def _listed(value: Any) -> list[Any]:
	return value if isinstance(value, list) else [value]


def make_default(name: str) -> None:
	"""Make this model, and no other, the default; the settings say so too."""
	table = frappe.qb.DocType("Attribution Model")
	frappe.qb.update(table).set(table.is_default, 0).where(
		(table.is_default == 1) & (table.name != name)
	).run()
	frappe.qb.update(table).set(table.is_default, 1).where(table.name == name).run()
	frappe.clear_document_cache("Attribution Model")
	frappe.db.set_single_value("TrackFlow Settings", "default_attribution_model", name, update_modified=False)
