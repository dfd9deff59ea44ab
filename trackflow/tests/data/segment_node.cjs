// One message of each kind by Segment's own library: write key, host, page.
const { Analytics } = require("@segment/analytics-node");
const [writeKey, host, url] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host });
analytics.on("error", (error) => { console.error(error); process.exitCode = 1; });
const who = { userId: "u1", anonymousId: "ada" };
analytics.identify({ ...who, traits: { email: "ada@example.com", name: "Ada" } });
analytics.page({ ...who, name: "Products", properties: { url, title: "Products" } });
analytics.track({ ...who, event: "Order Completed", properties: { revenue: 19.9, currency: "EUR" } });
analytics.screen({ ...who, name: "Main" });
analytics.group({ ...who, groupId: "g1", traits: { name: "Works" } });
analytics.alias({ userId: "u1", previousId: "old" });
analytics.closeAndFlush();
