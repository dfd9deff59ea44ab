/**
 * How the tests start Chromium: the one on PATH, which speaks to nobody but the page it is shown.
 */
export const CHROMIUM = {
	executablePath: process.env.CHROMIUM,
	headless: true,
	args: [
		"--no-sandbox",
		"--disable-gpu",
		"--disable-quic",
		"--no-first-run",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-sync",
		"--host-resolver-rules=MAP shop.example 127.0.0.1",
	],
};
