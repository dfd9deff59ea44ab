frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["TrackFlow Visits by Channel"] = {
	method: "trackflow.api.desk.visits_by_channel",
	filters: [],
};
