/** How the site is, as the server tells it. Pure. */
import type { Found } from "@/components/FindingList.vue";
import { duration, NONE } from "@/data/formats";
import { __ } from "@/locale";

export interface Job {
	job: string;
	every_seconds: number | null;
	/** Seconds since 1970. */
	last_run: number | null;
	seconds: number | null;
	rows: number | null;
	error: string | null;
	is_overdue: boolean;
}
interface Answers {
	answers: number;
	errors: number;
}
interface Server {
	reachable: boolean;
	round_trip_ms?: number;
}
/** What Redis would have to say is null where it is out of reach. */
export interface Metrics {
	ok: boolean;
	checks: Found[];
	queue: { entries: number | null; oldest_seconds: number | null };
	database: Server;
	redis: { queue: Server; cache: Server };
	jobs: Job[] | null;
	freshness_seconds: { click: number | null; event: number | null };
	last_hour: { answers: { redirects: Answers; events: Answers } } | null;
	per_minute: Record<"clicks" | "events", { now: number; hour: number }> | null;
	refusals: Record<string, Record<string, number>> | null;
	duplicates: { events: number } | null;
	response_times: Record<"redirects" | "events", { mean_ms: number } | null> | null;
	errors: { percent: number | null } | null;
}

/** What the jobs do, by their paths below the app. */
const JOBS: Record<string, { label: string }> = {
	"attribution.run.learn": { label: "Learn the worth of channels" },
	"access.request_log.store": { label: "Write down requests by API keys" },
	"attribution.run.repair": { label: "Credit conversions that were left over" },
	"attribution.run.credit_new": { label: "Credit new conversions" },
	"attribution.run.rebuild_changed": { label: "Credit conversions anew" },
	"click_rollups.run.run_hourly": { label: "Sum up clicks and visits of past days" },
	"costs.campaigns.join_all": { label: "Find the campaigns of costs" },
	"costs.imports.run": { label: "Import costs" },
	"email.bounces.collect": { label: "Read mails that came back" },
	"email.figures.store_stale": { label: "Sum up mailings" },
	"email.sending.go_on": { label: "Go on with mailings" },
	"health.alerts.tell_broken": { label: "Tell of checks that fail" },
	"health.totals.count": { label: "Count what there is" },
	"integrations.crm_deal.attribute": { label: "Credit a deal" },
	"integrations.crm_lead.attribute_waiting": { label: "Attribute new leads" },
	"integrations.sweep.sweep": { label: "Find leads and deals that were missed" },
	"integrations.waiting.resume": { label: "Go on with leads that wait" },
	"integrations.personal_data.attach_export": { label: "Export a person's data" },
	"links.rebuild.rebuild": { label: "Work out links anew" },
	"links.csv_import.run": { label: "Import links" },
	"privacy.erasure.resume": { label: "Erase a person's data" },
	"privacy.erasure.resume_all": { label: "Go on with erasures" },
	"privacy.retention.run_daily": { label: "Delete what is due by its age" },
	"rollups.campaign_figures.recount_all": { label: "Sum up campaigns" },
	"rollups.run.mark_yesterday": { label: "Mark yesterday for the daily figures" },
	"rollups.run.run_marked": { label: "Work out daily figures" },
	"stream.drain.drain_if_waiting": { label: "Store what waits" },
	"stream.drain.retry_kept": { label: "Try again what could not be stored" },
	"sync.run.queue": { label: "Sync forms that are due" },
	"tracking.repair.repair": { label: "Derive visits that are missing" },
	"waste.notices.tell_wasted": { label: "Tell of waste" },
	"webhooks.limit_hits.tell_limits": { label: "Tell webhooks of limits" },
	"webhooks.sender.send_due": { label: "Deliver to webhooks" },
	"weekly_summary.send.send_weekly": { label: "Send the weekly summary" },
};

/** One that is not known here is called by its path. */
export function jobName(path: string): string {
	const name = path.replace(/^trackflow\./, "");
	return JOBS[name] ? __(JOBS[name].label) : name;
}

/** No finer than the minute, once it is one. */
export const agoOf = (seconds: number | null | undefined): string => (seconds == null ? NONE : __("{0} ago", [duration(seconds < 60 ? seconds : 60 * Math.floor(seconds / 60))]));
