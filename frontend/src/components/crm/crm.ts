/** Leads and deals as the API tells them (trackflow/api/crm.py). */
import { boot } from "@/data/boot";

export interface Status {
	name: string;
	color?: string;
	/** Of deals: Open, Ongoing, On Hold, Won, Lost. */
	type?: string;
}
export interface Attributed {
	name: string;
	creation: string;
	status: string;
	organization?: string | null;
	lead_name?: string | null;
	source: string | null;
	medium: string | null;
	campaign: string | null;
	first_touch_date: string | null;
	last_touch_date: string | null;
	touch_count: number;
	is_erased: boolean;
	steps?: { from: string | null; to: string; at: string }[];
}
export interface Lead extends Attributed {
	lead_owner?: string | null;
	converted?: boolean;
	deals?: Deal[];
}
export interface Deal extends Attributed {
	deal_owner?: string | null;
	lead?: string | null;
	value: number | null;
	currency: string | null;
	closed_date?: string | null;
	attribution_model: string | null;
	first_touch_source: string | null;
	last_touch_source: string | null;
	marketing_influenced: boolean;
}

export const nameOfLead = (lead: Attributed): string => lead.lead_name || lead.organization || lead.name;
export const nameOfDeal = (deal: Attributed): string => deal.organization || deal.lead_name || deal.name;

/** Its page in Frappe CRM; null where the user does not go there. */
export const inCrm = (kind: "leads" | "deals", name: string): string | null => (boot().crm ? `${boot().crm}/${kind}/${encodeURIComponent(name)}` : null);
