import LucideUserRoundPlus from "~icons/lucide/user-round-plus";
import type { Page } from "../page";

const doctypes = ["CRM Lead"];

export default [
	{ name: "leads", path: "/leads", title: "Leads", order: 32, icon: LucideUserRoundPlus, doctypes, component: () => import("./Leads.vue") },
	{ name: "lead", path: "/leads/:name", title: "Lead", order: 33, doctypes, component: () => import("./Lead.vue") },
] satisfies Page[];
