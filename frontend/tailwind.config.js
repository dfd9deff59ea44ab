import preset from "frappe-ui/tailwind";

export default {
	presets: [preset],
	content: [
		"./src/**/*.{vue,ts}",
		"./node_modules/frappe-ui/src/components/**/*.{vue,ts,js}",
		// What the app does not use, and stories and tests, which bring classes of their own.
		"!./node_modules/frappe-ui/src/components/{Calendar,Charts,CommandPalette,TextEditor,VueGridLayout}/**",
		"!./node_modules/frappe-ui/src/components/**/stories/**",
		"!./node_modules/frappe-ui/src/components/**/*.{story.vue,cy.ts}",
	],
	theme: {
		extend: {
			colors: { good: "var(--good)", bad: "var(--bad)" },
			fontFamily: { sans: ["Inter Variable", "ui-sans-serif", "system-ui", "sans-serif"] },
		},
	},
};
