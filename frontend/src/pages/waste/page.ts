import LucideTrash from "~icons/lucide/trash-2";
import type { Page } from "../page";

export default {
	name: "waste",
	path: "/waste",
	title: "Waste",
	order: 70,
	icon: LucideTrash,
	doctypes: ["Daily Rollup"],
	component: () => import("./Waste.vue"),
} satisfies Page;
