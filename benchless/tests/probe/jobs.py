"""Jobs of the probe app; they leave notes as lead sources, which are rolled back and committed as documents are."""

import frappe

attempts: list[str] = []


def note(text: str) -> str:
	frappe.get_doc(
		{"doctype": "CRM Lead Source", "source_name": text, "details": frappe.session.user}
	).insert(ignore_permissions=True)
	return text


def note_and_fail(text: str) -> None:
	note(text)
	raise ValueError("after the note")


def fail_twice() -> None:
	attempts.append("try")
	if len(attempts) < 3:
		raise frappe.RetryBackgroundJobError


def endless() -> None:
	while True:
		pass


def succeeded(job: object, connection: object, result: object) -> None:
	attempts.append(f"succeeded {result}")


def failed(job: object, connection: object, type_: type, value: Exception, traceback: object) -> None:
	attempts.append(f"failed {value}")


def tick() -> None:
	note("ticked")


def daily() -> None:
	note("daily")


def long() -> None:
	note("long")
