// Runs the list script of a DocType as the desk does, at a moment, and says as JSON what it asks for and how it marks documents:
// node list_indicators.cjs FILE '{"doctype": …, "now": …, "documents": […]}'
const fs = require("fs");

const [file, given] = process.argv.slice(2);
const { doctype, now, documents } = JSON.parse(given);
const frappe = {
	listview_settings: {},
	datetime: { get_today: () => now.slice(0, 10), now_datetime: () => now },
	provide: (path) => path.split(".").reduce((place, name) => (place[name] ??= {}), globalThis),
};
new Function("frappe", "__", fs.readFileSync(file, "utf8"))(frappe, (text) => text);
const settings = frappe.listview_settings[doctype];
console.log(
	JSON.stringify({
		fields: settings.add_fields || [],
		indicators: settings.get_indicator ? documents.map((one) => settings.get_indicator(one)) : null,
	})
);
