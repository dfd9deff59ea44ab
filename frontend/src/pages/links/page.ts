import LucideLink from "~icons/lucide/link";
import type { Page } from "../page";

const doctypes = ["Tracked Link"];

export default [
	{ name: "links", path: "/links", title: "Links", order: 20, icon: LucideLink, doctypes, component: () => import("./Links.vue") },
	{ name: "new-link", path: "/links/new", title: "New link", order: 21, doctypes, component: () => import("./NewLink.vue") },
	{ name: "import-links", path: "/links/import", title: "Create many links", order: 22, doctypes, component: () => import("./ImportLinks.vue") },
	{ name: "link", path: "/links/:name", title: "Link", order: 23, doctypes, component: () => import("./Link.vue") },
] satisfies Page[];
