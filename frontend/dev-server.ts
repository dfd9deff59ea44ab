import type { Connect, Plugin } from "vite";

/**
 * `npm run dev`: the page comes from a site that runs (with its login and boot data), its scripts from Vite instead of from the
 * build. All else is the site's.
 */
export function pageOfSite(site: string): Plugin {
	const isPage = (url = "") => /^\/trackflow([/?]|$)/.test(url);
	return {
		name: "trackflow-page-of-site",
		apply: "serve",
		config: () => ({ server: { proxy: { "^/(api|app|desk|crm|login|assets|files|private|r)([/?]|$)": site } } }),
		configureServer(server) {
			const answer: Connect.NextHandleFunction = async (request, response, next) => {
				if (!isPage(request.url)) return next();
				try {
					const page = await fetch(site + request.url, { headers: { cookie: request.headers.cookie ?? "" }, redirect: "manual" });
					response.statusCode = page.status;
					const location = page.headers.get("location");
					if (location) response.setHeader("Location", location.replace(site, ""));
					response.setHeader("Content-Type", "text/html; charset=utf-8");
					response.end(await server.transformIndexHtml(request.url!, ours(await page.text())));
				} catch (error) {
					next(error);
				}
			};
			server.middlewares.use(answer);
		},
	};
}

/** The page with Vite's entry in place of the built one's tags. */
function ours(html: string): string {
	const built = /<(script|link)[^>]*\/assets\/trackflow\/frontend\/[^>]*>(<\/script>)?\s*/g;
	return html.replace(built, "").replace("</head>", '<script type="module" src="/src/main.ts"></script></head>');
}
