/** What the figures of a page are about: period, website or project, model; all of it out of the address. */
import { computed } from "vue";
import { useRoute, useRouter } from "vue-router";
import { boot } from "./boot";
import { periodOf, queryOf, type Period } from "./period";
import { changeQuery, useQueryValue } from "./query";

export function useScope() {
	const route = useRoute();
	const router = useRouter();
	const period = computed(() => periodOf(route.query, boot().time_zone.site));
	const domain = useQueryValue("domain");
	const project = useQueryValue("project");
	const model = useQueryValue("model", boot().default_model, { allowed: boot().models });

	return {
		period,
		domain,
		project,
		model,
		setPeriod: (chosen: Pick<Period, "name"> & Partial<Period>) => changeQuery(router, { page: undefined, ...queryOf(chosen) }),
		/** Period and website, as the methods of the API take them. */
		params: computed(() => ({
			from_date: period.value.from,
			to_date: period.value.to,
			domain: domain.value || undefined,
			project: (!domain.value && project.value) || undefined,
		})),
		/** The same part of the address for links to other pages, so that they are about the same. */
		carried: computed(() => {
			const { period: name, from, to, domain: host, project: group, model: chosen } = route.query;
			return { period: name, from, to, domain: host, project: group, model: chosen };
		}),
	};
}
