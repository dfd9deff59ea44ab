frappe.ui.form.on("Link Template", {
	refresh(frm) {
		if (frm.is_new() || !frm.doc.is_active || !frappe.model.can_create("Tracked Link")) return;
		frm.add_custom_button(__("Create Links"), () => create_links(frm));
	},
});

const FIELD_TYPES = { Number: "Data", Date: "Date", Choice: "Select", URL: "Data", Text: "Data" };

function create_links(frm) {
	if (frm.is_dirty()) {
		frappe.msgprint(__("Save the template first."));
		return;
	}
	const variables = frm.doc.variables || [];
	const dialog = new frappe.ui.Dialog({
		title: __("Create Links"),
		size: "large",
		fields: [
			{
				fieldname: "how_many",
				fieldtype: "Select",
				label: __("How many"),
				options: [
					{ value: "one", label: __("One link") },
					{ value: "many", label: __("Many links, from rows of values") },
				],
				default: "one",
			},
			...variables.map((variable) => ({
				fieldname: `variable_${variable.variable_name}`,
				fieldtype: FIELD_TYPES[variable.variable_type] || "Data",
				label: variable.variable_name,
				options: choices_of(variable),
				default: variable.default_value,
				description: frappe.utils.escape_html(variable.description || ""),
				depends_on: "eval: doc.how_many === 'one'",
				mandatory_depends_on: variable.is_required ? "eval: doc.how_many === 'one'" : "",
			})),
			{
				fieldname: "csv",
				fieldtype: "Code",
				label: __("Rows of Values"),
				description: __("CSV, the first line names the variables. Pasting from a spreadsheet works too."),
				default: variables.map((variable) => variable.variable_name).join(",") + "\n",
				depends_on: "eval: doc.how_many === 'many'",
			},
			{ fieldname: "result", fieldtype: "HTML" },
		],
		primary_action_label: __("Create"),
		async primary_action(values) {
			const result = dialog.get_field("result").$wrapper.empty();
			dialog.get_primary_btn().prop("disabled", true);
			try {
				result.append(values.how_many === "one" ? await make_one(frm, variables, values) : await make_many(frm, values));
			} catch (error) {
				// Frappe has shown the server's words.
				console.warn(error);
			} finally {
				dialog.get_primary_btn().prop("disabled", false);
			}
		},
	});
	dialog.show();
}

function choices_of(variable) {
	if (variable.variable_type !== "Choice") return undefined;
	const choices = JSON.parse(variable.validation_rules || "{}").choices || [];
	return variable.is_required && variable.default_value ? choices : ["", ...choices];
}

async function make_one(frm, variables, values) {
	const given = {};
	for (const { variable_name } of variables) {
		const value = values[`variable_${variable_name}`];
		if (value) given[variable_name] = value;
	}
	const link = await frappe.xcall("trackflow.api.links.make_link", { template: frm.doc.name, values: given });
	return made([link]);
}

async function make_many(frm, values) {
	const answer = await frappe.xcall("trackflow.api.links.make_links", { template: frm.doc.name, csv: values.csv });
	const refused = answer.rows.filter((row) => row.errors);
	const parts = [
		$("<p>").text(__("Links made: {0}. Rows refused: {1}.", [answer.created, answer.failed])),
		made(answer.rows.filter((row) => !row.errors)),
	];
	for (const row of refused) {
		const words = row.errors.map((error) => error.message).join(" ");
		parts.push($('<p class="text-danger small">').text(`${__("Row {0}", [row.row])}: ${words}`));
	}
	return parts;
}

function made(links) {
	return $("<ul>").append(
		links.map((link) =>
			$("<li>").append($("<a>", { href: frappe.utils.get_form_link("Tracked Link", link.name) }).text(link.short_url))
		)
	);
}
