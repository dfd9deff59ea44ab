frappe.listview_settings["CRM Sync Log"] = {
	hide_name_column: true,
	add_fields: ["status"],

	onload(list) {
		const may_retry = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (!may_retry) return;
		list.page.add_actions_menu_item(__("Retry"), async () => {
			const names = list.get_checked_items(true);
			const number = await trackflow.desk.call("trackflow.doctype.crm_sync_log.crm_sync_log.retry", { names });
			if (number === null) return;
			frappe.show_alert({
				message: number
					? __("Due now: {0}. Refresh the list in a minute.", [number])
					: __("None of these can be begun anew: a worker is at them."),
				indicator: number ? "blue" : "orange",
			});
			list.clear_checked_items();
			list.refresh();
		});
	},
};
