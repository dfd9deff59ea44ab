import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { pause, World } from "./world";

declare const trackflow: (...call: unknown[]) => any;

const world = new World();
const QUIET = { "data-consent": "none", "data-interval": "60000" };
const PAGE = `
	<a id="out" href="https://elsewhere.example/offer?a=1">Out</a> <a id="in" href="/second">In</a>
	<a id="file" href="/files/prices.pdf">Prices</a> <a id="named" href="/export" download>Export</a>
	<a id="mail" href="mailto:ann@example.com">Mail</a>
	<button id="cta" data-trackflow-click="signup" type="button"><b>Sign up</b></button>
	<form id="posts" method="post" action="/contact"><input name="q"><input name="action" value="x"></form>
	<form id="away" method="post" action="https://elsewhere.example/take"><input name="q"></form>
	<form id="gets" action="/search"><input name="q"></form>
	<form id="absolute" method="POST" action="https://shop.example/contact"><input name="q"></form>
	<form id="marked" method="post" action="https://partner.example/" data-trackflow><input name="q"></form>
	${"<br>".repeat(150)}`;
/** What the site's option "all" puts into the tag: test_script.py holds it to the same text. */
const OWN_POSTED_FORMS = "form[method=post i]:not([action*=&quot;//&quot;])";

before(() => world.start());
after(() => world.stop());
// EVT-1: whatever a test does, nothing may have been thrown into the page, and its CSP must have had nothing to object to.
afterEach(() => assert.deepEqual(world.problems, []));

const named = (name: string) => world.events.filter((event) => event.name === name);
const properties = (name: string) => named(name).map((event) => event.properties);

/** A page with something on it to click, whose links lead nowhere. */
async function open(tag: Record<string, string> = QUIET) {
	const page = await world.fresh(tag);
	world.body = PAGE;
	await page.goto(`${world.site}/first`);
	await page.waitForFunction(() => "trackflow" in window);
	await page.evaluate(() => document.addEventListener("click", (event) => event.preventDefault()));
	return page;
}

describe("EVT-2: clicks", () => {
	test("outbound links, downloads and marked elements are captured, other clicks are not", async () => {
		const page = await open();
		for (const id of ["out", "in", "file", "named", "mail"]) await page.click(`#${id}`);
		await page.click("#cta b");
		await page.evaluate(() => trackflow("flush"));
		await world.until(() => named("click").length === 1);
		assert.deepEqual(properties("outbound"), [{ url: "https://elsewhere.example/offer?a=1" }]);
		assert.deepEqual(properties("download"), [{ url: `${world.site}/files/prices.pdf` }, { url: `${world.site}/export` }]);
		assert.deepEqual(properties("click"), [{ name: "signup" }]);
		assert.deepEqual(new Set(world.of("CUSTOM").map(({ url }) => url)), new Set([`${world.site}/first`]));
	});

	test("a link in an SVG, whose address is no text, records nothing of it; what is marked in one is captured", async () => {
		const page = await world.fresh(QUIET);
		world.body = `<svg><a id="out" href="https://elsewhere.example/svg"><text y="20">Out</text></a>
			<a id="file" href="/files/prices.pdf"><text y="40">Prices</text></a>
			<a id="cta" href="#" data-trackflow-click="chart"><text y="60">Chart</text></a></svg>`;
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => document.addEventListener("click", (event) => event.preventDefault()));
		for (const id of ["out", "file", "cta"]) await page.click(`#${id}`);
		await page.evaluate(() => trackflow("flush"));
		await world.until(() => named("click").length === 1);
		assert.deepEqual(world.of("CUSTOM").map(({ name, properties }) => [name, properties]), [["click", { name: "chart" }]]);
	});

	test("a link that leaves the page is reported although the page is gone", async () => {
		const page = await world.fresh(QUIET);
		world.body = `<a id="away" href="${world.site.replace("127.0.0.1", "shop.example")}/second">Away</a>`;
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.click("#away");
		await world.until(() => named("outbound").length === 1);
	});

	test("EVT-4: the same click again on the same page is no news; on the next page it is", async () => {
		const page = await open();
		await page.dblclick("#cta");
		await page.dblclick("#out");
		await page.evaluate(() => history.pushState({}, "", "/other"));
		await page.click("#cta");
		await page.evaluate(() => trackflow("flush"));
		await world.until(() => named("click").length === 2);
		assert.equal(named("outbound").length, 1);
		assert.deepEqual(named("click").map(({ url }) => new URL(url).pathname), ["/first", "/other"]);
	});
});

describe("EVT-2: forms", () => {
	test("the first focus in a form is reported once a page", async () => {
		const page = await world.fresh(QUIET);
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.focus("#lead [name=email]");
		await page.focus("#lead [name=id]");
		await page.focus("#other [name=q]");
		await page.focus("#lead [name=email]");
		await page.evaluate(() => trackflow("flush"));
		await world.until(() => named("focus").length === 2);
		assert.deepEqual(properties("focus"), [{ form_id: "lead" }, { form_id: "other" }]);
	});

	test("a form without an id is told by its name, one without either by nothing", async () => {
		const page = await world.fresh(QUIET);
		world.body = '<form name="enquiry"><input name="id"></form><form><input name="name"></form>';
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.focus("[name=id]");
		await page.focus("[name=name]");
		await page.evaluate(() => trackflow("flush"));
		await world.until(() => named("focus").length === 2);
		assert.deepEqual(properties("focus"), [{ form_id: "enquiry" }, { form_id: null }]);
	});

	const filled = async (tag: Record<string, string>) => {
		const page = await open(tag);
		return page.evaluate(() =>
			[...document.querySelectorAll("form")]
				.filter((form) => form.querySelector("[name=trackflow_visitor_id]"))
				.map((form) => form.getAttribute("id")),
		);
	};

	test("EVT-6: without a setting only marked forms carry the visitor", async () => {
		assert.deepEqual(await filled(QUIET), ["marked"]);
	});

	test("EVT-6: by setting all forms do that are posted to the website itself", async () => {
		assert.deepEqual(await filled({ ...QUIET, "data-forms": OWN_POSTED_FORMS }), ["posts", "marked"]);
	});

	test("EVT-6: any selector chooses them", async () => {
		assert.deepEqual(await filled({ ...QUIET, "data-forms": "#away,#gets" }), ["away", "gets", "marked"]);
	});

	for (const selector of ["", "form[", "all"])
		test(`EVT-1: ${selector || "an empty text"} for a selector costs no event`, async () => {
			const page = await open({ ...QUIET, "data-forms": selector });
			await page.evaluate(() => {
				document.addEventListener("submit", (event) => event.preventDefault());
				trackflow("track", "first");
				document.querySelector<HTMLFormElement>("#posts")!.requestSubmit();
			});
			await world.until(() => world.of("FORM_SUBMIT").length === 1);
			assert.deepEqual(world.events.map(({ type }) => type), ["PAGE_VIEW", "CUSTOM", "FORM_SUBMIT"]);
		});
});

describe("EVT-2: engagement", () => {
	test("a page that is left says once how long and how far down it was looked at", async () => {
		const page = await open();
		await page.evaluate(() => scrollTo(0, 1000));
		await pause(2200);
		await page.goto("about:blank");
		await world.until(() => named("engagement").length === 1);
		const [{ type, url, properties: told, timestamp }] = named("engagement");
		assert.deepEqual([type, url], ["CUSTOM", `${world.site}/first`]);
		assert.ok(told.seconds >= 1 && told.seconds <= 4, JSON.stringify(told));
		assert.ok(told.scroll > 40 && told.scroll < 70, JSON.stringify(told));
		assert.ok(Math.abs(Date.now() - timestamp) < 10_000);
		await pause(300);
		assert.equal(named("engagement").length, 1);
	});

	test("in a single-page application it belongs to the page that was left, before the view of the next", async () => {
		const page = await open({ "data-consent": "none" });
		await pause(1500);
		await page.evaluate(() => history.pushState({}, "", "/next"));
		await world.until(() => world.of("PAGE_VIEW").length === 2);
		assert.deepEqual(
			world.events.map(({ type, url }) => [type, new URL(url).pathname]),
			[["PAGE_VIEW", "/first"], ["CUSTOM", "/first"], ["PAGE_VIEW", "/next"]],
		);
	});

	test("a page that was left within a second was not looked at", async () => {
		const page = await open();
		await page.goto("about:blank");
		await world.until(() => world.of("PAGE_VIEW").length === 1);
		assert.equal(named("engagement").length, 0);
	});

	test("a hidden page is not looked at, and says what it knows when it is hidden", async () => {
		const page = await open();
		await pause(1500);
		await page.evaluate(() => {
			Object.defineProperty(document, "hasFocus", { value: () => false });
			document.dispatchEvent(new Event("visibilitychange"));
		});
		await world.until(() => named("engagement").length === 1);
		await pause(2200);
		await page.goto("about:blank");
		await pause(300);
		assert.equal(named("engagement").length, 1);
	});
});

describe("EVT-2: each capture can be switched off in the tag", () => {
	const act = async (off: string) => {
		const page = await open({ ...QUIET, "data-off": off });
		for (const id of ["out", "file", "cta"]) await page.click(`#${id}`);
		await page.focus("#posts [name=q]");
		await page.evaluate(() => {
			document.addEventListener("submit", (event) => event.preventDefault());
			document.querySelector<HTMLFormElement>("#posts")!.requestSubmit();
		});
		await pause(1500);
		await page.evaluate(() => trackflow("track", "end"));
		await page.goto("about:blank");
		await world.until(() => named("end").length === 1 && (off.includes("engagement") || named("engagement").length === 1));
		return new Set(world.events.map(({ type, name }) => name || type));
	};
	const all: Record<string, string> = {
		outbound: "outbound",
		downloads: "download",
		clicks: "click",
		engagement: "engagement",
		forms: "FORM_SUBMIT",
		focus: "focus",
		pages: "PAGE_VIEW",
	};

	for (const [word, name] of Object.entries(all))
		test(`${word}: only ${name} is missing`, async () => {
			const expected = new Set([...Object.values(all).filter((other) => other !== name), "end"]);
			assert.deepEqual([...(await act(word))].sort(), [...expected].sort());
		});

	test("scroll: engagement says nothing of it", async () => {
		await act("scroll");
		assert.deepEqual(named("engagement").map((event) => Object.keys(event.properties)), [["seconds"]]);
	});

	test("all together", async () => {
		assert.deepEqual([...(await act(Object.keys(all).join(" ")))], ["end"]);
	});
});

describe("EVT-3: fixed custom fields", () => {
	test("go with every event, beside its own properties", async () => {
		const page = await open({ ...QUIET, "data-fields": "{&quot;plan&quot;:&quot;pro&quot;,&quot;team&quot;:7}" });
		await page.evaluate(() => {
			document.addEventListener("submit", (event) => event.preventDefault());
			document.querySelector<HTMLFormElement>("#posts")!.requestSubmit();
			trackflow("identify", { name: "Ann" });
			trackflow("conversion", "order");
			trackflow("consent", "granted");
			trackflow("track", "x", { team: 8 });
			trackflow("flush");
		});
		await world.until(() => named("x").length === 1);
		assert.deepEqual(named("x")[0].properties, { team: 8 });
		assert.deepEqual(
			world.events.map(({ type, fields }) => [type, fields]),
			["PAGE_VIEW", "FORM_SUBMIT", "IDENTIFY", "CONVERSION", "CONSENT", "CUSTOM"].map((type) => [type, { plan: "pro", team: 7 }]),
		);
	});
});

describe("EVT-1: on pages that are against it", () => {
	test("offline and back: nothing is lost, nothing twice", async () => {
		const page = await open({ "data-consent": "none" });
		await world.until(() => world.of("PAGE_VIEW").length === 1);
		await page.context().setOffline(true);
		await page.evaluate(() => trackflow("track", "while-away"));
		await pause(800);
		assert.equal(named("while-away").length, 0);
		await page.context().setOffline(false);
		await world.until(() => named("while-away").length === 1);
		const deliveries = world.deliveries.flatMap(({ events }) => events).filter(({ name }) => name === "while-away");
		assert.equal(deliveries.length, 1);
	});

	test("closing the tab loses nothing", async () => {
		const page = await open();
		await world.newPage();
		await page.evaluate(() => trackflow("track", "last"));
		await Promise.all([page.waitForEvent("close"), page.close({ runBeforeUnload: true })]);
		await world.until(() => named("last").length === 1);
	});

	test("EVT-4: a storage that is full: a new visitor's visit is told, by one id, as where it is blocked", async () => {
		const page = await world.fresh({ "data-consent": "none" });
		await page.evaluate(() => {
			let text = "x".repeat(1 << 22);
			for (let number = 0; text; number++)
				try {
					localStorage["other" + number] = text;
				} catch {
					text = text.slice(0, text.length >> 1);
				}
		});
		world.body = '<a id="out" href="https://elsewhere.example/" data-trackflow-click="offer">Out</a>';
		world.tag["data-batch-size"] = "2";
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => document.addEventListener("click", (event) => event.preventDefault()));
		await page.click("#out");
		await world.until(() => world.events.length === 3);
		assert.deepEqual(world.events.map(({ name }) => name), ["", "click", "outbound"]);
		await page.evaluate(() => trackflow("consent", "granted"));
		await page.goto(`${world.site}/second`);
		await world.until(() => world.of("PAGE_VIEW").length === 2);
		assert.equal(new Set(world.events.map(({ visitorId }) => visitorId)).size, 1);
		assert.equal(await page.evaluate(() => localStorage.trackflow_visitor), undefined);
		assert.equal(world.events[0].visitorId, await world.cookie("trackflow_visitor"));
	});

	test("blocked cookies and storage: the visit is told, and nothing is thrown", async () => {
		const page = await world.fresh({ "data-consent": "none" });
		world.pageScript = `
			Object.defineProperty(Document.prototype, "cookie", { get: () => "", set() {} });
			Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });`;
		await page.goto(`${world.site}/first`);
		await world.until(() => world.of("PAGE_VIEW").length === 1);
		assert.match(world.events[0].visitorId, /^v_[0-9a-f]{16}$/);
		await page.evaluate(() => trackflow("consent", "denied"));
		await page.evaluate(() => trackflow("track", "late"));
		await pause(400);
		assert.equal(named("late").length, 0);
	});

	for (const [what, script] of Object.entries({
		"JSON.stringify": "JSON.stringify = () => { throw new Error('no'); };",
		fetch: "window.fetch = () => { throw new Error('no'); };",
		Date: "window.Date = function () { throw new Error('no'); }; Date.now = () => { throw new Error('no'); };",
		addEventListener: "window.addEventListener = () => { throw new Error('no'); };",
		Math: "Math.random = () => { throw new Error('no'); };",
		crypto: "Object.defineProperty(window, 'crypto', { value: undefined });",
		"Array.prototype": "Array.prototype.map = Array.prototype.slice = Array.prototype.push = () => { throw new Error('no'); }; Array.prototype.extra = 1;",
		"document.cookie": "Object.defineProperty(document, 'cookie', { get() { throw new Error('no'); }, set() { throw new Error('no'); } });",
	}))
		test(`a page that breaks ${what} never hears of it`, async () => {
			const page = await world.fresh({ "data-consent": "none" });
			world.pageScript = `window.addEventListener("unhandledrejection", (event) => { document.title = String(event.reason); });
				setTimeout(() => window.trackflow && trackflow("track", "x"), 900);${script}`;
			world.body = PAGE;
			await page.goto(`${world.site}/first`);
			await pause(1300);
			await page.focus("#posts [name=q]");
			await page.click("#cta");
			await pause(300);
			assert.equal(await page.title(), "Page /first");
		});
});
