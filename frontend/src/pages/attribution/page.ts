import LucideChartNoAxesCombined from "~icons/lucide/chart-no-axes-combined";
import type { Page } from "../page";

export default {
	name: "attribution",
	path: "/attribution",
	title: "Attribution",
	order: 50,
	icon: LucideChartNoAxesCombined,
	doctypes: ["Attribution Link"],
	component: () => import("./Attribution.vue"),
} satisfies Page;
