frappe.ui.form.on("Tracked Link", {
	refresh(frm) {
		const url = frm.doc.__onload?.short_url;
		if (frm.is_new() || !url) return;
		// Typed by people, so it is text before it is anything else.
		frm.set_intro(frappe.utils.escape_html(url), "blue");
		frm.add_custom_button(__("Copy Short URL"), () => frappe.utils.copy_to_clipboard(url));
		frm.add_custom_button(__("QR Code"), () =>
			trackflow.links.qr_dialog([frm.doc.name], frm.doc.short_code)
		);
		show_statistics(frm);
	},
});

async function show_statistics(frm) {
	const name = frm.doc.name;
	const figures = await trackflow.links.get("get_link_analytics", { link_name: name });
	// Meanwhile somebody may have gone on to another link, or saved this one.
	if (frm.doc.name !== name) return;
	frm.dashboard.parent.find(".trackflow-statistics").remove();
	const { totals } = figures;
	const numbers = [
		[__("Clicks"), totals.clicks],
		[__("QR Scans"), totals.scans],
		[
			figures.visitors_estimated ? __("Unique Visitors (≈)") : __("Unique Visitors"),
			totals.unique_visitors,
		],
		[__("Robots and Previews"), totals.bots + totals.prefetches],
		[__("After the End, or Paused"), totals.expired + totals.blocked],
		[__("Conversions"), totals.conversions],
		[__("Revenue"), format_currency(totals.revenue, totals.currency)],
	];
	const body = $("<div>").append(
		$('<div class="row">').append(
			numbers.map(([label, number]) =>
				$('<div class="col-6 col-sm-3 mb-3">').append(
					$('<div class="text-muted small">').text(label),
					$('<div class="h5 mb-0">').text(typeof number === "number" ? format_number(number, null, 0) : number)
				)
			)
		),
		$('<div class="trackflow-chart">'),
		$('<div class="row">').append(
			breakdown(__("Referrers"), figures.by_referrer, __("None told")),
			breakdown(__("Countries"), figures.by_country, __("Not known")),
			breakdown(__("Devices"), figures.by_device, __("Not known")),
			figures.by_variant.some((line) => line.value)
				? breakdown(__("Variants"), figures.by_variant, __("None"))
				: null
		)
	);
	const title = __("Last {0} Days", [figures.by_day.length]);
	const section = frm.dashboard.add_section("", title, "custom trackflow-statistics");
	section.append(body);
	frm.dashboard.show();
	if (!frappe.Chart || !figures.by_day.some((day) => day.clicks + day.scans + day.bots)) return;
	new frappe.Chart(body.find(".trackflow-chart")[0], {
		type: "bar",
		height: 160,
		colors: ["#2490ef", "#29cd42", "#c7cdd4"],
		barOptions: { stacked: 1, spaceRatio: 0.3 },
		axisOptions: { xIsSeries: 1, shortenYAxisNumbers: 1 },
		data: {
			labels: figures.by_day.map((day) => frappe.datetime.str_to_user(day.day)),
			datasets: [
				{ name: __("Clicks"), values: figures.by_day.map((day) => day.clicks) },
				{ name: __("QR Scans"), values: figures.by_day.map((day) => day.scans) },
				{ name: __("Robots"), values: figures.by_day.map((day) => day.bots + day.prefetches) },
			],
		},
	});
}

// The five lines of a breakdown that bring most people.
function breakdown(title, lines, nothing) {
	const people = lines.filter((line) => line.clicks).slice(0, 5);
	if (!people.length) return null;
	return $('<div class="col-sm-4 mt-3">').append(
		$('<div class="text-muted small">').text(title),
		people.map((line) =>
			$('<div class="d-flex justify-content-between">').append(
				$('<span class="ellipsis">').text(line.value || nothing),
				$("<span>").text(format_number(line.clicks, null, 0))
			)
		)
	);
}
