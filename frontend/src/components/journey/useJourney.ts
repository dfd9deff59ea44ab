/** A person's journey, page after page, oldest first. */
import { computed, ref, watch } from "vue";
import { get, type Params } from "@/data/api";
import { useAsked } from "@/data/asked";
import { errorText } from "@/data/notify";
import type { Entry, Journey } from "./journey";

const METHOD = "trackflow.api.visitor.get_journey";
const LIMIT = 50;

/** By a visitor, a lead or a deal, as `get_journey` takes them. */
export function useJourney(person: () => Params | null) {
	const question = () => (person() ? { ...person(), limit: LIMIT } : null);
	const { data, error, isLoading, reload } = useAsked<Journey>(METHOD, question);
	const later = ref<Entry[]>([]);
	const nextStart = ref<number | null>(null);
	const isAdding = ref(false);
	const moreError = ref("");

	watch(data, (journey) => {
		[later.value, nextStart.value, moreError.value] = [[], journey?.next_start ?? null, ""];
	});

	async function showMore(): Promise<void> {
		const asked = data.value;
		[isAdding.value, moreError.value] = [true, ""];
		try {
			const journey = await get<Journey>(METHOD, { ...question(), start: nextStart.value });
			// Of whoever is looked at by now.
			if (asked === data.value) {
				later.value = [...later.value, ...journey.entries];
				nextStart.value = journey.next_start;
			}
		} catch (thrown) {
			moreError.value = errorText(thrown);
		} finally {
			isAdding.value = false;
		}
	}

	return {
		visitors: computed(() => data.value?.visitors ?? []),
		entries: computed(() => [...(data.value?.entries ?? []), ...later.value]),
		isReady: computed(() => data.value !== null),
		hasMore: computed(() => nextStart.value !== null),
		error,
		isLoading,
		reload,
		showMore,
		isAdding,
		moreError,
	};
}

export type UsedJourney = ReturnType<typeof useJourney>;
