"""Credits: computed again, trained, explained, compared."""

from datetime import datetime
from typing import Any

import click
from frappe.commands import pass_context

from trackflow.commands.shell import as_json, day, inert, on_site, print_json, print_table, trackflow


@trackflow.command("attribution")
@click.option("--from", "from_date", type=click.DateTime(["%Y-%m-%d"]), help="First day of conversions.")
@click.option("--to", "to_date", type=click.DateTime(["%Y-%m-%d"]), help="Last day of conversions.")
@click.option("--pending", is_flag=True, help="Only conversions that wait for their credits.")
@click.option(
	"--train", "trains", is_flag=True, help="Train Markov and Shapley, and credit what that concerns."
)
@click.option("--explain", "explained", metavar="NAME", help="Say why: a conversion, a lead or a deal.")
@click.option(
	"--model", default="", help="With --explain: one by name, or all; the default one if none is given."
)
@click.option(
	"--limit",
	type=click.IntRange(min=1),
	help="With --explain: tell so many touches of a long journey one by one, 100 if none is given.",
)
@click.option(
	"--compare",
	"group_by",
	help="Only show what the models credit, by channel, campaign, link, source, medium, platform or position.",
)
@click.option(
	"--figure",
	type=click.Choice(["conversions", "value", "cpa", "roas"]),
	help="With --compare: what is shown, conversions if none is given; money in the reporting currency.",
)
@click.option(
	"--by-position", is_flag=True, help="With --compare: tell apart where in the journey touches were."
)
@as_json
@pass_context
def attribution(
	context: Any,
	from_date: datetime | None,
	to_date: datetime | None,
	pending: bool,
	trains: bool,
	explained: str | None,
	model: str,
	limit: int | None,
	group_by: str | None,
	figure: str | None,
	by_position: bool,
	json_output: bool,
) -> None:
	"""Compute the credits of conversions again, of all or of a range of days. Unchanged data changes no row. With --explain or
	--compare nothing is computed: the one says why the credits of a conversion are what they are, the other what the models
	credit in a range of days, the last 30 by default."""
	from trackflow.attribution import comparing, run
	from trackflow.day_range import day_range

	_refuse_several(
		**{
			"--pending": pending,
			"--train": trains,
			"--explain": explained is not None,
			"--compare": group_by is not None,
		}
	)
	first, last = day(from_date), day(to_date)
	if explained == "":
		raise click.UsageError("--explain wants a name.")
	if (first or last) and (pending or trains or explained):
		raise click.UsageError("--from and --to do not go with --pending, --train and --explain.")
	if first and last and last < first:
		raise click.UsageError("The range ends before it begins.")
	if (model or limit) and not explained:
		raise click.UsageError("--model and --limit go with --explain.")
	if (by_position or figure) and group_by is None:
		raise click.UsageError("--figure and --by-position go with --compare.")
	if by_position and figure in ("cpa", "roas"):
		raise click.UsageError("What was spent is not known by position.")
	if explained:
		_print_explanation(on_site(context, lambda: _explain(explained, model, limit)), json_output)
		return
	if group_by is not None:
		days = (str(one or "") for one in (first, last))
		size = comparing.VALUE if figure in ("value", "roas") else comparing.CONVERSIONS
		answer = on_site(
			context,
			lambda: comparing.comparison_answer(
				*day_range(*days), group_by, figure=size, by_position=by_position
			),
		)
		_print_comparison(answer, figure or "conversions", json_output)
		return
	if trains:
		_print_trained(on_site(context, run.learn), json_output)
		return
	if pending:
		seen, written = on_site(context, run.credit_pending), None
	else:
		seen, written = on_site(context, lambda: run.rebuild(first, last))
	if json_output:
		print_json({"conversions": seen, "rows_written": written})
	else:
		click.echo(
			f"{seen} conversions credited" + ("." if written is None else f", {written} rows written.")
		)


def _refuse_several(**options: bool) -> None:
	"""Stop where more than one of these is asked for: each says what is to be done."""
	asked = [name for name, is_asked in options.items() if is_asked]
	if len(asked) > 1:
		raise click.UsageError(f"{' and '.join(asked)} do not go together.")


def _explain(name: str, model: str, limit: int | None) -> dict[str, Any]:
	from trackflow.attribution.explanation import SHOWN
	from trackflow.integrations import explained

	return explained.of_any(name, model, limit or SHOWN)


def _print_explanation(told: dict[str, Any], json_output: bool) -> None:
	from trackflow.attribution.explanation_words import lines

	if json_output:
		print_json(told)
		return
	for line in (*told["words"], *lines(told["models"])):
		click.echo(inert(line))


def _print_comparison(answer: dict[str, Any], figure: str, json_output: bool) -> None:
	if json_output:
		print_json(answer)
		return
	models, costs = [model["name"] for model in answer["models"]], answer["costs"]
	lines = [(one["label"] or "None", one["spend"], one["figures"]) for one in answer["groups"]]
	rest = (
		("Others", costs["others"], "others"),
		("Unattributed", None, "unattributed"),
		("Total", costs["total"], "totals"),
	)
	lines += [(label, spend, answer[key]) for label, spend, key in rest if answer[key]]
	has_spend = figure in ("cpa", "roas")
	print_table(
		[
			answer["group_by"].title(),
			*(["Position"] if answer["by_position"] else []),
			*(["Spend"] if has_spend else []),
			*models,
		],
		[
			[
				label,
				*([place] if answer["by_position"] else []),
				*([_amount(spend)] if has_spend else []),
				*(_amount(one["converted_value" if figure == "value" else figure]) for one in row),
			]
			for label, spend, figures in lines
			for place, row in _by_position([figures[name] for name in models])
		],
	)
	if figure != "conversions":
		for notice in (f"Money is in {costs['currency']}.", *costs["notices"]):
			click.echo(notice)


def _amount(number: float | None) -> str:
	return "" if number is None else f"{number:.2f}"


def _by_position(figures: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
	"""A line of figures as one for each position that has any, and the line itself last."""
	found = []
	for place in figures[0].get("positions", ()) if figures else ():
		some = [one["positions"][place] for one in figures]
		if any(one["conversions"] or one["value"] for one in some):
			found.append((place, some))
	return [*found, ("", figures)] if len(found) != 1 else [(found[0][0], figures)]


def _print_trained(trained: list[Any], json_output: bool) -> None:
	if json_output:
		print_json([one.as_dict() for one in trained])
		return
	for one in trained:
		kept = "new" if one.is_new else "as it was"
		version = (
			f"version {one.version} ({kept}), {one.conversions:,} conversions"
			if one.version
			else "not trained"
		)
		click.echo(f"{one.model}: {version}. {one.message}".rstrip())
