/**
 * A list as the server has it: sorted, filtered and paged there. Page, order and search stand in the address, so that a list that was
 * left looks the same when one comes back.
 */
import { computed, type Ref } from "vue";
import { get, type Params } from "./api";
import { useLoaded } from "./asked";
import { useQueryValue } from "./query";

export type Row = Record<string, any>;
/** As Frappe takes them: `["status", "=", "Active"]`. */
export type Filter = [string, string, unknown];

export interface Sort {
	field: string;
	direction: "asc" | "desc";
}

export interface ListPart {
	rows: Row[];
	/** All there are; null where nobody counted. */
	total: number | null;
	/** Whether there is a page after this one. */
	hasMore: boolean;
	/** What the method answered beside the rows. */
	answer?: Record<string, any>;
}

export interface ListQuestion {
	start: number;
	limit: number;
	sort: Sort;
	search: string;
	filters: Filter[];
	params: Params;
}

export interface ListOptions {
	/**
	 * A DocType whose rows are listed, with `fields`; or a method of ours that answers pages, with its `params`, which may change, and the
	 * name under which it answers `rows`; or `load`, which asks whatever it likes.
	 */
	doctype?: string;
	fields?: string[];
	method?: string;
	params?: () => Params;
	rows?: string;
	load?: (question: ListQuestion, signal: AbortSignal) => Promise<ListPart>;
	/** What holds beside what people search for; may change. */
	filters?: () => Filter[];
	/** Fields that the search looks into. */
	searchFields?: string[];
	sort: Sort;
	/** Fields that people may sort by; others in an address are not obeyed. */
	sortable?: string[];
	limit?: number;
	/** Counting takes a look at every row that fits: not for tables of millions. */
	counts?: boolean;
	/** Where a page has several lists, what their parts of the address begin with. */
	prefix?: string;
}

export function useList(options: ListOptions) {
	const limit = options.limit ?? 20;
	const name = (part: string) => `${options.prefix ?? ""}${part}`;
	const pageText = useQueryValue(name("page"), "1", { resets: name("page") });
	const sortText = useQueryValue(name("sort"), sortName(options.sort), { resets: name("page") });
	const search = useQueryValue(name("search"), "", { replaces: true, resets: name("page") });

	const page = computed({
		get: () => Math.max(1, Math.floor(Number(pageText.value)) || 1),
		set: (value: number) => (pageText.value = String(value)),
	});
	const sort = computed({
		get: () => sortOf(sortText.value, options.sortable ?? []) ?? options.sort,
		set: (value: Sort) => (sortText.value = sortName(value)),
	});

	const load = options.load ?? ((question, signal) => (options.method ? loadPage : loadRows)(options, question, signal));
	const question = () => ({
		start: (page.value - 1) * limit,
		limit,
		sort: sort.value,
		search: search.value.trim(),
		filters: options.filters?.() ?? [],
		params: options.params?.() ?? {},
	});
	const { data, error, isLoading, reload } = useLoaded(load, question);

	return {
		rows: computed(() => data.value?.rows ?? []),
		total: computed(() => data.value?.total ?? null),
		hasMore: computed(() => data.value?.hasMore ?? false),
		answer: computed(() => data.value?.answer ?? null),
		/** Whether an answer is there at all: before it nothing is empty. */
		isReady: computed(() => data.value !== null),
		isNarrowed: computed(() => search.value.trim() !== ""),
		limit,
		page,
		sort,
		search: search as Ref<string>,
		error,
		isLoading,
		reload,
	};
}

export type List = ReturnType<typeof useList>;

async function loadPage({ method, rows }: ListOptions, question: ListQuestion, signal: AbortSignal): Promise<ListPart> {
	const { start, limit, sort, search, params } = question;
	const answer = await get<Record<string, any>>(method!, { ...params, search, start, limit, sort: `${sort.field} ${sort.direction}` }, signal);
	return { rows: answer[rows!], total: null, hasMore: answer.next_start !== null, answer };
}

async function loadRows(options: ListOptions, question: ListQuestion, signal: AbortSignal): Promise<ListPart> {
	const { doctype, fields, searchFields = [], counts = true } = options;
	const words = question.search && searchFields.length ? searchFields.map((field): Filter => [field, "like", `%${question.search}%`]) : [];
	// One field can be counted too; Frappe's count knows no "or".
	const filters = words.length === 1 ? [...question.filters, ...words] : question.filters;
	const alternatives = words.length > 1 ? words : undefined;
	const [rows, total] = await Promise.all([
		get<Row[]>(
			"frappe.client.get_list",
			{
				doctype,
				fields: fields ?? ["name"],
				filters,
				or_filters: alternatives,
				order_by: `${question.sort.field} ${question.sort.direction}, name asc`,
				limit_start: question.start,
				limit_page_length: question.limit + 1,
			},
			signal,
		),
		counts && !alternatives ? get<number>("frappe.client.get_count", { doctype, filters }, signal) : null,
	]);
	return { rows: rows.slice(0, question.limit), total, hasMore: rows.length > question.limit };
}

/** In addresses: `creation` upwards, `-creation` downwards. */
export const sortName = ({ field, direction }: Sort): string => (direction === "desc" ? `-${field}` : field);

export function sortOf(text: string, allowed: readonly string[]): Sort | null {
	const field = text.replace(/^-/, "");
	return allowed.includes(field) ? { field, direction: text.startsWith("-") ? "desc" : "asc" } : null;
}
