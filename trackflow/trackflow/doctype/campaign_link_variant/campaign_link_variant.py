"""One of several destinations of a Tracked Link, chosen by weight."""

from trackflow.records import TableRow
from trackflow.trackflow.doctype.figures import CountedDocument


class CampaignLinkVariant(TableRow, CountedDocument):
	pass
