import type { Component } from "vue";

export interface Page {
	/** The route's name, which others link to. */
	name: string;
	/** Below /trackflow. */
	path: string;
	/** In English; shown by `__()` in menu, heading and title. */
	title: string;
	/** In the menu from low to high. */
	order: number;
	/** Pages with an icon are in the menu. */
	icon?: Component;
	/** The heading of the menu below which it stands. */
	section?: string;
	/** DocTypes whose right to read it takes; without it the page is not in the menu. */
	doctypes?: string[];
	component: () => Promise<unknown>;
}
