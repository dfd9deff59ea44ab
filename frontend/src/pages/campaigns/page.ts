import LucideMegaphone from "~icons/lucide/megaphone";
import type { Page } from "../page";

const doctypes = ["Link Campaign"];

export default [
	{ name: "campaigns", path: "/campaigns", title: "Campaigns", order: 10, icon: LucideMegaphone, doctypes, component: () => import("./Campaigns.vue") },
	{ name: "campaign", path: "/campaigns/:name", title: "Campaign", order: 11, doctypes, component: () => import("./Campaign.vue") },
] satisfies Page[];
