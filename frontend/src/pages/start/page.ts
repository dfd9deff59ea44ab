import type { Page } from "../page";

export default {
	name: "start",
	path: "/start",
	title: "First steps",
	order: 95,
	doctypes: ["Tracked Link", "Click Event"],
	component: () => import("./FirstStepsPage.vue"),
} satisfies Page;
