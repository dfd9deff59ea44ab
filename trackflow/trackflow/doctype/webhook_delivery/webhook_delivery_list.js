frappe.listview_settings["Webhook Delivery"] = {
	add_fields: ["event_type"],
	hide_name_column: true,

	onload(list) {
		const may_send = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (!may_send) return;
		list.page.add_actions_menu_item(__("Deliver Again"), async () => {
			// A ping is tried on the form of its key.
			const chosen = list.get_checked_items().filter(({ event_type }) => event_type !== "ping");
			if (!chosen.length) return frappe.show_alert(__("Pings are not sent again: test the webhook on the form of its key."));
			const answer = await trackflow.desk.call("api.webhooks.redeliver", { names: chosen.map(({ name }) => name) });
			if (!answer) return;
			frappe.show_alert({ message: __("Sent again: {0}.", [answer.queued]), indicator: "blue" });
			list.clear_checked_items();
			list.refresh();
		});
	},
};
