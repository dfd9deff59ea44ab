frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["TrackFlow Clicks and Visitors"] = {
	method: "trackflow.api.desk.clicks_and_visitors",
	filters: [],
};
