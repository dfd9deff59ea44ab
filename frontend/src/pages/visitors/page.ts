import LucideUsers from "~icons/lucide/users";
import type { Page } from "../page";

const doctypes = ["Visitor"];

export default [
	{ name: "visitors", path: "/visitors", title: "Visitors", order: 30, icon: LucideUsers, doctypes, component: () => import("./Visitors.vue") },
	{ name: "visitor", path: "/visitors/:name", title: "Visitor", order: 31, doctypes, component: () => import("./Visitor.vue") },
] satisfies Page[];
