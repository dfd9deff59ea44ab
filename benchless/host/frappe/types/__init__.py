"""Types that apps annotate with: `DF` (field types of controllers) and `_dict`."""

from frappe.types import DF
from frappe.types.frappedict import _dict

__all__ = ["DF", "_dict"]
