frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["TrackFlow Conversions by Channel"] = {
	method: "trackflow.api.desk.conversions_by_channel",
	filters: [],
};
