"""An event that is delivered to an address of the key's owner (WHK-1). How deliveries fare is written past the document."""

from trackflow.records import TableRow
from trackflow.trackflow.doctype.figures import CountedDocument


class APIKeyWebhookEvent(TableRow, CountedDocument):
	pass
