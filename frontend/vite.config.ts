import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import frappeui from "frappe-ui/vite";
import { defineConfig } from "vite";
import { pageOfSite } from "./dev-server";
import { listMessages } from "./messages";

/** The site that `npm run dev` shows: what `make up` serves, unless TRACKFLOW_SITE names another. */
const SITE = process.env.TRACKFLOW_SITE || "http://localhost:8000";
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ command }) => ({
	base: command === "build" ? "/assets/trackflow/frontend/" : "/",
	plugins: [
		// Of its plugins the icons alone: page, boot data and output are Frappe's way here (trackflow/www/trackflow.html).
		frappeui({ frappeProxy: false, jinjaBootData: false, buildConfig: false, lucideIcons: true }),
		// /assets/… are the site's, not files of ours.
		vue({ template: { transformAssetUrls: { includeAbsolute: false } } }),
		pageOfSite(SITE),
		listMessages(),
	],
	resolve: {
		alias: [
			{ find: "@", replacement: file("src") },
			// Its package names no way to single components; see src/ui.ts.
			{ find: "#frappe-ui", replacement: file("node_modules/frappe-ui/src") },
			{ find: /^feather-icons$/, replacement: file("src/feather.ts") },
		],
	},
	server: { port: 8080 },
	build: {
		outDir: "../trackflow/public/frontend",
		emptyOutDir: true,
		// Not in .vite/: packages leave out hidden folders.
		manifest: "manifest.json",
		rollupOptions: { input: "src/main.ts" },
		target: "es2022",
		// Every script is a file with a hash in its name, none is inline: the page's CSP wants it so.
		assetsInlineLimit: 0,
		chunkSizeWarningLimit: 600,
	},
	optimizeDeps: { exclude: ["frappe-ui"], include: ["frappe-ui > reka-ui", "frappe-ui > dompurify"] },
	test: { include: ["tests/unit/**/*.test.ts"] },
}));
