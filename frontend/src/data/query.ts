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

/**
 * One part of the address as a value that can be set. A new value leads back to the first page of a list. `allowed` are the values
 * that mean something; any other is taken for the fallback.
 */
export function useQueryValue(name: string, fallback = "", allowed?: readonly string[]): WritableComputedRef<string> {
	const route = useRoute();
	const router = useRouter();
	return computed({
		get() {
			const value = route.query[name];
			return typeof value === "string" && (!allowed || allowed.includes(value)) ? value : fallback;
		},
		set(value) {
			const changes: Changes = { [name]: value === fallback ? undefined : value };
			changeQuery(router, name === "page" ? changes : { page: undefined, ...changes });
		},
	});
}
