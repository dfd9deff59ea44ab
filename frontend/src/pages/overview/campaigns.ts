import { computed, type Ref } from "vue";
import { get } from "@/data/api";
import { useLoaded } from "@/data/asked";
import { may } from "@/data/boot";

/** Which of these names are campaigns of ours; the others are what visitors' addresses said. */
export function useKnownCampaigns(names: () => string[]): Ref<Set<string>> {
	const { data } = useLoaded(
		(asked: string[], signal) =>
			get<{ name: string }[]>(
				"frappe.client.get_list",
				{ doctype: "Link Campaign", filters: [["name", "in", asked]], order_by: "name asc", limit_page_length: asked.length },
				signal,
			),
		() => (names().length && may("Link Campaign") ? names() : null),
	);
	return computed(() => new Set(data.value?.map(({ name }) => name)));
}
