/** Where a site stands that has just been set up. Pure. */
export interface State {
	is_empty: boolean;
	domain: { name: string; enabled: 0 | 1 } | null;
	link: { name: string; title: string | null; short_code: string; target_url: string; short_url: string } | null;
	click: { at: string; type: string; country: string | null; device_type: string | null; browser: string | null; not_counted: string } | null;
	waits: boolean | null;
}

export type StepName = "domain" | "tag" | "link" | "click";
export const STEPS: StepName[] = ["domain", "tag", "link", "click"];

/** Which steps are done. The tag is when an event of the website has arrived, or when somebody goes on without. */
export function doneOf(state: State | null, hasArrived: boolean, skipped: boolean): Record<StepName, boolean> {
	return {
		domain: !!state?.domain || skipped,
		tag: hasArrived || skipped,
		link: !!state?.link,
		click: !!state?.click,
	};
}

/** The first that is not done; after all of them there is none. */
export const currentOf = (done: Record<StepName, boolean>): StepName | null => STEPS.find((name) => !done[name]) ?? null;
