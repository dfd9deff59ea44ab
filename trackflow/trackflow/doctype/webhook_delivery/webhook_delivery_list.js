frappe.listview_settings["Webhook Delivery"] = {
	hide_name_column: true,

	onload(list) {
		const may_send = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (!may_send) return;
		list.page.add_actions_menu_item(__("Deliver Again"), async () => {
			const names = list.get_checked_items(true);
			const { message } = await frappe.call({
				method: "trackflow.api.webhooks.redeliver",
				type: "POST",
				args: { names },
				freeze: true,
			});
			frappe.show_alert({ message: __("{0} deliveries are sent again.", [message.queued]), indicator: "blue" });
			list.clear_checked_items();
			list.refresh();
		});
	},
};
