"""An address in a mailing's template, and the link that stands for it."""

from trackflow.records import TableRow


class CampaignMailingLink(TableRow):
	pass
