import LucideTarget from "~icons/lucide/target";
import type { Page } from "../page";

const doctypes = ["Conversion", "Attribution Link"];

export default [
	{ name: "conversions", path: "/conversions", title: "Conversions", order: 40, icon: LucideTarget, doctypes, component: () => import("./Conversions.vue") },
	{ name: "conversion", path: "/conversions/:name", title: "Conversion", order: 41, doctypes, component: () => import("./Conversion.vue") },
] satisfies Page[];
