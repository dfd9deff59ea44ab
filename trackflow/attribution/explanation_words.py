"""What `explanation` found, in sentences with numbers that a pocket calculator can follow. Says nothing that is not there."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from frappe import _

from trackflow.attribution import explanation, standing
from trackflow.tracking import channels, sources
from trackflow.tracking.conversions import DONE, KEPT

Row = dict[str, Any]

_SAID_FIRST = {standing.POSITION: 0, standing.AGE: 1}


def of_conversion(conversion: explanation.Converted) -> list[str]:
	said = [
		_("Conversion {0} ({1}) of {2}: {3}.").format(
			conversion.name,
			_(conversion.conversion_type),
			_moment(conversion.at),
			_money(conversion.value.quantize(conversion.unit), conversion.currency),
		)
	]
	if conversion.status == KEPT:
		said.append(
			_(
				"It is nobody's any more by its age (Retention). Its credits stay as they are; what they were computed from is not "
				"known any more."
			)
		)
	elif conversion.status != DONE:
		said.append(_("Its stored credits wait to be computed; this is what they will be as things stand."))
	return said


def of_model(found: Row, currency: str) -> Row:
	"""The explanation with sentences: `words` of the model as a whole, of each of its credits, and of the rest."""
	rest = found["rest"]
	return {
		**found,
		"rest": {**rest, "words": _of_rest(found, currency)} if rest else None,
		"words": [*_of_window(found["window"], found["left_out"]), *_of_rule(found)],
		"credits": [{**credit, "words": _of_credit(found, credit, currency)} for credit in found["credits"]],
	}


def _of_window(window: Row, left_out: Row) -> list[str]:
	said = [
		_("Touches count in the {0} days up to the conversion, from {1} to {2}.").format(
			window["days"], _moment(window["from"]), _moment(window["to"])
		)
	]
	for side, text in (
		("before", _("Left out, as they were before that: {0}. The nearest: {1}.")),
		("after", _("Left out, as they were after the conversion: {0}. The nearest: {1}.")),
	):
		if left_out[side]["count"]:
			nearest = ", ".join(map(_nearest, left_out[side]["nearest"]))
			said.append(text.format(left_out[side]["count"], nearest))
	return said


def _nearest(touch: Row) -> str:
	days = touch["days_before"]
	text = _("{0} {1} before") if days >= 0 else _("{0} {1} after")
	return text.format(touch["channel"], _age(abs(days)))


def _of_rule(found: Row) -> list[str]:
	rule = found["rule"]
	if len(rule) == 1:
		return []
	said = [_("Base model: {0}.").format(_(rule["name"]))] if found["model_type"] == "Custom" else []
	said.append(_RULES[rule["name"]](rule))
	terms = found["credits"][0]["terms"]
	if rule["name"] == "Time Decay":
		said[-1] += " " + _("Together they count {0}.").format(_number(terms["total"]))
	if not rule["counts_direct"]:
		said.append(_("Direct touches get nothing here, as there are others."))
	if rule.get("weights_count") is False:
		said.append(_("The weights of channels and rules would leave nothing at all, so they have no say."))
	elif rule.get("weights_count") and terms["weighed_total"] != 1:
		weighed = _(
			"Channels and rules weigh the shares, which then are {0} together and are brought back to 1."
		)
		said.append(weighed.format(_number(terms["weighed_total"])))
	return said


def _say_time_decay(rule: Row) -> str:
	return _("Each touch counts 2^(−age in days ÷ {0}): one that is {0} days older counts half.").format(
		rule["half_life_days"]
	)


def _say_position(rule: Row) -> str:
	return _("{0} % for the first touch, {1} % for the last, the rest equally for those between.").format(
		_number(rule["first_weight"]), _number(rule["last_weight"])
	)


def _say_w_shape(rule: Row) -> str:
	said = [
		_(
			"30 % for the first touch, 30 % for the last one until the lead was created, 30 % for the last one until the deal was "
			"created, 10 % equally for the others; what has no touch is left out, and the rest brought to 100 %."
		)
	]
	for name, at in (("lead", rule["lead_created_at"]), ("deal", rule["deal_created_at"])):
		label = _("The lead") if name == "lead" else _("The deal")
		if at is None:
			said.append(_("{0}: none is known.").format(label))
		elif name in rule["missing"]:
			said.append(_("{0} was created on {1}, before all touches.").format(label, _moment(at)))
		else:
			said.append(_("{0} was created on {1}.").format(label, _moment(at)))
	return " ".join(said)


def _say_values(rule: Row) -> str:
	version = rule["version"]
	if rule["why_equal"] == explanation.NOT_TRAINED:
		return _("This model has not learnt anything yet, so all touches share equally, as under Linear.")
	learnt = _("Version {0}, learnt from {1} conversions from {2} until {3} (that day not included).").format(
		version["number"], version["conversions"], version["from"], version["until"]
	)
	if rule["why_equal"] == explanation.TOO_LITTLE:
		why = _("That is too little ({0} are needed), so all touches share equally, as under Linear.")
		return f"{learnt} {why.format(version['minimum_conversions'])}"
	if rule["why_equal"]:
		return learnt + " " + _("No channel of this path has a value, so all touches share equally.")
	label = _("removal effect") if rule["name"] == "Markov" else _("Shapley value")
	values = ", ".join(f"{channel} {_number(value)}" for channel, value in sorted(rule["values"].items()))
	total = _number(sum(rule["values"].values()))
	return f"{learnt} " + _("The channels of this path, by {0}: {1}; together {2}.").format(
		label, values, total
	)


_RULES = {
	"First Touch": lambda _rule: _("The first touch takes all."),
	"Last Touch": lambda _rule: _("The last touch takes all."),
	"Last Non-Direct": lambda _rule: _("The last touch that is not direct takes all."),
	"Linear": lambda _rule: _("All touches share equally."),
	"Time Decay": _say_time_decay,
	"Position Based": _say_position,
	"W-Shaped": _say_w_shape,
	"Markov": _say_values,
	"Shapley": _say_values,
}


def _of_credit(found: Row, credit: Row, currency: str) -> list[str]:
	if not credit["touch_point"]:
		return [_say_unattributed(credit, found), *_of_money(credit, currency)]
	age = credit["age_days"]
	heading = _("Touch {0} of {1}, {2}, {3}: {4}, {5}").format(
		credit["position"],
		credit["touch_count"],
		_moment(credit["occurred_at"]),
		_("{0} before the conversion").format(_age(age)) if age else _("the moment of the conversion"),
		credit["channel"],
		_percent(credit["share"]),
	)
	heading += f" = {_money(credit['value'], currency)}." if credit["exact_value"] else "."
	return [
		heading,
		*_of_channel(credit),
		_arithmetic(found["rule"], credit),
		*_of_weight(credit),
		*_of_money(credit, currency),
	]


def _of_rest(found: Row, currency: str) -> list[str]:
	rest = found["rest"]
	said = [
		_("Told are the {0} touches that get most, of equal ones the nearest to the conversion.").format(
			f"{len(found['credits']):,}"
		)
	]
	if not rest["with_credit"]:
		return [*said, _("The other touches, {0:,} of them, get nothing.").format(rest["touches"])]
	together = _percent(rest["share"])
	if rest["value"]:
		together += f" = {_money(rest['value'], currency)}"
	said.append(
		_("The other touches, {0:,} of them, get {1} together; {2:,} of these get nothing.").format(
			rest["touches"], together, rest["touches"] - rest["with_credit"]
		)
		if rest["with_credit"] < rest["touches"]
		else _("The other touches, {0:,} of them, get {1} together.").format(rest["touches"], together)
	)
	return said


def _say_unattributed(credit: Row, found: Row) -> str:
	if credit["why"] == explanation.NO_VISITOR:
		return _(
			"Unattributed: nobody's browser is known for it. No visitor id, click id or e-mail address led to a visitor."
		)
	if credit["why"] == explanation.NO_TOUCH:
		return _("Unattributed: the visitor is known (browsers: {0}), but no visit of theirs is.").format(
			credit["visitors"]
		)
	before, after = (found["left_out"][side]["nearest"] for side in ("before", "after"))
	said = [
		_(
			"Unattributed: the visitor is known, but no touch lies in the {0} days up to the conversion."
		).format(found["window"]["days"])
	]
	if before:
		said.append(
			_("The last touch before that was {0} before the conversion ({1}).").format(
				_age(before[0]["days_before"]), before[0]["channel"]
			)
		)
	if after:
		said.append(
			_("The first touch after it was {0} later ({1}).").format(
				_age(-after[0]["days_before"]), after[0]["channel"]
			)
		)
	return " ".join(said)


def _of_channel(credit: Row) -> list[str]:
	found, rule = credit["channel_reason"], credit["channel_rule"]
	origin = ""
	if found["click_id"]:
		origin = _("the click id {0} of {1} makes it source “{2}”, medium “{3}”; ").format(
			found["click_id"], found["platform"], found["source"], found["medium"]
		)
	elif found["referrer"]:
		origin = _("a page of {0} led here, which makes it source “{1}”, medium “{2}”; ").format(
			found["referrer"], found["source"], found["medium"]
		)
	said = [f"{found['channel']}: {origin}{_because(found)}"]
	if credit["link_campaign"]:
		said.append(
			_("Tracked link {0}, campaign {1}.").format(credit["tracked_link"], credit["link_campaign"])
		)
	elif credit["tracked_link"]:
		said.append(_("Tracked link {0}.").format(credit["tracked_link"]))
	if rule:
		said.append(_of_channel_rule(rule, credit["channel"]))
	return said


def _of_channel_rule(rule: Row, channel: str) -> str:
	ordered = sorted(rule["conditions"].items(), key=lambda one: _SAID_FIRST.get(one[0], len(_SAID_FIRST)))
	conditions = "; ".join(_condition(*one) for one in ordered) or _("every touch")
	said = _("Channel rule {0} of this model decides ({1})").format(rule["number"], conditions)
	if rule["channel"]:
		said += ": " + _("it calls this touch {0}").format(channel)
	if rule["weight"] != 1:
		return said + (", " if rule["channel"] else ": ") + _("counts {0}.").format(_number(rule["weight"]))
	return said + ("." if rule["channel"] else ": " + _("counts 1."))


def _condition(name: str, texts: Sequence[str]) -> str:
	if name == standing.POSITION:
		return _(" or ").join(_position(standing.positions(one)) for one in texts)
	if name == standing.AGE:
		return _(" or ").join(_aged(one) for one in texts)
	return f"{name} {', '.join(texts)}"


def _position(found: standing.Positions) -> str:
	first, last = found
	named = {
		"first": _("first touch"),
		"last": _("last touch"),
		"middle": _("neither first nor last touch"),
		"only": _("only touch"),
	}
	for name, text in named.items():
		if found == standing.positions(name):
			return text
	if first == last:
		return _("touch {0}").format(_place(first))
	if first == 1 and last > 0:
		return _("first {0} touches").format(last)
	if last == -1 and first < 0:
		return _("last {0} touches").format(-first)
	if last == -1:
		return _("touch {0} and later").format(first)
	return _("touches {0} to {1}").format(_place(first), _place(last))


def _place(number: int) -> str:
	return str(number) if number > 0 else _("{0} from the end").format(-number)


def _aged(text: str) -> str:
	operator, low, high = standing.parts_of_age(text)
	said = {
		"<": _("younger than {0} days"),
		"<=": _("at most {0} days old"),
		">": _("older than {0} days"),
		">=": _("at least {0} days old"),
		"..": _("{0} to {1} days old"),
	}[operator]
	return said.format(low, high)


def _because(found: Row) -> str:
	source, medium, campaign = found["source"], found["medium"], found["campaign"]
	kind = {
		sources.SEARCH: _("a search engine"),
		sources.SOCIAL: _("a social network"),
		sources.VIDEO: _("a video site"),
		sources.SHOPPING: _("a shopping site"),
		sources.ASSISTANT: _("an AI assistant"),
	}.get(found["category"])
	known = (
		_("source “{0}” is {1}").format(source, kind) if kind else _("source “{0}” says so").format(source)
	)
	paid = _("medium “{0}” says that somebody paid").format(medium)
	return {
		channels.NOTHING: _(
			"no campaign parameters, no link of yours, no click id, and no page of another site led here."
		),
		channels.CAMPAIGN: _("campaign “{0}” says so.").format(campaign),
		channels.SOURCE: f"{known}.",
		channels.MEDIUM: _("medium “{0}” says so.").format(medium),
		channels.PAID_SOURCE: f"{known}, {paid}.",
		channels.PAID_CAMPAIGN: _("campaign “{0}” says shopping, {1}.").format(campaign, paid),
		channels.PAID: _("{0}, and nothing more is known of source “{1}”.").format(paid, source),
		channels.NO_RULE: _("no rule fits source “{0}” and medium “{1}”.").format(source, medium),
		explanation.LINK: _("a link or an advertisement led here, but it says neither source nor medium."),
		explanation.NOT_KEPT: _("so it was when the visit was stored; what it was read from is not kept."),
	}[found["by"]]


def _arithmetic(rule: Row, credit: Row) -> str:
	terms = credit["terms"]
	part, total = terms["part"], terms["total"]
	base, quotient = part / total, f"{_number(part)} ÷ {_number(total)} = {_percent(part / total)}"
	said = {
		"direct": lambda: _("Direct: 0 %"),
		"all": lambda: _("This one takes all: 100 %"),
		"none": lambda: _("Another touch takes all: 0 %"),
		"equal": lambda: f"1 ÷ {_number(total)} = {_percent(base)}",
		"age": lambda: (
			f"2^(−{_number(credit['age_days'])} ÷ {rule['half_life_days']}) = {_number(part)}; {quotient}"
		),
		"only": lambda: _("The only touch takes all: 100 %"),
		"first": lambda: _by_position(_("{0} % for the first touch").format(_number(part)), total, quotient),
		"last": lambda: _by_position(_("{0} % for the last touch").format(_number(part)), total, quotient),
		"between": lambda: _by_position(_between(rule, part), total, quotient),
		"milestone": lambda: _by_position(_milestones(terms), total, quotient),
		"value": lambda: _by_value(rule, credit),
	}[terms["role"]]()
	return f"{said}{_weighed(rule, terms, base)}."


def _by_position(said: str, total: Fraction, quotient: str) -> str:
	return said if total == 100 else f"{said}; {quotient}"


def _between(rule: Row, part: Fraction) -> str:
	whole = _number(part * rule["between"])
	return _("{0} % equally for those between: {0} ÷ {1} = {2} %").format(
		whole, rule["between"], _number(part)
	)


def _milestones(terms: Row) -> str:
	labels = {
		"first": _("the first touch"),
		"lead": _("the last touch until the lead was created"),
		"deal": _("the last touch until the deal was created"),
	}
	return " + ".join(_("30 % for {0}").format(labels[name]) for name in terms["milestones"])


def _by_value(rule: Row, credit: Row) -> str:
	terms = credit["terms"]
	label = _("removal effect") if rule["name"] == "Markov" else _("Shapley value")
	said = _("{0} of {1}: {2} of {3} on this path").format(
		label[:1].upper() + label[1:],
		credit["channel"],
		_number(terms["channel_value"]),
		_number(terms["total"]),
	)
	sum_up = f"{_number(terms['channel_value'])} ÷ {_number(terms['total'])}"
	if terms["touches_of_channel"] > 1:
		said += _(", over {0} touches").format(terms["touches_of_channel"])
		sum_up += f" ÷ {terms['touches_of_channel']}"
	return f"{said}: {sum_up} = {_percent(terms['part'] / terms['total'])}"


def _weighed(rule: Row, terms: Row, base: Fraction) -> str:
	if not rule.get("weights_count"):
		return ""
	factors = [one for one in (terms["channel_weight"], terms["rule_weight"]) if one != 1]
	if not factors and terms["weighed_total"] == 1:
		return ""
	weighed = base * terms["channel_weight"] * terms["rule_weight"]
	product = " × ".join(map(_number, (base, *factors)))
	shown = f"{product} = {_number(weighed)}" if factors else product
	return "; " + _("weighed {0}, and {1} ÷ {2} = {3}").format(
		shown, _number(weighed), _number(terms["weighed_total"]), _percent(weighed / terms["weighed_total"])
	)


def _of_weight(credit: Row) -> list[str]:
	"""The stored weight, where it is not the share itself."""
	if Fraction(credit["weight"]) == credit["share"]:
		return []
	if not credit["weight_has_leftover"]:
		return [_("Stored as {0}.").format(credit["weight"])]
	return [
		_("Stored as {0}: its ninth place is one more, so that all weights sum to 1.").format(
			credit["weight"]
		)
	]


def _of_money(credit: Row, currency: str) -> list[str]:
	"""Where a part is no whole number of cents: what became of the rest."""
	exact, unit = abs(credit["exact_value"]), Fraction(credit["unit"])
	if not exact % unit:
		return []
	said = _("Exactly {0}, which is {1} in whole units of {2}").format(
		_money(_cut(exact, credit["unit"] / 10_000), "… " + currency),
		_money(_cut(exact, credit["unit"]), currency),
		_money(credit["unit"], currency),
	)
	if credit["has_leftover_unit"]:
		said += "; " + _("{0} that was left over went here: its remainder is one of the largest").format(
			_money(credit["unit"], currency)
		)
	return [f"{said}."]


def _cut(exact: Fraction, unit: Decimal) -> Decimal:
	return exact // Fraction(unit) * unit


def _moment(at: datetime) -> str:
	return f"{at:%Y-%m-%d %H:%M}"


def _age(days: Fraction) -> str:
	if days == 1:
		return _("1 day")
	if days > 1:
		return _("{0} days").format(_number(days))
	return _("{0} hours").format(_number(days * 24))


def _money(value: Decimal, currency: str) -> str:
	return f"{value:,f} {currency}".replace(" …", "…").rstrip()


def _percent(share: Fraction) -> str:
	percent = float(share * 100)
	return f"{percent:.1f} %" if percent >= 0.1 or not percent else f"{percent:.2g} %"


def _number(number: Fraction | int) -> str:
	if number == int(number):
		return f"{int(number):,}"
	return f"{float(number):,.2f}" if abs(number) >= 10_000 else f"{float(number):.6g}"


def lines(told: Sequence[Row]) -> list[str]:
	"""Sentences of models as a page of text."""
	page: list[str] = []
	for model in told:
		page += ["", model["model"], *(f"  {one}" for one in model["words"])]
		for credit in model["credits"]:
			first, *rest = credit["words"]
			page += ["", f"  {first}", *(f"    {one}" for one in rest)]
		if model["rest"]:
			page += ["", *(f"  {one}" for one in model["rest"]["words"])]
	return page
