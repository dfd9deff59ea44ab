"""Trains the data-driven models: reads paths, works out what the channels are worth, and keeps it as a new version (ATT-5).

Versions are appended, never changed; training again for one day with unchanged data writes nothing. With a version the
conversions that it concerns are marked for new credits, in one transaction: `run` credits them, now or hourly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import getdate
from pypika import Criterion

from trackflow import bulk
from trackflow.attribution import journeys, paths
from trackflow.attribution.data_driven import Path, markov, shapley
from trackflow.attribution.models import MARKOV
from trackflow.attribution.shapes import Model
from trackflow.attribution.versions import Values, Version, concerned_since, from_text, to_text, version_for
from trackflow.collisions import retried
from trackflow.naming import key_name
from trackflow.privacy import aged
from trackflow.runs import note_failure
from trackflow.tracking.conversions import KEPT, PENDING

Row = dict[str, Any]

TRAINING = "Attribution Training"


@dataclass(frozen=True, slots=True)
class Trained:
	"""What became of one model: its version, whether that is new, and why credits do not follow from it, where they do not."""

	model: str
	version: int
	is_new: bool
	conversions: int
	message: str = ""

	def as_dict(self) -> dict[str, Any]:
		return asdict(self)


def train(until: date | None = None, only_missing: bool = False) -> list[Trained]:
	"""Train the active data-driven models by what was before the day `until`, today if none is given. `only_missing`: only those
	that have no version on their present terms. One that cannot be learnt keeps its former versions of these terms. Ends the
	transaction."""
	until = until or getdate()
	frappe.db.commit()
	models = [model for model in journeys.active_models() if model.learning]
	stored = _versions(models)
	trained = [_train(model, until) for model in models if not (only_missing and stored.get(model.name))]
	frappe.db.commit()
	return trained


def used(model: str, conversion_date: datetime) -> Version | None:
	"""The version that this model credits conversions of that time by; None before the first training and for models that learn
	nothing. Without one, and where it has too little data, shares are Linear's."""
	models = [one for one in journeys.active_models() if one.name == model]
	return used_by(models, conversion_date).get(model)


def used_by(models: Iterable[Model], conversion_date: datetime) -> dict[str, Version]:
	"""The same for many models, by their names, by one statement; models without a version are left out."""
	day = getdate(conversion_date)
	return {name: version for name, some in _versions(models).items() if (version := version_for(some, day))}


def values_of(models: Sequence[Model], moments: Iterable[datetime]) -> Callable[[Model, datetime], Values]:
	"""A function that tells what a model's channels were worth for conversions of one of these moments."""
	versions = _versions(models)
	days = {getdate(moment) for moment in moments}
	chosen = {
		(name, day): version
		for name, some in versions.items()
		for day in days
		if (version := version_for(some, day)) and not version.is_too_little
	}
	names = {version.name for version in chosen.values()}
	rows = bulk.load(TRAINING, {"name": ("in", names)}, ["channel_values"]) if names else {}
	values = {name: from_text(row["channel_values"]) for name, row in rows.items()}
	nothing = Values({})

	def values_for(model: Model, moment: datetime) -> Values:
		version = chosen.get((model.name, getdate(moment)))
		return values[version.name] if version else nothing

	return values_for


def _versions(models: Iterable[Model]) -> dict[str, list[Version]]:
	"""All versions of these models that were learnt on their present terms, by model."""
	terms = {model.name: model.terms for model in models if model.learning}
	if not terms:
		return {}
	table = frappe.qb.DocType(TRAINING)
	rows = (
		frappe.qb.from_(table)
		.select(
			table.name,
			table.attribution_model,
			table.version,
			table.until_date,
			table.is_too_little,
			table.conversions,
			table.minimum_conversions,
		)
		.where(
			Criterion.any(
				(table.attribution_model == name) & (table.terms == one) for name, one in terms.items()
			)
		)
		.orderby(table.attribution_model, table.version)
		.run(as_list=True)
	)
	found: dict[str, list[Version]] = defaultdict(list)
	for name, model, number, until, is_too_little, conversions, minimum in rows:
		found[model].append(Version(name, number, getdate(until), bool(is_too_little), conversions, minimum))
	return found


def _train(model: Model, until: date) -> Trained:
	try:
		row = _learnt(model, until)
	except ValueError as error:
		# Too many states, or paths that were cut off: its words say so, and what to do.
		note_failure(f"TrackFlow: {model.name} could not be trained")
		return Trained(model.name, 0, False, 0, str(error))
	number, is_new = _store(model, row)
	message = ""
	if row["is_too_little"]:
		message = _("Too little data: {0} conversions with a touch, {1} are needed.").format(
			row["conversions"], row["minimum_conversions"]
		)
	return Trained(model.name, number, is_new, row["conversions"], message)


def _learnt(model: Model, until: date) -> Row:
	"""What there is to learn before `until`, as a row without number and name: of the time since when all know who converted."""
	since = until - timedelta(days=model.learning.days)
	if kept_until := aged.kept_until():
		since = min(until, max(since, kept_until.date() + timedelta(days=1)))
	count = _Count()
	some = count.of(paths.read(model, _midnight(since), _midnight(until)))
	values = (
		markov(some, model.learning.order).removal_effects if model.model_type == MARKOV else shapley(some)
	)
	return {
		"attribution_model": model.name,
		"terms": model.terms,
		"from_date": since,
		"until_date": until,
		"markov_order": model.learning.order if model.model_type == MARKOV else 0,
		"minimum_conversions": model.learning.minimum_conversions,
		"is_too_little": int(count.conversions < model.learning.minimum_conversions),
		"path_count": count.paths,
		"conversions": count.conversions,
		"non_conversions": count.paths - count.conversions,
		"conversion_probability": round(100 * count.conversions / count.paths, 6) if count.paths else 0,
		"channel_values": to_text(values),
	}


class _Count:
	"""Counts paths that have a channel while they go by. A chain that follows all of them converts as often as they did."""

	def __init__(self) -> None:
		self.paths = self.conversions = 0

	def of(self, some: Iterable[Path]) -> Iterator[Path]:
		for path in some:
			channels, conversions, others = path
			if channels:
				self.paths += conversions + others
				self.conversions += conversions
			yield path


@retried
def _store(model: Model, row: Row) -> tuple[int, bool]:
	"""Append a version unless the newest of its terms and day says the same; returns its number and whether it is new."""
	frappe.db.commit()
	# One training at a time gives a number.
	bulk.lock("Attribution Model", [model.name])
	table = frappe.qb.DocType(TRAINING)
	newest = (
		frappe.qb.from_(table)
		.select(table.version, *(table[field] for field in row))
		.where(table.attribution_model == model.name)
		.orderby(table.version, order=frappe.qb.desc)
	)
	same = newest.where((table.terms == model.terms) & (table.until_date == row["until_date"])).limit(1)
	for stored in same.run(as_dict=True):
		if bulk.same(row, stored):
			frappe.db.rollback()
			return stored["version"], False
	number = next((stored["version"] for stored in newest.limit(1).run(as_dict=True)), 0) + 1
	former = _versions([model]).get(model.name, [])
	name = key_name("attribution training", model.name, number)
	bulk.insert(TRAINING, [{"name": name, "version": number, **row}])
	new = Version(
		name,
		number,
		row["until_date"],
		bool(row["is_too_little"]),
		row["conversions"],
		row["minimum_conversions"],
	)
	_reopen(concerned_since(former, new))
	frappe.db.commit()
	return number, True


def _reopen(since: date | None) -> None:
	"""Mark the conversions from a day on for new credits, whatever their status, but those that are nobody's: one that is being
	credited right now by the former version is waited for, and is then credited once more."""
	if since is None:
		return
	table = frappe.qb.DocType("Conversion")
	query = frappe.qb.update(table).set(table.attribution_status, PENDING)
	query = query.where(table.attribution_status != KEPT)
	if since > date.min:
		query = query.where(table.conversion_date >= _midnight(since))
	query.run()


def _midnight(day: date) -> datetime:
	return datetime.combine(day, time())
