import LucideSettings from "~icons/lucide/settings";
import type { Page } from "../page";

const doctypes = ["TrackFlow Settings", "Domain Configuration"];

export default [
	{ name: "settings", path: "/settings/:tab?", title: "Settings", order: 90, icon: LucideSettings, doctypes, component: () => import("./Settings.vue") },
	{ name: "website", path: "/settings/websites/:name", title: "Website", order: 91, doctypes, component: () => import("./Website.vue") },
] satisfies Page[];
