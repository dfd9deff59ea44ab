"""Outbound sync: what a form's sender did is written to the person's record in an outside CRM that has one already (SYN-1).

Pure: `circuit`, `fields`, `leaving`, `mapping`, `matching`, `schedule`. `intake` notes forms where events are stored, `run` works
them off; `provider` is what a CRM has to offer, `pipedrive` the first of them.
"""
