import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ENDPOINT, KEY, pause, World } from "./world";

declare const trackflow: (...call: unknown[]) => any;

const world = new World();
const STUB = "window.trackflow = window.trackflow || function () { (trackflow.q = trackflow.q || []).push(arguments); };";
const ID = /^v_[0-9a-f]{16}$/;
const NO_ID = [undefined, ""];

before(() => world.start());
after(() => world.stop());
// EVT-1: whatever a test does, nothing may have been thrown into the page, and its CSP must have had nothing to object to.
afterEach(() => assert.deepEqual(world.problems, []));

describe("EVT-2: page views", () => {
	test("a page is reported once, with title, referrer, screen and viewport", async () => {
		const page = await world.fresh();
		await page.setViewportSize({ width: 1000, height: 700 });
		await page.goto(`${world.site}/first?utm_source=news#top`);
		await world.until(() => world.events.length > 0);
		await page.evaluate(() => (location.hash = "elsewhere"));
		await pause(500);
		assert.equal(world.events.length, 1);
		const [event] = world.events;
		assert.equal(event.type, "PAGE_VIEW");
		assert.equal(event.url, `${world.site}/first?utm_source=news#top`);
		assert.equal(event.title, "Page /first");
		assert.equal(event.viewport, "1000x700");
		assert.match(event.screen, /^\d+x\d+$/);
		assert.match(event.visitorId, ID);
		assert.match(event.eventId, /^[0-9a-f]{32}$/);
		assert.equal(event.consent, "none");
		assert.ok(Math.abs(event.timestamp - Date.now()) < 10_000);
	});

	test("the next page names the first as its referrer and has the same visitor", async () => {
		const page = await world.fresh();
		await page.goto(`${world.site}/first?utm_source=news`);
		await page.click("a");
		await world.until(() => world.of("PAGE_VIEW").length === 2);
		const [first, second] = world.events;
		assert.equal(second.referrer, first.url);
		assert.equal(second.visitorId, first.visitorId);
	});

	test("a visitor who leaves at once is still reported (sendBeacon)", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "60000" });
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.goto("about:blank");
		await world.until(() => world.of("PAGE_VIEW").length === 1);
		assert.equal(world.deliveries.length, 1);
		assert.match(world.deliveries[0].contentType, /^text\/plain/);
	});

	test("a page that is left with a batch under way loses neither that nor what came after it", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "60000", "data-batch-size": "2" });
		world.behaviour = "hang";
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => {
			trackflow("track", "under-way");
			trackflow("track", "after");
		});
		await world.until(() => world.deliveries.length === 1);
		await page.goto("about:blank");
		await world.until(() => world.deliveries.length === 2);
		const names = world.deliveries.map(({ events }) => events.map(({ name, type }) => name || type));
		assert.deepEqual(names, [["PAGE_VIEW", "under-way"], ["PAGE_VIEW", "under-way", "after"]]);
		assert.equal(world.events.length, 3);
	});

	test("EVT-4: whatever ends a page also hides it: visibilitychange is heard wherever pagehide is", async () => {
		const ends: Record<string, (page: Awaited<ReturnType<World["fresh"]>>) => Promise<unknown>> = {
			link: (page) => page.click("a"),
			reload: (page) => page.reload(),
			back: (page) => page.goBack(),
			form: (page) => page.click("#other button"),
			close: (page) => page.close({ runBeforeUnload: true }),
		};
		for (const [name, end] of Object.entries(ends)) {
			const page = await world.fresh();
			world.pageScript = `for (const name of ["visibilitychange", "pagehide"])
				addEventListener(name, () => localStorage.heard = (localStorage.heard || "") + name + " ", true);`;
			await page.goto(`${world.site}/plain`);
			if (name === "form" || name === "reload") await page.goto(`${world.site}/first`);
			await page.evaluate(() => delete localStorage.heard);
			await world.newPage();
			await end(page);
			await pause(300);
			const other = await world.newPage();
			await other.goto(`${world.site}/empty`);
			const heard: string = await other.evaluate(() => localStorage.heard);
			assert.deepEqual(heard.trim().split(" ").sort(), ["pagehide", "visibilitychange"], name);
		}
	});

	test("a page that comes back from the browser's memory is seen again", async () => {
		const page = await world.fresh();
		await page.goto(`${world.site}/first?cache=1`);
		await world.until(() => world.of("PAGE_VIEW").length === 1);
		await page.goto(`${world.site}/second`);
		await world.until(() => world.of("PAGE_VIEW").length === 2);
		await page.goBack();
		await world.until(() => world.of("PAGE_VIEW").length === 3);
	});
});

describe("EVT-2: single-page applications", () => {
	test("pushState, replaceState and going back are views, with the title that follows; the same page is none", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-off": "engagement" });
		await page.goto(`${world.site}/first`);
		await world.until(() => world.events.length === 1);
		await page.evaluate(() => {
			history.pushState({}, "", "/basket");
			document.title = "Basket";
		});
		await world.until(() => world.events.length === 2);
		await page.evaluate(() => {
			history.replaceState({ scroll: 10 }, "", location.href);
			history.pushState({}, "", "/basket#total");
		});
		await pause(400);
		assert.equal(world.events.length, 2);
		await page.evaluate(() => history.replaceState({}, "", "/paid"));
		await world.until(() => world.events.length === 3);
		await page.goBack();
		await world.until(() => world.events.length === 4);
		assert.deepEqual(
			world.events.map(({ url, title, referrer }) => [url, title, referrer].map((text) => text.replace(world.site, ""))),
			[
				["/first", "Page /first", ""],
				["/basket", "Basket", "/first"],
				["/paid", "Basket", "/basket"],
				["/basket", "Basket", "/paid"],
			],
		);
	});

	test("history itself works as before, its exceptions included", async () => {
		const page = await world.fresh();
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		const [state, refused] = await page.evaluate(() => {
			history.pushState({ a: 1 }, "", "/b");
			try {
				history.pushState({}, "", "https://elsewhere.example/");
				return [history.state, false];
			} catch {
				return [history.state, true];
			}
		});
		assert.deepEqual([state, refused], [{ a: 1 }, true]);
	});
});

describe("EVT-3: what a page can ask", () => {
	test("calls made before the script was there are done, after the page view", async () => {
		const page = await world.fresh();
		world.pageScript = `${STUB}
			trackflow("track", "video", { seconds: 3 });
			trackflow("conversion", "order", { value: "19.90", currency: "EUR", basket: 2 });
			trackflow("identify", { email: "ann@example.com", name: "Ann Example" });
			trackflow("nonsense");
			trackflow("id", function (id) { window.seenId = id; });`;
		await page.goto(`${world.site}/first`);
		await world.until(() => world.events.length === 4);
		const [view, custom, conversion, identify] = world.events;
		assert.equal(view.type, "PAGE_VIEW");
		assert.deepEqual([custom.type, custom.name, custom.properties], ["CUSTOM", "video", { seconds: 3 }]);
		assert.equal(conversion.type, "CONVERSION");
		assert.deepEqual([conversion.name, conversion.value, conversion.currency], ["order", "19.90", "EUR"]);
		assert.deepEqual(conversion.properties, { basket: 2 });
		assert.equal(identify.type, "IDENTIFY");
		assert.deepEqual(identify.properties, { email: "ann@example.com", name: "Ann Example" });
		assert.equal(await page.evaluate(() => (window as any).seenId), view.visitorId);
		assert.equal(await page.evaluate(() => trackflow("id")), view.visitorId);
		assert.equal(await world.cookie("trackflow_visitor"), view.visitorId);
	});

	test("flush sends at once; what is not JSON is left out and spoils nothing", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "60000" });
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => {
			const endless: Record<string, unknown> = {};
			endless.self = endless;
			trackflow("track", "bad", endless);
			trackflow("track", "good");
			trackflow("flush");
		});
		await world.until(() => world.of("CUSTOM").length === 1);
		assert.equal(world.of("CUSTOM")[0].name, "good");
	});

	test("EVT-4: a size of batches that cannot be is ten; no batch is empty, and none larger than the collector takes", async () => {
		const expected = { 0: 10, "": 10, abc: 10, "0.5": 10, "-3": 10, 101: 10, "1e9": 10, "1.5": 1, 12: 12, 100: 25 };
		for (const [size, most] of Object.entries(expected)) {
			const page = await world.fresh({ "data-consent": "none", "data-batch-size": size, "data-interval": "600" });
			await page.goto(`${world.site}/first`);
			await page.waitForFunction(() => "trackflow" in window);
			await page.evaluate(() => {
				for (let number = 0; number < 24; number++) trackflow("track", "n" + number);
			});
			await world.until(() => world.events.length === 25);
			await pause(200);
			const sizes = world.deliveries.map(({ events }) => events.length);
			assert.deepEqual([Math.max(...sizes), sizes.reduce((sum, one) => sum + one)], [most, 25], `${size}: ${sizes}`);
			assert.ok(!sizes.includes(0), `${size}: ${sizes}`);
		}
	});

	test("stats: what waits, what was sent in how many batches, and when the last one left", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-batch-size": "4", "data-interval": "60000" });
		world.pageScript = `${STUB}
			trackflow("stats", function (figures) { window.first = figures; });`;
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => (window as any).first);
		const first = await page.evaluate(() => (window as any).first);
		assert.deepEqual(first, { queued: 1, sent: 0, batches: 0, averageBatchSize: 0, lastFlush: null });
		await page.evaluate(() => {
			for (let number = 0; number < 4; number++) trackflow("track", "n" + number);
		});
		await page.waitForFunction(() => trackflow("stats").sent === 5);
		const { lastFlush, ...rest } = await page.evaluate(() => trackflow("stats"));
		assert.deepEqual(rest, { queued: 0, sent: 5, batches: 2, averageBatchSize: 2.5 });
		assert.deepEqual(world.deliveries.map(({ events }) => events.length), [4, 1]);
		assert.equal(lastFlush, world.deliveries[1].sentAt);
	});

	test("stats: what a collector did not take is still queued; what left with the page is sent", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "60000" });
		world.behaviour = "fail";
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => trackflow("flush"));
		await world.until(() => world.deliveries.length === 1);
		await pause(200);
		const { lastFlush, ...failed } = await page.evaluate(() => trackflow("stats"));
		assert.deepEqual(failed, { queued: 1, sent: 0, batches: 0, averageBatchSize: 0 });
		assert.equal(lastFlush, world.deliveries[0].sentAt);

		world.behaviour = "take";
		const other = await world.fresh({ "data-consent": "none", "data-interval": "60000", "data-off": "engagement" });
		await other.goto(`${world.site}/first`);
		await other.waitForFunction(() => "trackflow" in window);
		const left = await other.evaluate(() => {
			document.dispatchEvent(new Event("visibilitychange"));
			return trackflow("stats");
		});
		assert.deepEqual([left.queued, left.sent, left.batches, left.averageBatchSize], [0, 1, 1, 1]);
	});

	test("stats: events that wait for consent are queued, those of a visitor who refuses are gone", async () => {
		const page = await world.fresh({ "data-consent": "required" });
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		assert.deepEqual(await page.evaluate(() => [trackflow("stats").queued, trackflow("stats").lastFlush]), [1, null]);
		await page.evaluate(() => trackflow("consent", "denied"));
		assert.deepEqual(await page.evaluate(() => [trackflow("stats").queued, trackflow("stats").sent]), [0, 0]);
	});

	test("a second tag on the page changes nothing", async () => {
		const page = await world.fresh();
		world.pageScript = `addEventListener("load", () => {
			const tag = document.createElement("script");
			tag.src = "${world.collector}/assets/trackflow/js/trackflow.js";
			tag.dataset.key = "${KEY}";
			tag.dataset.consent = "none";
			document.body.append(tag);
		});`;
		world.csp = false;
		await page.goto(`${world.site}/first`);
		await world.until(() => world.events.length === 1);
		await pause(500);
		assert.equal(world.events.length, 1);
	});
});

describe("EVT-4: delivery", () => {
	test("batches hold ten events; text/plain, no credentials, key and sending time", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "60000" });
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => {
			for (let number = 0; number < 19; number++) trackflow("track", "n" + number);
		});
		await world.until(() => world.events.length === 20);
		for (const delivery of world.deliveries) {
			assert.equal(delivery.events.length, 10);
			assert.match(delivery.contentType, /^text\/plain/);
			assert.equal(delivery.cookie, "");
			assert.equal(delivery.path, ENDPOINT);
			assert.equal(delivery.publicKey, KEY);
			assert.ok(Math.abs(delivery.sentAt - Date.now()) < 10_000);
		}
	});

	test("a failed batch is tried again with the same ids and a new sending time", async () => {
		const page = await world.fresh();
		world.behaviour = "fail";
		await page.goto(`${world.site}/first`);
		await world.until(() => world.deliveries.length >= 2);
		world.behaviour = "take";
		const failed = world.deliveries.length;
		await world.until(() => world.deliveries.length > failed);
		await pause(600);
		assert.equal(world.events.length, 1);
		assert.equal(world.deliveries.length, failed + 1);
		assert.ok(world.deliveries.at(-1)!.sentAt > world.deliveries[0].sentAt);
		assert.deepEqual(await kept(page), []);
	});

	for (const behaviour of ["fail", "hang", "refuse"] as const)
		test(`what a collector that answers ${behaviour} did not take, the next page delivers`, async () => {
			const page = await world.fresh();
			world.behaviour = behaviour;
			await page.goto(`${world.site}/first`);
			await world.until(() => world.deliveries.length >= 1);
			assert.equal((await kept(page)).length, 1);
			world.deliveries = [];
			world.behaviour = "take";
			await page.goto(`${world.site}/second`);
			await world.until(() => world.of("PAGE_VIEW").length === 2);
			assert.deepEqual(world.events.map((event) => new URL(event.url).pathname).sort(), ["/first", "/second"]);
			await pause(300);
			assert.deepEqual(await kept(page), []);
		});

	test("more than browsers send with keepalive is sent without it, also from a page that is gone", async () => {
		const page = await world.fresh();
		await page.goto(`${world.site}/first`);
		await world.until(() => world.events.length === 1);
		const fill = () => {
			for (let number = 0; number < 8; number++) trackflow("track", "long", { number, text: "ü".repeat(5_000) });
		};
		await page.evaluate(fill);
		await world.until(() => world.of("CUSTOM").length === 8);
		assert.ok(world.deliveries.length < 4);
		world.deliveries = [];
		await page.evaluate(fill);
		await page.goto(`${world.site}/second`);
		await world.until(() => world.of("CUSTOM").length === 8);
		await pause(400);
		assert.deepEqual(await kept(page), []);
	});

	test("an address that is far too long holds nothing up", async () => {
		const page = await world.fresh();
		await page.goto(`${world.site}/first`);
		await world.until(() => world.events.length === 1);
		await page.evaluate(() => history.pushState({}, "", "/long?" + "x".repeat(80_000)));
		await world.until(() => world.of("PAGE_VIEW").length === 2);
		await page.evaluate(() => history.pushState({}, "", "/short"));
		await world.until(() => world.of("PAGE_VIEW").length === 3);
	});

	test("two tabs of a visitor keep what they could not deliver apart", async () => {
		const one = await world.fresh();
		const two = await world.newPage();
		world.behaviour = "fail";
		await one.goto(`${world.site}/one`);
		await two.goto(`${world.site}/two`);
		await world.until(() => world.events.length === 2);
		await one.close({ runBeforeUnload: false });
		world.behaviour = "take";
		world.deliveries = [];
		await two.goto(`${world.site}/three`);
		await world.until(() => world.events.length === 3);
		assert.deepEqual(
			world.events.map((event) => new URL(event.url).pathname).sort(),
			["/one", "/three", "/two"],
		);
	});

	test("EVT-1: a broken endpoint is silent", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-endpoint": "http://127.0.0.1:1/nothing" });
		world.csp = false;
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => trackflow("track", "x"));
		await pause(500);
		assert.equal(world.deliveries.length, 0);
	});

	test("EVT-1: an endpoint that the page's CSP forbids is silent", async () => {
		const page = await world.fresh();
		world.connect = "'none'";
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => trackflow("track", "x"));
		await pause(500);
		await page.goto(`${world.site}/empty`);
		assert.equal(world.deliveries.length, 0);
		// The browser itself says in the console what it blocked; nothing else may have been said.
		world.problems = world.problems.filter((problem) => !problem.includes(ENDPOINT));
	});

	test("EVT-1: a browser that keeps and sends nothing is no reason for an exception", async () => {
		const page = await world.fresh();
		world.csp = false;
		world.pageScript = `
			Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });
			navigator.sendBeacon = () => { throw new Error("no"); };
			window.fetch = () => { throw new Error("no"); };`;
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await pause(400);
		await page.goto(`${world.site}/second`);
	});

	test("fixed fields that are no JSON cost the fields alone", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-fields": "{plan: pro" });
		await page.goto(`${world.site}/first`);
		await world.until(() => world.of("PAGE_VIEW").length === 1);
		assert.deepEqual(world.events[0].properties, {});
	});

	test("EVT-1: a tag without sense is silent", async () => {
		const page = await world.fresh({ "data-endpoint": "http://[" });
		await page.goto(`${world.site}/first`);
		await pause(300);
		assert.equal(await page.evaluate(() => "trackflow" in window), false);
	});
});

describe("EVT-5: consent", () => {
	for (const mode of ["required", ""])
		test(`before it (${mode || "nothing said"}) nothing leaves and nothing is kept; then all is released`, async () => {
			const page = await world.fresh(mode ? { "data-consent": mode } : {});
			world.pageScript = STUB;
			await page.goto(`${world.site}/first`);
			await page.waitForFunction(() => (window as any).trackflow.on);
			await page.evaluate(() => {
				for (let number = 0; number < 12; number++) trackflow("track", "early");
			});
			await pause(400);
			assert.equal(world.deliveries.length, 0);
			assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ["", 0, 0]);
			assert.equal(await page.evaluate(() => trackflow("id")), "");
			await page.evaluate(() => trackflow("consent", "granted"));
			await world.until(() => world.events.length === 14);
			assert.equal(world.of("CONSENT").length, 1);
			for (const event of world.events) {
				assert.match(event.visitorId, ID);
				assert.equal(event.consent, "granted");
			}
			assert.equal(await world.cookie("trackflow_consent"), "granted");

			await page.goto(`${world.site}/second`);
			await world.until(() => world.of("PAGE_VIEW").length === 2);
			// Another policy may have been agreed to.
			await page.evaluate(() => trackflow("consent", "granted"));
			await world.until(() => world.of("CONSENT").length === 2);
			assert.equal(world.of("CONSENT")[1].consent, "granted");
		});

	test("refused: what waited is thrown away, nothing is ever sent, and that is remembered", async () => {
		const page = await world.fresh({ "data-consent": "required" });
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => {
			trackflow("consent", "denied");
			trackflow("track", "late");
		});
		world.tag["data-consent"] = "none";
		await page.goto(`${world.site}/second`);
		await page.waitForFunction(() => "trackflow" in window);
		await pause(400);
		assert.equal(world.deliveries.length, 0);
		assert.equal(await world.cookie("trackflow_consent"), "denied");
		assert.equal(await world.cookie("trackflow_visitor"), undefined);

		await page.evaluate(() => trackflow("consent", "granted"));
		await world.until(() => world.of("CONSENT").length === 1);
		assert.equal(world.of("CUSTOM").length, 0);
	});

	test("withdrawn: the server is told last, then the id is gone and nothing more leaves", async () => {
		const page = await world.fresh({ "data-consent": "granted" });
		await page.goto(`${world.site}/first?tfclid=abc`);
		await world.until(() => world.events.length === 1);
		const { visitorId } = world.events[0];
		assert.equal(world.events[0].consent, "granted");
		await page.evaluate(() => trackflow("consent", "denied"));
		await world.until(() => world.of("CONSENT").length === 1);
		const [withdrawal] = world.of("CONSENT");
		assert.deepEqual([withdrawal.consent, withdrawal.visitorId], ["denied", visitorId]);
		await page.evaluate(() => trackflow("track", "late"));
		await page.click("a");
		await pause(500);
		assert.equal(world.events.length, 2);
		assert.equal(await page.evaluate(() => document.cookie), "trackflow_consent=denied");
		assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
	});

	test("withdrawn while the collector fails: that alone is kept, until it is taken", async () => {
		const page = await world.fresh();
		world.behaviour = "fail";
		/** Go there, and let the page see that the collector fails: before it has, it hands over what it has, and keeps nothing. */
		const fail = async (path: string): Promise<void> => {
			await Promise.all([page.waitForResponse((answer) => answer.status() === 500), page.goto(world.site + path)]);
			await pause(50);
		};
		await fail("/first");
		const { visitorId } = world.events[0];
		const isWithdrawal = ({ type, consent, visitorId: id }: Record<string, unknown>) =>
			type === "CONSENT" && consent === "denied" && id === visitorId;
		await page.evaluate(() => {
			trackflow("track", "waiting");
			trackflow("consent", "denied");
			trackflow("consent", "denied");
			trackflow("track", "late");
		});
		for (const path of ["/second", "/third"]) {
			const texts = await page.evaluate(() => Object.values(localStorage));
			assert.equal(texts.length, 1);
			const events = JSON.parse(texts[0]);
			assert.ok(events.length === 1 && isWithdrawal(events[0]), texts[0]);
			assert.equal(await page.evaluate(() => document.cookie), "trackflow_consent=denied");
			world.deliveries = [];
			await fail(path);
			assert.ok(world.events.length && world.events.every(isWithdrawal));
		}
		world.behaviour = "take";
		world.deliveries = [];
		await page.goto(`${world.site}/second`);
		await world.until(() => world.deliveries.length > 0);
		await pause(400);
		// Once, though the page that was left may have tried again too.
		assert.ok(world.events.length === 1 && isWithdrawal(world.events[0]));
		assert.deepEqual(await kept(page), []);
	});

	test("withdrawn with a batch under way: its answer settles no event of what comes after", async () => {
		const page = await world.fresh();
		world.pageScript = `const send = window.fetch;
			window.fetch = (...call) => send(...call).then((answer) => new Promise((give) => (window.give = () => give(answer))));`;
		await page.goto(`${world.site}/first`);
		await world.until(() => world.deliveries.length === 1);
		await page.waitForFunction(() => "give" in window);
		await page.evaluate(() => {
			trackflow("consent", "denied");
			trackflow("consent", "granted");
			trackflow("track", "new");
			(window as any).give();
		});
		await world.until(() => world.of("CUSTOM").length === 1);
		assert.deepEqual(world.of("CONSENT").map(({ consent }) => consent), ["denied", "granted"]);
		assert.notEqual(world.of("CUSTOM")[0].visitorId, world.of("PAGE_VIEW")[0].visitorId);
	});

	test("withdrawn in another tab: what waits in this one does not leave it", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "1000" });
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await world.setCookie({ name: "trackflow_consent", value: "denied" });
		await pause(1300);
		await page.goto(`${world.site}/second`);
		await pause(300);
		assert.equal(world.deliveries.length, 0);
		assert.deepEqual(await kept(page), []);
	});

	for (const [name, value] of [["globalPrivacyControl", true], ["doNotTrack", "1"]] as const)
		test(`RED-5: with ${name} there is no id and nothing is kept, whatever was allowed`, async () => {
			const page = await world.fresh({ "data-consent": "granted" });
			world.pageScript = `Object.defineProperty(navigator, "${name}", { value: ${JSON.stringify(value)} });`;
			await page.goto(`${world.site}/first?tfclid=abc`);
			await world.until(() => world.events.length === 1);
			assert.ok(NO_ID.includes(world.events[0].visitorId));
			assert.equal(await page.evaluate(() => document.cookie + localStorage.length), "0");
			await page.click("#lead button");
			await world.until(() => world.posts.length === 1);
			assert.ok(!world.posts[0].get("trackflow_visitor_id"));
		});

	for (const foreign of ["garbage", "v_123", "v_0123456789ABCDEF"])
		test(`an id "${foreign}" that is none of ours is replaced`, async () => {
			const page = await world.fresh();
			await world.setCookie({ name: "trackflow_visitor", value: foreign });
			await page.evaluate((foreign) => (localStorage.trackflow_visitor = foreign), foreign);
			await page.goto(`${world.site}/first`);
			await page.goto(`${world.site}/second`);
			await world.until(() => world.of("PAGE_VIEW").length === 2);
			const [first, second] = world.events;
			assert.match(first.visitorId, ID);
			assert.equal(second.visitorId, first.visitorId);
			assert.equal(await world.cookie("trackflow_visitor"), first.visitorId);
		});

	test("an id that only the server can read does not make a new visitor of every page", async () => {
		const page = await world.fresh();
		await world.setCookie({ name: "trackflow_visitor", value: "v_00000000000000ff", httpOnly: true });
		await page.goto(`${world.site}/first`);
		await page.goto(`${world.site}/second`);
		await world.until(() => world.of("PAGE_VIEW").length === 2);
		assert.match(world.events[0].visitorId, ID);
		assert.equal(world.events[0].visitorId, world.events[1].visitorId);
	});
});

describe("EVT-6: forms", () => {
	test("a marked form carries the visitor; the event names fields, never values", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "60000" });
		await page.goto(`${world.site}/first?tfclid=abc.def`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.click("a");
		await page.waitForSelector("#lead input[name=trackflow_visitor_id]", { state: "attached" });
		await page.goto(`${world.site}/third`);
		await page.fill("#lead [name=email]", "secret@example.com");
		await page.waitForFunction(() => "trackflow" in window);
		await page.click("#lead button");
		await world.until(() => world.of("FORM_SUBMIT").length === 1 && world.posts.length === 1);
		const visitor = await world.cookie("trackflow_visitor");
		assert.equal(world.posts[0].get("trackflow_visitor_id"), visitor);
		const [event] = world.of("FORM_SUBMIT");
		assert.equal(event.visitorId, visitor);
		assert.deepEqual(event.properties, {
			form_id: "lead",
			fields: ["email", "id", "size"],
		});
		assert.ok(!JSON.stringify(world.deliveries).includes("secret"));
	});

	test("the visit is on its way to the collector before the form is on its way to the website", async () => {
		const page = await world.fresh({ "data-consent": "none", "data-interval": "60000" });
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => {
			document.querySelector("form")!.addEventListener("submit", (event) => event.preventDefault());
		});
		await page.click("#lead button");
		await world.until(() => world.of("PAGE_VIEW").length === 1 && world.of("FORM_SUBMIT").length === 1);
	});

	test("other forms are left as they are", async () => {
		const page = await world.fresh();
		await page.goto(`${world.site}/first`);
		await world.until(() => world.events.length === 1);
		await page.click("#other button");
		await world.until(() => world.posts.length === 1);
		assert.deepEqual([...world.posts[0].keys()], ["q"]);
	});

	test("a form that an application adds later is filled; after a withdrawal it is emptied", async () => {
		const page = await world.fresh();
		await page.goto(`${world.site}/first`);
		await page.waitForFunction(() => "trackflow" in window);
		await page.evaluate(() => {
			const form = document.createElement("form");
			form.id = "late";
			form.setAttribute("data-trackflow", "");
			document.body.append(form);
			history.pushState({}, "", "/form");
		});
		await page.waitForSelector("#late input[name=trackflow_visitor_id]", { state: "attached" });
		const field = page.locator("#late input[name=trackflow_visitor_id]");
		assert.match(await field.inputValue(), ID);
		await page.evaluate(() => trackflow("consent", "denied"));
		assert.equal(await field.inputValue(), "");
	});
});

describe("EVT-1: the log", () => {
	test("speaks on the developer's own machine", async () => {
		const page = await world.fresh();
		const lines: string[] = [];
		page.on("console", (message) => lines.push(message.text()));
		await page.goto(`${world.site}/first`);
		await world.until(() => world.events.length === 1);
		assert.ok(lines.some((line) => line.startsWith("trackflow")));
	});

	test("is silent elsewhere", async () => {
		const page = await world.fresh();
		const lines: string[] = [];
		page.on("console", (message) => lines.push(message.text()));
		await page.goto(`${world.site.replace("127.0.0.1", "shop.example")}/first`);
		await world.until(() => world.events.length === 1);
		assert.deepEqual(lines.filter((line) => line.startsWith("trackflow")), []);
	});
});

/** What the page has kept for later, by key. */
async function kept(page: Awaited<ReturnType<World["fresh"]>>): Promise<string[]> {
	return page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("trackflow:")));
}
