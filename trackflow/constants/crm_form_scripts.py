"""The CRM Form Scripts that TrackFlow installs: an action on leads and deals. Plain data.

They hold no more than the call of a function that `trackflow-crm.js` brings, so that they need not change when it does: whoever
administers CRM may change them, and no update overwrites that.
"""

from dataclasses import dataclass

_SCRIPT = """// An action that shows by which ways this person came. TrackFlow put this here once; it may be changed or disabled.
class {controller} {{
	onLoad() {{
		const action = {{
			label: __("TrackFlow journey"),
			onClick: () =>
				window.trackflowCrm
					? window.trackflowCrm.showJourney({{ {person}: this.doc.name }}, createDialog)
					: createDialog({{ title: "TrackFlow", message: __("Please load the page anew.") }}),
		}};
		this.actions = [...(this.actions || []), action];
	}}
}}
"""


@dataclass(frozen=True, slots=True)
class FormScript:
	name: str
	doctype: str
	text: str


FORM_SCRIPTS = (
	FormScript("TrackFlow journey of leads", "CRM Lead", _SCRIPT.format(controller="CRMLead", person="lead")),
	FormScript("TrackFlow journey of deals", "CRM Deal", _SCRIPT.format(controller="CRMDeal", person="deal")),
)
