"""Installs the attribution models, once each: a model that somebody deleted does not come back."""

import frappe

from trackflow.constants.models import DEFAULT_MODEL, MODELS
from trackflow.setup.memory import recall, remember

DOCTYPE = "Attribution Model"
INSTALLED = "trackflow_models_installed"


def ensure_models() -> None:
	"""Insert the models that were never installed here, and see that there is a default."""
	installed = recall(INSTALLED)
	for model in MODELS:
		name = model["model_name"]
		if name not in installed and not frappe.db.exists(DOCTYPE, name):
			frappe.get_doc({"doctype": DOCTYPE, "is_default": name == DEFAULT_MODEL, **model}).insert(
				ignore_permissions=True
			)
	remember(INSTALLED, installed | {model["model_name"] for model in MODELS})
