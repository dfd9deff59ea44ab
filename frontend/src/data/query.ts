/** What a page shows stands in its address: whoever is sent it, or goes back to it, sees the same. */
import { computed, nextTick, type WritableComputedRef } from "vue";
import { useRoute, useRouter, type Router } from "vue-router";

type Changes = Record<string, string | undefined>;

let waiting: Changes | null = null;

/**
 * Change several parts of the address at once; `undefined` takes one out. Changes of one moment become one step back in the
 * browser; with `replace` none at all, as for what is being typed.
 */
export function changeQuery(router: Router, changes: Changes, replace = false): void {
	if (waiting) return void Object.assign(waiting, changes);
	waiting = { ...changes };
	void nextTick(() => {
		const query: Record<string, any> = { ...router.currentRoute.value.query, ...waiting };
		waiting = null;
		for (const name of Object.keys(query)) if (query[name] === undefined || query[name] === "") delete query[name];
		void (replace ? router.replace({ query }) : router.push({ query }));
	});
}

interface Options {
	/** The values that mean something; any other is taken for the fallback. */
	allowed?: readonly string[];
	/** Whether a new value is no step that one could go back: for what is typed. */
	replaces?: boolean;
	/** What goes when the value changes: a list begins at its first page again. */
	resets?: string;
}

/** One part of the address as a value that can be set. */
export function useQueryValue(name: string, fallback = "", { allowed, replaces, resets = "page" }: Options = {}): WritableComputedRef<string> {
	const route = useRoute();
	const router = useRouter();
	return computed({
		get() {
			const value = route.query[name];
			return typeof value === "string" && (!allowed || allowed.includes(value)) ? value : fallback;
		},
		set(value) {
			changeQuery(router, { [resets]: undefined, [name]: value === fallback ? undefined : value }, replaces);
		},
	});
}
