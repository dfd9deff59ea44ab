frappe.ui.form.on("Link Campaign", {
	refresh(frm) {
		if (frm.is_new()) return;
		if (frappe.model.can_create("Tracked Link")) {
			frm.add_custom_button(__("Generate Links"), async () => {
				// With the DocType comes its list script, which knows how.
				await frappe.model.with_doctype("Tracked Link");
				trackflow.links.generate(frm.doc.name, () => frm.reload_doc());
			}).addClass("btn-primary");
		}
		for (const report of ["Link Performance", "Campaign Performance", "Spend and Waste"]) {
			const filters = report === "Link Performance" ? { campaign: frm.doc.name } : {};
			frm.add_custom_button(__(report), () => frappe.set_route("query-report", report, filters), __("Reports"));
		}
		show_statistics(frm);
	},
});

async function show_statistics(frm) {
	const stats = await trackflow.desk.ask(frm, "campaign.get_campaign_stats", { campaign_name: frm.doc.name });
	if (!stats) return;
	const { totals, returns, budget, by_day } = stats;
	const percent = (share) => (share === null ? null : `${trackflow.desk.figure(share)} %`);
	trackflow.desk.section(
		frm,
		"trackflow-statistics",
		__("Last {0} Days", [by_day.length]),
		trackflow.desk.figures([
			[__("Clicks"), totals.clicks],
			[__("QR Scans"), totals.scans],
			[stats.visitors_estimated ? __("Visitors (≈)") : __("Visitors"), totals.visitors],
			[__("Sessions"), totals.sessions],
			[__("Conversions ({0})", [stats.model]), totals.conversions],
			[__("Value"), trackflow.desk.amounts(totals.value)],
			[__("Spend"), trackflow.desk.amounts(stats.spend)],
			[__("Cost per Conversion"), trackflow.desk.money(returns.cpa, returns.currency)],
			[__("ROAS"), returns.roas],
			[__("ROI"), percent(returns.roi)],
			[__("Expected ROI"), percent(returns.expected_roi)],
			[__("Budget Used"), percent(budget.used)],
		]),
		trackflow.desk.days(
			by_day.map((day) => day.day),
			[
				[__("Clicks and Scans"), by_day.map((day) => day.clicks + day.scans), "#2490ef"],
				[__("Robots"), by_day.map((day) => day.bots + day.prefetches), "#c7cdd4"],
			]
		),
		$('<div class="row">').append(
			trackflow.desk.breakdown(
				__("Links, by Clicks"),
				stats.by_link.lines.map((line) => [line.title || line.short_code || __("Deleted link"), line.clicks])
			),
			trackflow.desk.breakdown(
				__("Channels, by Sessions"),
				stats.by_channel.map((line) => [line.channel, line.sessions])
			),
			trackflow.desk.breakdown(
				__("Channels, by Conversions"),
				stats.by_channel.map((line) => [line.channel, line.conversions])
			)
		)
	);
	if (returns.spend !== 0) show_waste(frm);
}

// What of the spend was waste, why, and what to do about it.
async function show_waste(frm) {
	const found = await trackflow.desk.ask(frm, "waste.get_waste", { grain: "Campaign", limit: 500 });
	const ours = found?.findings.filter((one) => one.campaign === frm.doc.name) || [];
	if (!ours.length) return;
	trackflow.desk.section(
		frm,
		"trackflow-waste",
		__("Waste of the Last 30 Days"),
		...ours.map((one) =>
			$('<div class="mb-3">').append(
				$("<div>").append(
					$(`<span class="indicator-pill ${{ high: "red", medium: "orange" }[one.severity] || "yellow"}">`).text(
						trackflow.desk.money(one.waste_spend, found.currency)
					),
					$('<span class="ml-2">').text(one.platform)
				),
				trackflow.desk.sentences([one.words, one.recommendation])
			)
		)
	);
}
