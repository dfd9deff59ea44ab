import { onScopeDispose, ref, type Ref } from "vue";

/** Whether the screen is as narrow as a phone's: lists are cards then. */
export function useIsNarrow(): Ref<boolean> {
	const query = matchMedia("(max-width: 639px)");
	const isNarrow = ref(query.matches);
	const look = () => (isNarrow.value = query.matches);
	query.addEventListener("change", look);
	onScopeDispose(() => query.removeEventListener("change", look));
	return isNarrow;
}
