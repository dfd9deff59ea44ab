"""What credits are computed from, as plain values: a person's touches and the models. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trackflow.attribution.channel_rules import ChannelRule
from trackflow.naming import key_name


@dataclass(frozen=True, slots=True)
class JourneyTouch:
	"""A touch point as the models read it, with what its credit is booked on."""

	id: str
	occurred_at: datetime
	channel: str
	is_direct: bool
	platform: str
	source: str
	medium: str
	campaign: str
	link_campaign: str
	tracked_link: str
	click_event: str
	visitor_id: str


@dataclass(frozen=True, slots=True)
class Learning:
	"""What a data-driven model learns from: conversions of these types in the `days` before a day, and how many it needs.
	`order` is that of a Markov chain."""

	days: int
	conversion_types: tuple[str, ...]
	minimum_conversions: int
	order: int = 1


@dataclass(frozen=True, slots=True)
class Model:
	"""An active Attribution Model; `lookback_days` is resolved, `rules` are sorted by priority. Only data-driven ones learn."""

	name: str
	model_type: str
	lookback_days: int
	count_direct: bool
	first_weight: float
	last_weight: float
	half_life_days: int
	base_model: str
	is_default: bool
	channel_weights: Mapping[str, float]
	rules: Sequence[ChannelRule] = ()
	learning: Learning | None = None

	@property
	def terms(self) -> str:
		"""A hash of all that decides what the model learns from given data; "" for one that learns nothing."""
		if not self.learning:
			return ""
		names = [(rule.channel_name, rule.match_conditions, rule.priority) for rule in self.rules]
		return key_name(self.model_type, self.lookback_days, self.count_direct, self.learning, names)
