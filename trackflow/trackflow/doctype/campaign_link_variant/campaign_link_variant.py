"""One of several destinations of a Tracked Link, chosen by weight."""

from trackflow.trackflow.doctype.figures import CountedDocument


class CampaignLinkVariant(CountedDocument):
	pass
