// What forms of the desk share: figures, lists and texts to copy below a form's head. Frappe loads it with the forms that hooks.py
// names. Whatever is shown is text: nothing here takes HTML.
frappe.provide("trackflow.desk");

// The section of that class below the form's head, made anew, with these parts; above what Frappe counts there.
trackflow.desk.section = function (frm, css_class, title, ...parts) {
	const { parent } = frm.dashboard;
	parent.find(`.${css_class}`).remove();
	frm.dashboard.add_section("", title, `custom ${css_class}`).append(parts);
	parent.find(`.${css_class}`).insertBefore(parent.find(".form-links"));
	frm.dashboard.show();
};

// What a method of ours answers; null where it refuses, which Frappe has said then.
trackflow.desk.call = function (method, args = {}, options = {}) {
	return frappe.call({ method: `trackflow.${method}`, args, type: "POST", freeze: true, ...options }).then(
		({ message }) => message,
		() => null
	);
};

// What a method of ours answers to a GET, unless somebody went on to another document, or saved this one, meanwhile: then null.
trackflow.desk.ask = async function (frm, method, args) {
	const { name, modified } = frm.doc;
	const message = await trackflow.desk.call(`api.${method}`, args, { type: "GET", freeze: false });
	return frm.doc.name === name && frm.doc.modified === modified ? message : null;
};

// Pairs of label and figure, side by side. A number is shown as such, all else as it is; nothing as a dash.
trackflow.desk.figures = function (pairs) {
	return $('<div class="row">').append(
		pairs.map(([label, figure]) =>
			$('<div class="col-6 col-sm-3 mb-3">').append(
				$('<div class="text-muted small">').text(label),
				$('<div class="h5 mb-0">').text(trackflow.desk.figure(figure))
			)
		)
	);
};

trackflow.desk.figure = function (figure) {
	if (figure === null || figure === undefined) return "–";
	return typeof figure === "number" ? format_number(figure, null, Number.isInteger(figure) ? 0 : 2) : figure;
};

// An amount in its currency, as text; nothing where it is not known.
trackflow.desk.money = function (amount, currency) {
	return amount === null || amount === undefined ? null : format_currency(amount, currency);
};

// Amounts by currency, as the API has them: they are never added.
trackflow.desk.amounts = function (by_currency) {
	const amounts = Object.entries(by_currency).map(([currency, amount]) => format_currency(amount, currency));
	return amounts.join(", ") || null;
};

// The five lines of a list that have most: pairs of name and number.
trackflow.desk.breakdown = function (title, lines) {
	const most = lines.filter(([, number]) => number).slice(0, 5);
	if (!most.length) return null;
	return $('<div class="col-sm-4 mt-3">').append(
		$('<div class="text-muted small">').text(title),
		most.map(([name, number]) =>
			$('<div class="d-flex justify-content-between">').append(
				$('<span class="ellipsis">').text(name),
				$('<span class="ml-2">').text(trackflow.desk.figure(number))
			)
		)
	);
};

// Bars of days, on top of each other: series of [name, values, colour]; nothing where there is nothing to show.
trackflow.desk.days = function (days, series) {
	const area = $("<div>");
	if (!frappe.Chart || !series.some(([, values]) => values.some(Boolean))) return area;
	// The chart measures the place where it is drawn.
	setTimeout(() => {
		new frappe.Chart(area[0], {
			type: "bar",
			height: 160,
			colors: series.map(([, , colour]) => colour),
			barOptions: { stacked: 1, spaceRatio: 0.3 },
			axisOptions: { xIsSeries: 1, shortenYAxisNumbers: 1 },
			data: {
				labels: days.map((day) => moment(day).format("D MMM")),
				datasets: series.map(([name, values]) => ({ name, values })),
			},
		});
	});
	return area;
};

// A text in a box, with a button that copies it.
trackflow.desk.copyable = function (text, label) {
	return $('<div class="d-flex align-items-start mb-2">').append(
		$('<pre class="small mb-0 p-2 flex-fill">')
			.css({ "white-space": "pre-wrap", "word-break": "break-all", background: "var(--control-bg)" })
			.text(text),
		$('<button class="btn btn-default btn-sm ml-2">')
			.text(label)
			.on("click", () => frappe.utils.copy_to_clipboard(text))
	);
};

// Sentences, one below the other.
trackflow.desk.sentences = function (said) {
	return said.map((sentence) => $('<p class="mb-1">').text(sentence));
};
