frappe.ui.form.on("Tracked Link", {
	refresh(frm) {
		const url = frm.doc.__onload?.short_url;
		if (frm.is_new() || !url) return;
		frm.add_custom_button(__("QR Code"), () =>
			trackflow.links.qr_dialog([frm.doc.name], frm.doc.short_code)
		);
		show_address(frm, url);
		show_statistics(frm);
	},
});

function show_address(frm, url) {
	const picture = new URLSearchParams({ link_name: frm.doc.name, format: "svg", margin: 2, v: frm.doc.modified });
	trackflow.desk.section(
		frm,
		"trackflow-address",
		__("Short URL"),
		$('<div class="d-flex flex-wrap align-items-center">').append(
			$("<img>", {
				src: `/api/method/trackflow.api.links.qr_code?${picture}`,
				alt: __("QR code of the short URL"),
				width: 120,
				height: 120,
			})
				.addClass("mr-4 mb-2 cursor-pointer")
				.on("click", () => trackflow.links.qr_dialog([frm.doc.name], frm.doc.short_code)),
			$('<div class="flex-fill mb-2">').append(
				trackflow.desk.copyable(url, __("Copy")),
				$('<div class="text-muted small">').text(
					__("A scan of the QR code is counted apart from a click: its address ends in ?qr=1.")
				)
			)
		)
	);
}

async function show_statistics(frm) {
	const figures = await trackflow.desk.ask(frm, "links.get_link_analytics", { link_name: frm.doc.name });
	if (!figures) return;
	const { totals, by_day } = figures;
	const lines = (found, nothing) => found.map((line) => [line.value || nothing, line.clicks]);
	trackflow.desk.section(
		frm,
		"trackflow-statistics",
		__("Last {0} Days", [by_day.length]),
		trackflow.desk.figures([
			[__("Clicks"), totals.clicks],
			[__("QR Scans"), totals.scans],
			[figures.visitors_estimated ? __("Unique Visitors (≈)") : __("Unique Visitors"), totals.unique_visitors],
			[__("Robots and Previews"), totals.bots + totals.prefetches],
			[__("After the End, or Paused"), totals.expired + totals.blocked],
			[__("Conversions"), totals.conversions],
			[__("Revenue"), trackflow.desk.money(totals.revenue, totals.currency)],
		]),
		trackflow.desk.days(
			by_day.map((day) => day.day),
			[
				[__("Clicks"), by_day.map((day) => day.clicks), "#2490ef"],
				[__("QR Scans"), by_day.map((day) => day.scans), "#29cd42"],
				[__("Robots"), by_day.map((day) => day.bots + day.prefetches), "#c7cdd4"],
			]
		),
		$('<div class="row">').append(
			trackflow.desk.breakdown(__("Referrers"), lines(figures.by_referrer, __("None told"))),
			trackflow.desk.breakdown(__("Countries"), lines(figures.by_country, __("Not known"))),
			trackflow.desk.breakdown(__("Devices"), lines(figures.by_device, __("Not known"))),
			figures.by_variant.some((line) => line.value)
				? trackflow.desk.breakdown(__("Variants"), lines(figures.by_variant, __("None")))
				: null
		)
	);
}
