/** What the server was asked for, and what became of it. */
import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { get, type Params } from "./api";
import { errorText } from "./notify";

export interface Asked<T> {
	/** The last answer; it stays while the next one is waited for, and goes when that fails. */
	data: Ref<T | null>;
	/** In words; empty where nothing is wrong. */
	error: Ref<string>;
	isLoading: Ref<boolean>;
	/** Ask again; what is there stays in sight. */
	reload: () => Promise<void>;
}

/**
 * Ask a method for what `question` says, and again when it says something else; `null` asks nothing. An answer that comes after a
 * newer question is not looked at.
 */
export function useAsked<T>(method: string, question: () => Params | null): Asked<T> {
	return useLoaded<T, Params>((params, signal) => get<T>(method, params, signal), question);
}

/** The same by a function of one's own, for what takes more than one request. */
export function useLoaded<T, Q>(load: (question: Q, signal: AbortSignal) => Promise<T>, question: () => Q | null): Asked<T> {
	const data = shallowRef<T | null>(null);
	const error = ref("");
	const isLoading = ref(false);
	let controller: AbortController | undefined;
	let asked = "";

	async function ask(): Promise<void> {
		controller?.abort();
		const now = question();
		if (now === null) {
			[data.value, error.value, isLoading.value] = [null, "", false];
			return;
		}
		const { signal } = (controller = new AbortController());
		isLoading.value = true;
		try {
			const answer = await load(now, signal);
			if (signal.aborted) return;
			[data.value, error.value, isLoading.value] = [answer, "", false];
		} catch (thrown) {
			if (signal.aborted) return;
			[data.value, error.value, isLoading.value] = [null, errorText(thrown), false];
		}
	}

	watch(
		() => JSON.stringify(question()),
		(text) => {
			if (text === asked) return;
			asked = text;
			void ask();
		},
		{ immediate: true },
	);
	onScopeDispose(() => controller?.abort());
	return { data, error, isLoading, reload: ask };
}
