import { ref, watch, type Ref } from "vue";

/** A value that this browser keeps under a name: taste, never data. */
export function remembered<T>(name: string, fallback: T): Ref<T> {
	const value = ref(read(name, fallback)) as Ref<T>;
	watch(value, (now) => {
		try {
			localStorage.setItem(name, JSON.stringify(now));
		} catch {
			// Nothing may be stored: it lasts as long as the page.
		}
	});
	return value;
}

function read<T>(name: string, fallback: T): T {
	try {
		return JSON.parse(localStorage.getItem(name) ?? "null") ?? fallback;
	} catch {
		return fallback;
	}
}
