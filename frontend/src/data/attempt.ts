/** What a form tries when it is sent: whether it is at it, and what went wrong. */
import { ref, type Ref } from "vue";
import { errorText } from "./notify";

export interface Attempt {
	isBusy: Ref<boolean>;
	/** In words, of the last one; empty where nothing is wrong. */
	wrong: Ref<string>;
	attempt: (work: () => Promise<unknown>) => Promise<void>;
}

/** Several attempts of one form may tell what is wrong in the same place. */
export function useAttempt(wrong: Ref<string> = ref("")): Attempt {
	const isBusy = ref(false);
	async function attempt(work: () => Promise<unknown>): Promise<void> {
		[isBusy.value, wrong.value] = [true, ""];
		try {
			await work();
		} catch (thrown) {
			wrong.value = errorText(thrown);
		} finally {
			isBusy.value = false;
		}
	}
	return { isBusy, wrong, attempt };
}
