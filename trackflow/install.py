"""What happens when TrackFlow, or Frappe CRM beside it, is installed, and after every migrate. All of it idempotent."""

from frappe.utils.password import get_encryption_key

from trackflow.setup.crm import ensure_crm
from trackflow.setup.indexes import ensure_indexes
from trackflow.setup.models import ensure_models
from trackflow.setup.roles import ensure_roles
from trackflow.setup.settings import ensure_settings


def after_install() -> None:
	"""Everything that the DocTypes do not bring by themselves."""
	# Click ids are signed with a key that follows from it: made now, before two workers could each make their own.
	get_encryption_key()
	ensure_roles()
	ensure_indexes()
	ensure_models()
	ensure_settings()
	ensure_crm()


def after_app_install(app_name: str) -> None:
	"""Frappe CRM came later than TrackFlow: it gets its fields and sections now."""
	if app_name == "crm":
		ensure_crm()


def after_migrate() -> None:
	"""Repair what is missing; nobody's change is undone."""
	after_install()
