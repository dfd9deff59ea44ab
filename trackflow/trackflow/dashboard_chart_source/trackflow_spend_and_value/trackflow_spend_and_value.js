frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["TrackFlow Spend and Value"] = {
	method: "trackflow.api.desk.spend_and_value",
	filters: [],
};
