frappe.ui.form.on("Conversion", {
	refresh(frm) {
		if (frappe.model.can_read("Visitor")) {
			frm.add_custom_button(__("Explain Credits"), () => explain(frm)).addClass("btn-primary");
		}
		if (frm.doc.visitor) {
			frm.add_custom_button(__("Journey"), () =>
				frappe.set_route("query-report", "Visitor Journey", { visitor: frm.doc.visitor })
			);
		}
	},
});

// Why each touch has its credit, under the default model first.
async function explain(frm) {
	const models = await frappe.db.get_list("Attribution Model", {
		filters: { is_active: 1 },
		fields: ["name", "is_default"],
		order_by: "name",
		limit: 0,
	});
	const dialog = new frappe.ui.Dialog({
		title: __("Why These Credits"),
		size: "large",
		fields: [
			{
				fieldname: "model",
				fieldtype: "Select",
				label: __("Attribution Model"),
				options: models.map((model) => model.name),
				default: models.find((model) => model.is_default)?.name,
				onchange: show,
			},
			{ fieldname: "found", fieldtype: "HTML" },
		],
	});
	dialog.show();
	show();

	async function show() {
		const model = dialog.get_value("model");
		const area = dialog.get_field("found").$wrapper.empty();
		const { message } = await frappe.call({
			method: "trackflow.api.attribution.explain",
			args: { conversion: frm.doc.name, model, limit: 20 },
			type: "GET",
		});
		if (dialog.get_value("model") === model) area.empty().append(in_words(message));
	}
}

function in_words(found) {
	const [model] = found.models;
	const parts = [...trackflow.desk.sentences([...found.words, ...model.words]), credits_of(model, found.conversion)];
	return model.rest ? [...parts, ...trackflow.desk.sentences([model.rest.words].flat())] : parts;
}

function credits_of(model, conversion) {
	const head = [__("Touch"), __("Channel"), __("Share, %"), __("Value"), __("Why")];
	const rows = model.credits.map((credit) => [
		credit.position ? __("{0} of {1}", [credit.position, credit.touch_count]) : "",
		credit.channel,
		format_number(credit.weight * 100, null, 2),
		format_currency(credit.value, conversion.currency),
		[credit.words].flat().join(" "),
	]);
	return $('<table class="table table-sm mt-3">').append(
		$("<thead>").append($("<tr>").append(head.map((label) => $("<th>").text(label)))),
		$("<tbody>").append(rows.map((row) => $("<tr>").append(row.map((cell) => $("<td>").text(cell)))))
	);
}
