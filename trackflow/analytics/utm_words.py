"""What `utm` found, in words: why it matters, and what to do. Says nothing that is not in a finding."""

from frappe import _

from trackflow.analytics import utm
from trackflow.analytics.utm import Finding
from trackflow.tracking.channels import CLICK_IDS


def reason(one: Finding) -> str:
	"""Why a finding is one."""
	tag = f"utm_{one.tag}"
	words = {
		utm.PERSONAL: _("{0} holds an e-mail address: it stands in histories, logs and every tool that reads addresses."),
		utm.PLACEHOLDER: _("{0} holds a placeholder that nobody filled in."),
		utm.ENCODING: _("{0} holds remains of an encoding: the address was encoded twice, or by the wrong rules."),
		utm.SPACES: _("{0} holds spaces, which tools write in different ways."),
		utm.CASE: _("{0} is written in other letters than elsewhere; most tools take these for two."),
		utm.SPELLINGS: _("{0} is written in several ways that differ in what stands between the words."),
		utm.MISSPELT: _("{0} is a letter or two away from a value that is known."),
		utm.NO_SOURCE: _("There are tags, but no {0}: where these visits came from is not told."),
		utm.NO_MEDIUM: _("There are tags, but no {0}: the channel rests on the source alone."),
		utm.UNKNOWN_MEDIUM: _("No rule of the channels knows this {0}: these visits are Unassigned."),
		utm.UNKNOWN_CAMPAIGN: _("No campaign has this {0} as its ID or as its ID with a platform."),
	}  # fmt: skip
	if one.kind == utm.SWAPPED:
		is_medium = one.because["is_a"] == utm.MEDIUM
		other = _("a medium") if is_medium else _("a source")
		return _("{0} holds what is {1}.").format(tag, other)
	if one.kind == utm.UNTAGGED_AD:
		return _untagged(one.because["click_id"])
	if one.kind == utm.CONTRADICTION:
		return _("{0} contradicts the click id {1}, which {2} adds to advertisements.").format(
			tag, one.because["click_id"], one.because["platform"]
		)
	return words[one.kind].format(tag)


def suggestion(one: Finding) -> str:
	"""What to do."""
	if one.suggestion:
		return _("Write {0}.").format(one.suggestion)
	return {
		utm.PERSONAL: _("Leave it out. Journeys tell who a visitor is without it."),
		utm.PLACEHOLDER: _("Let the tool that sends the address fill it in, or write the value."),
		utm.ENCODING: _("Encode the address once. Make links here, which do it."),
		utm.SWAPPED: _("utm_source says which site or list, utm_medium what kind of marketing. Look whether the two were swapped."),
		utm.NO_SOURCE: _("Add utm_source: the site, the list or the partner."),
		utm.NO_MEDIUM: _("Add utm_medium, such as email, social or cpc."),
		utm.UNKNOWN_MEDIUM: _("Use a medium that the channels know, such as email, social, cpc, display, affiliate or referral."),
		utm.UNKNOWN_CAMPAIGN: _("Make a campaign with this ID, or enter the platform's ID in the campaign that it is."),
		utm.UNTAGGED_AD: _("Add utm_source, utm_medium and utm_campaign to the advert's address."),
		utm.CONTRADICTION: _("Give each advert the tags of its own platform. The click id is believed."),
	}[one.kind]  # fmt: skip


def _untagged(click_id: str) -> str:
	if click_id == "fbclid":
		return _(
			"Visits with {0} and without tags: an advert that lacks them, or a post that somebody shared."
		).format(click_id)
	return _(
		"Visits by adverts of {0} ({1}) without tags: platform and payment are known, the campaign is not."
	).format(CLICK_IDS[click_id], click_id)
