import LucideLayoutDashboard from "~icons/lucide/layout-dashboard";
import type { Page } from "../page";

export default {
	name: "overview",
	path: "/",
	title: "Overview",
	order: 0,
	icon: LucideLayoutDashboard,
	doctypes: ["Visitor Session", "Click Event", "Touch Point", "Attribution Link"],
	component: () => import("./Overview.vue"),
} satisfies Page;
