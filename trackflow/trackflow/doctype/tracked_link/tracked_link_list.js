// The list of links, and what its scripts share with the form (Frappe reads a DocType's list script before its form's).
frappe.provide("trackflow.links");

frappe.listview_settings["Tracked Link"] = {
	add_fields: ["status", "short_code", "expiry_date", "max_clicks", "click_count", "scan_count"],
	hide_name_column: true,

	get_indicator(link) {
		const colours = { Active: "green", Paused: "orange", Expired: "red", Archived: "gray" };
		const is_over =
			link.status === "Active" &&
			((link.expiry_date && link.expiry_date <= frappe.datetime.now_datetime()) ||
				(link.max_clicks && link.click_count + link.scan_count >= link.max_clicks));
		if (is_over) return [__("Ended"), "red", "status,=,Active"];
		return [__(link.status), colours[link.status] || "gray", `status,=,${link.status}`];
	},

	onload(list) {
		if (frappe.model.can_create("Tracked Link")) {
			list.page.add_inner_button(__("Generate Links"), () => trackflow.links.generate("", () => list.refresh()));
			list.page.add_menu_item(__("Import CSV"), () => trackflow.links.import_csv(() => list.refresh()));
		}
		list.page.add_menu_item(__("Export CSV"), () => {
			const names = list.get_checked_items(true);
			const what = names.length ? { names } : { filters: list.get_filters_for_args() };
			trackflow.links.download("export_links", what, "tracked-links.csv").catch(() => {});
		});
		list.page.add_actions_menu_item(__("QR Codes (ZIP)"), () => {
			trackflow.links.qr_dialog(list.get_checked_items(true));
		});
	},
};

// POST to a method of ours; the answer, or an Error with the server's words.
trackflow.links.post = async function (method, values) {
	const body = new FormData();
	for (const [key, value] of Object.entries(values)) {
		if (value === undefined || value === null || value === "") continue;
		body.append(key, value instanceof Blob || typeof value === "string" ? value : JSON.stringify(value));
	}
	const answer = await fetch(`/api/method/trackflow.api.links.${method}`, {
		method: "POST",
		body,
		headers: { "X-Frappe-CSRF-Token": frappe.csrf_token, Accept: "application/json" },
	});
	if (!answer.ok) throw new Error(await trackflow.links.words_of(answer));
	return answer;
};

// GET from a method of ours; Frappe shows the server's words.
trackflow.links.get = async function (method, args) {
	const answer = await frappe.call({ method: `trackflow.api.links.${method}`, args, type: "GET" });
	return answer.message;
};

trackflow.links.words_of = async function (answer) {
	try {
		const said = JSON.parse((await answer.json())._server_messages);
		return said.map((one) => frappe.utils.html2text?.(JSON.parse(one).message) || JSON.parse(one).message).join(" ");
	} catch {
		return __("The server answered with an error ({0}).", [answer.status]);
	}
};

trackflow.links.say = function (error) {
	frappe.msgprint({ message: frappe.utils.escape_html(error.message), indicator: "red" });
};

trackflow.links.save = function (blob, name) {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

trackflow.links.download = async function (method, values, name) {
	frappe.dom.freeze(__("Preparing the file …"));
	try {
		const answer = await trackflow.links.post(method, values);
		trackflow.links.save(await answer.blob(), name);
	} catch (error) {
		trackflow.links.say(error);
		throw error;
	} finally {
		frappe.dom.unfreeze();
	}
};

// QR codes ----------------------------------------------------------------------------------------------------------

// The picture of the first link is shown as it will be; one link downloads a picture, several a ZIP.
trackflow.links.qr_dialog = function (names, short_code) {
	if (!names.length) return;
	let shown = "";
	const dialog = new frappe.ui.Dialog({
		title: names.length === 1 ? __("QR Code") : __("QR Codes of {0} Links", [names.length]),
		size: "large",
		fields: [
			{ fieldname: "format", fieldtype: "Select", label: __("Format"), options: "PNG\nSVG", default: "PNG" },
			{
				fieldname: "size",
				fieldtype: "Int",
				label: __("Size in Pixels"),
				default: 512,
				description: __("64 to 2048. For print, take SVG: it has no pixels."),
			},
			{
				fieldname: "margin",
				fieldtype: "Int",
				label: __("Margin"),
				default: 4,
				description: __("In modules of the code; the standard asks for 4."),
			},
			{
				fieldname: "error_correction",
				fieldtype: "Select",
				label: __("Error Correction"),
				options: ["L", "M", "Q", "H"].join("\n"),
				default: "M",
				description: __("H is read even where nearly a third is damaged. A logo always takes H."),
			},
			{ fieldname: "dark", fieldtype: "Color", label: __("Colour"), default: "#000000" },
			{ fieldname: "light", fieldtype: "Color", label: __("Background"), default: "#ffffff" },
			{
				fieldname: "logo",
				fieldtype: "Attach",
				label: __("Logo"),
				options: { restrictions: { allowed_file_types: [".png", ".jpg", ".jpeg", ".gif", ".webp"] } },
			},
			{
				fieldname: "logo_percent",
				fieldtype: "Int",
				label: __("Logo Width in Percent"),
				default: 20,
				depends_on: "logo",
				description: __("10 to 25."),
			},
			{ fieldname: "column", fieldtype: "Column Break" },
			{ fieldname: "preview", fieldtype: "HTML" },
		],
		primary_action_label: __("Download"),
		primary_action() {
			const values = style();
			const method = names.length === 1 ? "qr_code" : "qr_codes";
			if (names.length === 1) {
				fetch_picture(values)
					.then((blob) => trackflow.links.save(blob, `${short_code || "qr-code"}.${values.format}`))
					.catch(trackflow.links.say);
				return;
			}
			trackflow.links
				.download(method, { link_names: names, ...values }, "qr-codes.zip")
				.then(() => dialog.hide())
				.catch(() => {});
		},
	});
	const area = dialog.get_field("preview").$wrapper;
	area.css({ "min-height": "280px" });

	function style() {
		const { format, preview, ...values } = dialog.get_values(true);
		return { ...values, format: (format || "PNG").toLowerCase() };
	}

	async function fetch_picture(values) {
		const query = new URLSearchParams({ link_name: names[0] });
		for (const [key, value] of Object.entries(values)) {
			if (value !== undefined && value !== null && value !== "") query.set(key, value);
		}
		const answer = await fetch(`/api/method/trackflow.api.links.qr_code?${query}`, {
			headers: { Accept: "application/json" },
		});
		if (!answer.ok) throw new Error(await trackflow.links.words_of(answer));
		return answer.blob();
	}

	let asked = 0;
	const preview = frappe.utils.debounce(async () => {
		const number = ++asked;
		try {
			const blob = await fetch_picture(style());
			if (number !== asked) return;
			URL.revokeObjectURL(shown);
			shown = URL.createObjectURL(blob);
			area.empty().append(
				$("<img>", { src: shown, alt: __("Preview of the QR code") }).css({
					width: "100%",
					"max-width": "280px",
					border: "1px solid var(--border-color)",
				})
			);
		} catch (error) {
			if (number === asked) area.empty().append($('<p class="text-danger">').text(error.message));
		}
	}, 300);
	for (const field of Object.values(dialog.fields_dict)) field.df.onchange = preview;
	dialog.$wrapper.on("input change", "input, select", preview);
	dialog.onhide = () => URL.revokeObjectURL(shown);
	dialog.show();
	preview();
};

// Many at once ------------------------------------------------------------------------------------------------------

// A link of each row, all to one target; of a campaign where one is given. Rows that were refused stay, to be mended.
trackflow.links.generate = function (campaign, when_done) {
	const column = (fieldname, label, columns, description) => ({
		fieldname,
		label,
		columns,
		description,
		fieldtype: "Data",
		in_list_view: 1,
	});
	const dialog = new frappe.ui.Dialog({
		title: __("Generate Links"),
		size: "extra-large",
		fields: [
			{ fieldname: "target_url", fieldtype: "Small Text", label: __("Target URL"), reqd: 1, max_height: "4em" },
			{ fieldname: "column", fieldtype: "Column Break" },
			{
				fieldname: "campaign",
				fieldtype: "Link",
				label: __("Campaign"),
				options: "Link Campaign",
				default: campaign,
				read_only: campaign ? 1 : 0,
				description: __("Its source and medium hold where a row names none."),
			},
			{ fieldname: "domain", fieldtype: "Link", label: __("Domain"), options: "Domain Configuration" },
			{ fieldname: "section", fieldtype: "Section Break" },
			{
				fieldname: "links",
				fieldtype: "Table",
				label: __("Links"),
				description: __("One for each row. A code that is left empty is made automatically."),
				in_place_edit: true,
				data: [{ idx: 1 }],
				fields: [
					column("title", __("Title"), 3),
					column("source", __("Source"), 2),
					column("medium", __("Medium"), 2),
					column("content", __("Content"), 2),
					column("short_code", __("Short Code"), 1),
				],
			},
			{ fieldname: "result", fieldtype: "HTML" },
		],
		primary_action_label: __("Generate"),
		primary_action: run,
	});
	const table = dialog.fields_dict.links;
	const fields = table.df.fields.map((field) => field.fieldname);
	const result = dialog.get_field("result").$wrapper;
	dialog.show();

	async function run({ target_url, campaign, domain }) {
		// The desk adds a row behind the last one by itself.
		const filled = table.df.data.filter((row) => fields.some((field) => row[field]));
		const rows = filled.length ? filled : [{}];
		const of_row = (row) => Object.fromEntries(fields.map((field) => [field, row[field]]));
		const links = rows.map((row) => ({ target_url, campaign, domain, ...of_row(row) }));
		dialog.get_primary_btn().prop("disabled", true);
		try {
			show((await (await trackflow.links.post("create_links", { links })).json()).message, rows);
		} catch (error) {
			result.empty().append($('<p class="text-danger">').text(error.message));
		} finally {
			dialog.get_primary_btn().prop("disabled", false);
		}
	}

	function show(answer, rows) {
		const made = answer.rows.filter((row) => !row.errors);
		const refused = answer.rows.filter((row) => row.errors);
		result.empty().append(
			$("<p>").text(__("Links made: {0}. Rows refused: {1}.", [answer.created, answer.failed])),
			made.length
				? trackflow.links.table(made, [
						[__("Short URL"), (row) => row.short_url],
						[__("Title"), (row) => rows[row.row - 1].title],
						[__("Content"), (row) => rows[row.row - 1].content],
					])
				: null,
			made.length
				? $('<button class="btn btn-default btn-sm mb-3">')
						.text(__("Copy All"))
						.on("click", () => frappe.utils.copy_to_clipboard(made.map((row) => row.short_url).join("\n")))
				: null,
			...refused.map((row, place) =>
				$('<p class="text-danger small">').text(`${__("Row {0}", [place + 1])}: ${trackflow.links.verdict_of(row)}`)
			)
		);
		const left = refused.map((row) => rows[row.row - 1]);
		table.df.data = (left.length ? left : [{}]).map((row, place) => ({ ...row, idx: place + 1 }));
		table.grid.refresh();
		if (made.length) when_done?.();
	}
};

// CSV ---------------------------------------------------------------------------------------------------------------

trackflow.links.import_csv = function (when_done) {
	let file;
	const dialog = new frappe.ui.Dialog({
		title: __("Import Links from CSV"),
		size: "extra-large",
		fields: [{ fieldname: "body", fieldtype: "HTML" }],
		primary_action_label: __("Import"),
		primary_action: run,
	});
	const body = dialog.get_field("body").$wrapper;
	const chooser = $('<input type="file" accept=".csv,.tsv,.txt,text/csv" class="form-control" style="height: auto">')
		.attr("aria-label", __("CSV File"))
		.on("change", show_preview);
	const help = $('<p class="help-box small text-muted">').text(
		__("TrackFlow's own export, the exports of Bitly, Dub and Shlink, or any list with a column Target URL. Up to 5 MB and 10,000 rows.")
	);
	const result = $('<div class="mt-3" role="status">');
	body.append(chooser, help, result);
	dialog.get_primary_btn().prop("disabled", true);
	dialog.show();

	async function show_preview() {
		file = chooser[0].files[0];
		dialog.get_primary_btn().prop("disabled", true);
		if (!file) return;
		result.text(__("Reading the file …"));
		try {
			const found = (await (await trackflow.links.post("preview_import", { file })).json()).message;
			result.empty().append(summary(found), table(found.rows, columns_of_preview()));
			dialog.get_primary_btn().prop("disabled", !found.new);
			dialog.set_primary_action(
				found.new === 1 ? __("Import 1 Link") : __("Import {0} Links", [found.new]),
				run
			);
		} catch (error) {
			result.empty().append($('<p class="text-danger">').text(error.message));
		}
	}

	function summary(found) {
		const lines = [
			__("Format: {0}. New links: {1}. Rows with errors: {2}; those are left out.", [
				found.format,
				found.new,
				found.failed,
			]),
		];
		if (found.ignored_columns.length) {
			lines.push(__("Columns that are not read: {0}.", [found.ignored_columns.join(", ")]));
		}
		if (found.new + found.failed > found.tried) {
			lines.push(__("The first {0} rows were tried out, the others only looked over.", [found.tried]));
		}
		if (found.new + found.failed > found.rows.length) {
			lines.push(__("Shown are {0} rows, those with errors before others.", [found.rows.length]));
		}
		return lines.map((line) => $("<p>").text(line));
	}

	function columns_of_preview() {
		return [
			[__("Row"), (row) => row.row],
			[__("Short Code"), (row) => row.short_code || __("made automatically")],
			[__("Target URL"), (row) => row.target_url],
			[__("Title"), (row) => row.title],
			[__("What will happen"), (row) => trackflow.links.verdict_of(row) || __("New")],
		];
	}

	function table(rows, columns) {
		return trackflow.links.table(rows, columns);
	}

	async function run() {
		dialog.get_primary_btn().prop("disabled", true);
		chooser.prop("disabled", true);
		result.text(__("Importing …"));
		try {
			let state = (await (await trackflow.links.post("import_links", { file })).json()).message;
			while (!["done", "failed"].includes(state.status)) {
				show_progress(state);
				await new Promise((resolve) => setTimeout(resolve, 1500));
				state = await trackflow.links.get("get_import_progress", { import_id: state.import_id });
			}
			if (state.status === "failed") {
				when_done?.();
				throw new Error(state.message);
			}
			show_end(state);
		} catch (error) {
			result.empty().append($('<p class="text-danger">').text(error.message || __("The import failed.")));
			chooser.prop("disabled", false);
		}
	}

	function show_progress(state) {
		const percent = Math.round((100 * state.done) / (state.total || 1));
		result.empty().append(
			$('<div class="progress">').append(
				$('<div class="progress-bar" role="progressbar">')
					.css("width", `${percent}%`)
					.attr({ "aria-valuenow": percent, "aria-valuemin": 0, "aria-valuemax": 100 })
			),
			$("<p>").text(__("{0} of {1} rows. You may close this window: the import goes on.", [state.done, state.total]))
		);
	}

	function show_end(state) {
		const failed = state.rows.filter((row) => row.errors);
		result
			.empty()
			.append($("<p>").text(__("Links made: {0}. Rows refused: {1}.", [state.created, state.failed])));
		if (failed.length) {
			result.append(
				trackflow.links.table(failed, [
					[__("Row"), (row) => row.row],
					[__("Why not"), trackflow.links.verdict_of],
				])
			);
		}
		dialog.set_primary_action(__("Close"), () => dialog.hide());
		dialog.get_primary_btn().prop("disabled", false);
		when_done?.();
	}
};

// What is wrong with a row, and what will be different.
trackflow.links.verdict_of = function (row) {
	return [...(row.errors || []).map((one) => one.message), ...(row.notes || [])].join(" ");
};

// A table of rows; each column is a header and what a row says. All of it is text.
trackflow.links.table = function (rows, columns) {
	const head = $("<tr>").append(columns.map(([label]) => $("<th>").text(label)));
	const lines = rows.map((row) =>
		$("<tr>")
			.addClass(row.errors?.length ? "text-danger" : "")
			.append(columns.map(([, text]) => $("<td>").css("word-break", "break-word").text(text(row))))
	);
	return $('<div style="max-height: 50vh; overflow: auto">').append(
		$('<table class="table table-bordered table-sm small">').append($("<thead>").append(head), $("<tbody>").append(lines))
	);
};
