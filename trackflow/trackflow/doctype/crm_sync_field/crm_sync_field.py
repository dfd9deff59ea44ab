"""A field of ours and the field of the CRM that it is written to. Checked by the settings that hold it."""

from trackflow.records import TableRow


class CRMSyncField(TableRow):
	pass
