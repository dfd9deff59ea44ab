"""The attribution models that are installed (ATT-1); all active, one of them the default."""

from typing import Any

DEFAULT_MODEL = "Last Touch"

MODELS: tuple[dict[str, Any], ...] = (
	{
		"model_name": "First Touch",
		"model_type": "First Touch",
		"description": "The first touch takes everything: what makes people aware of you.",
	},
	{
		"model_name": "Last Touch",
		"model_type": "Last Touch",
		"description": "The last touch before the conversion takes everything.",
	},
	{
		"model_name": "Last Non-Direct",
		"model_type": "Last Non-Direct",
		"description": "The last touch that was not a direct visit takes everything.",
		"count_direct": 0,
	},
	{
		"model_name": "Linear",
		"model_type": "Linear",
		"description": "All touches share equally.",
	},
	{
		"model_name": "Time Decay",
		"model_type": "Time Decay",
		"description": "The nearer to the conversion, the more: a touch one half-life older weighs half.",
		"time_decay_half_life_days": 7,
	},
	{
		"model_name": "Position Based",
		"model_type": "Position Based",
		"description": "40 % to the first touch, 40 % to the last, the rest to those between.",
		"position_based_first_weight": 40,
		"position_based_last_weight": 40,
	},
	{
		"model_name": "W-Shaped",
		"model_type": "W-Shaped",
		"description": "30 % each to the first touch, the touch that made the lead and the one that made the deal.",
	},
	{
		"model_name": "Custom",
		"model_type": "Custom",
		"description": "Shared like the base model, then weighed by channel: change it to your liking.",
		"base_model": "Linear",
	},
	{
		"model_name": "Markov",
		"model_type": "Markov",
		"description": "By what would be lost without a channel, in a chain of the steps that people took.",
		"count_direct": 0,
	},
	{
		"model_name": "Shapley",
		"model_type": "Shapley",
		"description": "By a channel's fair share of the conversions of all the sets of channels that people met.",
		"count_direct": 0,
	},
)
