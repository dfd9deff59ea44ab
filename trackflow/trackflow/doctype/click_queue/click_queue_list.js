frappe.listview_settings["Click Queue"] = {
	hide_name_column: true,

	onload(list) {
		const may_retry = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (!may_retry) return;
		list.page.add_actions_menu_item(__("Retry"), async () => {
			const names = list.get_checked_items(true);
			const { message: number } = await frappe.call({
				method: "trackflow.trackflow.doctype.click_queue.click_queue.retry",
				args: { names },
				freeze: true,
			});
			frappe.show_alert({
				message: number
					? __("{0} records are being tried again. Refresh the list in a minute.", [number])
					: __("None of these can be tried again: they are stored already, or could not be read."),
				indicator: number ? "blue" : "orange",
			});
			list.clear_checked_items();
			list.refresh();
		});
		list.page.add_menu_item(__("What to do with these?"), () => {
			frappe.msgprint({
				title: __("Clicks and events that could not be stored"),
				message: __(
					"Open one and read its error message. Pending ones are tried again by themselves. If one has failed, mend the cause, select it and choose Actions > Retry. Delete what is of no use."
				),
			});
		});
	},
};
