/** Every page is a folder of pages/ with a `page.ts` that says what it is; there is no other list of them. */
import { nextTick } from "vue";
import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import { may } from "./data/boot";
import type { Page } from "./pages/page";

const found = import.meta.glob<{ default: Page | Page[] }>("./pages/*/page.ts", { eager: true });
export const pages: Page[] = Object.values(found)
	.flatMap((module) => module.default)
	.sort((a, b) => a.order - b.order);

const isAllowed = (page: Page) => (page.doctypes ?? []).every((doctype) => may(doctype));
export const menu = () => pages.filter((page) => page.icon && isAllowed(page));

const routes: RouteRecordRaw[] = pages.map((page) => ({
	path: page.path,
	name: page.name,
	component: page.component,
	props: true,
}));

export const router = createRouter({
	history: createWebHistory("/trackflow"),
	routes: [
		...routes,
		{ path: "/:path(.*)*", name: "not-found", component: () => import("./pages/NotFound.vue") },
	],
	scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

router.afterEach((to, from) => {
	// A change of the query is the same page. Whoever follows a link by keyboard or screen reader begins at the page's heading.
	if (from.matched.length && to.path !== from.path) void nextTick(() => document.getElementById("main")?.focus());
});

export const hasPage = (name: string): boolean => router.hasRoute(name);

