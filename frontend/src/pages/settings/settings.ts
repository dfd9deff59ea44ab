/** Settings as the server tells them; the parts of the page. Words in English, for `__()`. Pure. */
import type { Component } from "vue";

export interface Setting {
	name: string;
	label: string;
	description: string | null;
	value: any;
}
export type Settings = Record<"attribution" | "consent" | "retention", Setting[]>;

export interface Tab {
	value: string;
	label: string;
	/** DocTypes whose right to read it takes. */
	doctype?: string;
	component: () => Promise<{ default: Component }>;
}

export const TABS: Tab[] = [
	{ value: "", label: "Websites", component: () => import("./Websites.vue") },
	{ value: "consent", label: "Consent banner", component: () => import("./Consent.vue") },
	{ value: "attribution", label: "Attribution", component: () => import("./Attribution.vue") },
	{ value: "retention", label: "Retention", component: () => import("./Retention.vue") },
	{ value: "crm-sync", label: "CRM sync", component: () => import("./CrmSync.vue") },
	{ value: "api-keys", label: "API keys", doctype: "TrackFlow API Key", component: () => import("./ApiKeys.vue") },
	{ value: "webhooks", label: "Webhooks", doctype: "TrackFlow API Key", component: () => import("./Webhooks.vue") },
	{ value: "health", label: "Health", component: () => import("./Health.vue") },
	{ value: "more", label: "More", component: () => import("./More.vue") },
];

export interface Finding {
	mark: "ok" | "note" | "BROKEN";
	check: string;
	text: string;
}

export interface Website {
	name: string;
	project: string | null;
	public_key: string;
	enabled: 0 | 1;
	is_primary: 0 | 1;
	ssl_enabled: 0 | 1;
	privacy_level: string;
	consent_required: 0 | 1;
	consent_default: string;
	allowed_origins: string | null;
	modified: string;
}

export interface WebsiteCheck {
	ok: boolean;
	accepted: number | null;
	findings: Finding[];
	newest: {
		at: string;
		type: string;
		name: string | null;
		page: string;
		title: string | null;
		country: string | null;
		device_type: string | null;
		browser: string | null;
		not_counted: string;
	} | null;
}

/** Of one API key and event. */
export interface Webhook {
	name: string;
	key: string;
	event: string;
	url: string;
	state: "active" | "paused" | "off";
	failures: number;
	pending: number;
	failed: number;
}

export interface Delivery {
	name: string;
	event_type: string;
	api_key: string;
	status: "Pending" | "Delivered" | "Failed";
	item_count: number;
	attempts: number;
	creation: string;
	next_attempt_at: string | null;
	error_message: string | null;
	response_code: number;
}

/** What a domain's level of privacy means, in the words of a choice. */
export const LEVELS = [
	{ value: "Standard", label: "Standard", hint: "Addresses of visitors are kept, or masked where the settings say so." },
	{ value: "GDPR", label: "GDPR", hint: "Of addresses only a hash is kept, whose key changes each day." },
	{ value: "HIPAA", label: "HIPAA", hint: "No address, no browser, no form values; who reads visitors' data is logged." },
];

export const CONSENTS = [
	{ value: "opt-in", label: "Ask first", hint: "Nothing is sent before the visitor agrees in the banner.", values: { consent_required: 1, consent_default: "Opt-in" } },
	{ value: "opt-out", label: "Until refused", hint: "Visits are sent until the visitor says no.", values: { consent_required: 1, consent_default: "Opt-out" } },
	{ value: "none", label: "Never ask", hint: "For websites where no consent is needed.", values: { consent_required: 0, consent_default: "Opt-in" } },
] as const;

export const consentOf = ({ consent_required, consent_default }: Pick<Website, "consent_required" | "consent_default">): string =>
	!consent_required ? "none" : consent_default === "Opt-out" ? "opt-out" : "opt-in";

export const hintOf = (choices: readonly { value: string; hint: string }[], value: string): string => choices.find((one) => one.value === value)?.hint ?? "";
