import LucideHandshake from "~icons/lucide/handshake";
import type { Page } from "../page";

const doctypes = ["CRM Deal"];

export default [
	{ name: "deals", path: "/deals", title: "Deals", order: 34, icon: LucideHandshake, doctypes, component: () => import("./Deals.vue") },
	{ name: "deal", path: "/deals/:name", title: "Deal", order: 35, doctypes, component: () => import("./Deal.vue") },
] satisfies Page[];
