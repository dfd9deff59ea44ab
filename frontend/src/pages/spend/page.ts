import LucideWallet from "~icons/lucide/wallet";
import type { Page } from "../page";

const ofCosts = ["Cost Import", "Daily Campaign Metric"];

export default [
	{ name: "spend", path: "/spend", title: "Spend", order: 60, icon: LucideWallet, doctypes: ["Daily Rollup"], component: () => import("./Spend.vue") },
	{ name: "import-costs", path: "/spend/import", title: "Import costs", order: 61, doctypes: ofCosts, component: () => import("./ImportCosts.vue") },
	{ name: "cost-imports", path: "/spend/imports", title: "Imports of costs", order: 62, doctypes: ofCosts, component: () => import("./CostImports.vue") },
	{ name: "cost-import", path: "/spend/imports/:name", title: "Import of costs", order: 63, doctypes: ofCosts, component: () => import("./CostImport.vue") },
] satisfies Page[];
