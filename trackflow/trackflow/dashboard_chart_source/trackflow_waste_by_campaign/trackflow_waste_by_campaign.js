frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["TrackFlow Waste by Campaign"] = {
	method: "trackflow.api.desk.waste_by_campaign",
	filters: [],
};
