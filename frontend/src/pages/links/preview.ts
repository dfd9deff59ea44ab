import { onScopeDispose, ref, watch } from "vue";
import { post } from "@/data/api";
import { useLoaded } from "@/data/asked";
import { FORM, valuesOf, type Form, type Preview } from "./links";

/** How long somebody has stopped typing before the server is asked. */
const PAUSE = 250;

/**
 * What a link would be, while it is typed: of a new one, or of one that is there. A code that the server made is kept, so that the
 * QR code stays the same: `codeOf` is what to save the link with.
 */
export function usePreview(form: () => Form, linkName?: string) {
	const typed = ref<Form>({ ...form() });
	const made = ref("");
	let timer: ReturnType<typeof setTimeout> | undefined;
	onScopeDispose(() => clearTimeout(timer));
	watch(
		() => ({ ...form() }),
		(now) => {
			clearTimeout(timer);
			// What is pasted is not waited for.
			const pause = now.target_url !== typed.value.target_url ? 0 : PAUSE;
			timer = setTimeout(() => (typed.value = now), pause);
		},
		{ deep: true },
	);

	const preview = useLoaded<Preview, Form>(
		async (values) => {
			let answer = await ask(values, made.value);
			// Somebody else has taken the code meanwhile.
			if (made.value && !values.short_code && !answer.short_code) answer = await ask(values, "");
			if (!values.short_code && answer.short_code) made.value = answer.short_code;
			return answer;
		},
		() => (typed.value.target_url.trim() ? typed.value : null),
	);

	/** Of an existing link emptied fields are told as well: what is not sent is as it is stored. */
	function ask(values: Form, code: string): Promise<Preview> {
		const link: Record<string, string> = linkName ? { ...FORM, ...valuesOf(values) } : valuesOf(values);
		if (code && !link.short_code) link.short_code = code;
		return post<Preview>("trackflow.api.links.preview_link", { link, link_name: linkName });
	}

	return {
		...preview,
		codeOf: (values: Form) => values.short_code.trim() || made.value,
		forgetCode: () => (made.value = ""),
	};
}
