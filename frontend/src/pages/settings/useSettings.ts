/** One part of the settings as a form: what is there, what was changed, and its saving. */
import { computed, ref, watch } from "vue";
import { post } from "@/data/api";
import { useAsked } from "@/data/asked";
import { useAttempt } from "@/data/attempt";
import { tell } from "@/data/notify";
import { __ } from "@/locale";
import type { Setting, Settings } from "./settings";

export function useSettings(section: keyof Settings) {
	const { data, error, reload } = useAsked<Settings>("trackflow.api.settings.get_settings", () => ({}));
	const fields = computed<Setting[]>(() => data.value?.[section] ?? []);
	const values = ref<Record<string, any>>({});
	watch(fields, (some) => (values.value = Object.fromEntries(some.map(({ name, value }) => [name, value ?? ""]))));
	const changed = computed(() => Object.fromEntries(fields.value.filter(({ name, value }) => String(values.value[name]) !== String(value ?? "")).map(({ name }) => [name, values.value[name]])));
	const isChanged = computed(() => Object.keys(changed.value).length > 0);
	const { isBusy: isSaving, wrong, attempt } = useAttempt();

	const save = () =>
		attempt(async () => {
			data.value = await post<Settings>("trackflow.api.settings.save_settings", { values: changed.value });
			tell(__("Saved"));
		});
	const field = (name: string): Setting => fields.value.find((one) => one.name === name)!;
	return { isReady: computed(() => !!data.value), error, reload, fields, field, values, isChanged, wrong, isSaving, save };
}
