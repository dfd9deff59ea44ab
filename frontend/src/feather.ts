/** The icons that frappe-ui's components show by name, in place of Feather's 20 kB: ours are Lucide's, given as components. */
const attrs = { xmlns: "http://www.w3.org/2000/svg", viewBox: "0 0 24 24" };

export default {
	icons: {
		"chevron-right": { attrs, contents: '<polyline points="9 18 15 12 9 6"></polyline>' },
		circle: { attrs, contents: '<circle cx="12" cy="12" r="10"></circle>' },
	},
};
