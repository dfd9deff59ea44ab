/**
 * Keeps entries below "Call Logs" in the sidebar of Frappe CRM, which offers no way to add some.
 *
 * Nothing of CRM's is touched: ours are copies of an entry of its own, put beside it. Whatever CRM does with its sidebar
 * (collapse it, draw it anew, open the drawer of phones), they follow. Where the sidebar looks like nothing that is known
 * here, or someone takes the entries away again and again, there are none; an exception never leaves this file.
 */
export interface Entry {
	label: string;
	href: string;
	icon: string;
}

const OWN = "data-trackflow";
const LINK = "a,button";
const ICON = 'svg,[class*="lucide-"]';
/** How the icon of Call Logs begins. */
const PHONE = 'path[d^="M2.67754 2.70675"]';
const SVG = "http://www.w3.org/2000/svg";
/** Entries are placed when a page or a drawer opens; more often than this within a second, and we are not wanted. */
const MOST_PLACED = 20;

export function keepEntries(entries: Entry[], callLogs: string): void {
	let own: HTMLElement[] = [];
	let before: Element | undefined;
	let nav: Element | undefined;
	let worn = "";
	let placed = 0;
	let since = 0;

	const observer = new MutationObserver((records) => guarded(() => look(records)));
	observer.observe(document.body, { childList: true, subtree: true });
	guarded(() => look([]));

	function guarded(work: () => void): void {
		try {
			work();
			// What we wrote ourselves is no news.
			observer.takeRecords();
		} catch {
			observer.disconnect();
			clear();
		}
	}

	function look(records: MutationRecord[]): void {
		if (!isInPlace()) place();
		else if (records.some((record) => nav!.contains(record.target))) dress();
	}

	function isInPlace(): boolean {
		let last = before;
		return (
			own.length > 0 &&
			own.every((one) => {
				const follows = one.isConnected && one.previousElementSibling === last;
				last = one;
				return follows;
			})
		);
	}

	function place(): void {
		clear();
		nav = findList();
		const natives = nav && nativesOf(nav);
		if (!natives?.length) return;
		count();
		before = findCallLogs(natives, callLogs);
		const sample = plainOne(natives);
		worn = signature(sample);
		own = entries.map((entry) => build(sample, entry));
		before.after(...own);
		observer.observe(nav!, { attributes: true, childList: true, subtree: true });
	}

	/** Look as CRM's own entries do now. Attributes are changed in place, so that transitions run. */
	function dress(): void {
		const natives = nativesOf(nav!);
		const sample = natives.length ? plainOne(natives) : undefined;
		if (!sample || signature(sample) === worn) return;
		worn = signature(sample);
		if (!own.every((one) => mirror(sample, one))) place();
	}

	function count(): void {
		if (Date.now() - since > 1000) [since, placed] = [Date.now(), 0];
		if (++placed > MOST_PLACED) throw new Error("The entries do not stay");
	}

	function clear(): void {
		for (const one of own) one.remove();
		own = [];
	}
}

/** The main list: the first one beside or above the notifications' button, on desktops and in the drawer. */
function findList(): Element | undefined {
	for (let at = document.getElementById("notifications-btn")?.parentElement; at; at = at.parentElement) {
		const nav = at.querySelector("nav");
		if (nav) return nav;
	}
}

const nativesOf = (nav: Element): Element[] =>
	[...nav.children].filter((one) => !one.hasAttribute(OWN) && linkOf(one));

const linkOf = (entry: Element): Element | null => (entry.matches(LINK) ? entry : entry.querySelector(LINK));

/** By its address where it has one, else by its icon, else by its label; the last entry if none of these is known. */
function findCallLogs(natives: Element[], label: string): Element {
	const leadsThere = (entry: Element) => {
		const href = linkOf(entry)!.getAttribute("href") || "";
		return href.includes("/call-logs") && !href.includes("view=");
	};
	return (
		natives.find(leadsThere) ||
		natives.find((entry) => entry.querySelector(PHONE)) ||
		natives.find((entry) => label && entry.textContent!.trim() === label) ||
		natives[natives.length - 1]
	);
}

/** One that is not highlighted: most entries look like it. */
function plainOne(natives: Element[]): Element {
	const signatures = natives.map(signature);
	const alike = (one: string) => signatures.filter((other) => other === one).length;
	const most = Math.max(...signatures.map(alike));
	return natives[signatures.findIndex((one) => alike(one) === most)];
}

/** What an entry looks like, its text and picture apart. */
function signature(element: Element): string {
	if (element.matches(ICON)) return `(icon ${pictureless(element)})`;
	const looks = looksOf(element).map(([name, value]) => `${name}=${value}`);
	return `(${element.tagName} ${looks.join(" ")} ${[...element.children].map(signature).join("")})`;
}

const looksOf = (element: Element): [string, string][] =>
	[...element.attributes]
		.filter(({ name }) => name !== OWN && (name === "class" || name.startsWith("data-")))
		.map(({ name, value }) => [name, value]);

const pictureless = (icon: Element): string =>
	(icon.getAttribute("class") || "").replace(/(^|\s)(lucide|feather)\S*/g, "").trim();

function build(sample: Element, entry: Entry): HTMLElement {
	const copy = sample.cloneNode(true) as Element;
	for (const element of [copy, ...copy.querySelectorAll("*")]) {
		const looks = new Set(looksOf(element).map(([name]) => name));
		for (const { name } of [...element.attributes]) if (!looks.has(name)) element.removeAttribute(name);
	}
	copy.querySelector(ICON)?.replaceWith(draw(entry.icon, sample.querySelector(ICON)!));
	write(copy, entry.label);

	const stand = linkOf(copy)!;
	const link = document.createElement("a");
	for (const [name, value] of looksOf(stand)) link.setAttribute(name, value);
	link.append(...stand.childNodes);
	link.href = entry.href;
	link.title = entry.label;
	link.setAttribute("aria-label", entry.label);
	if (stand !== copy) stand.replaceWith(link);

	const own = (stand === copy ? link : copy) as HTMLElement;
	own.setAttribute(OWN, "");
	return own;
}

/** The label in the place of the first text; counters and the like are left empty. */
function write(copy: Element, label: string): void {
	const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
	let text = label;
	while (walker.nextNode()) {
		if (!walker.currentNode.textContent!.trim()) continue;
		walker.currentNode.textContent = text;
		text = "";
	}
}

function draw(path: string, like: Element): Element {
	const icon = document.createElementNS(SVG, "svg");
	const looks = {
		class: pictureless(like),
		viewBox: "0 0 16 16",
		fill: "none",
		stroke: "currentColor",
		"stroke-width": "1.2",
		"stroke-linecap": "round",
		"stroke-linejoin": "round",
		"aria-hidden": "true",
	};
	for (const [name, value] of Object.entries(looks)) icon.setAttribute(name, value);
	icon.append(document.createElementNS(SVG, "path"));
	icon.firstElementChild!.setAttribute("d", path);
	return icon;
}

/** Give `own` the looks of `native`; false where it is built up otherwise. */
function mirror(native: Element, own: Element): boolean {
	if (native.matches(ICON)) {
		own.setAttribute("class", pictureless(native));
		return own.matches(ICON);
	}
	const isAlike = native.matches(LINK) ? own.matches(LINK) : native.tagName === own.tagName;
	if (!isAlike || native.children.length !== own.children.length) return false;
	const looks = looksOf(native);
	for (const [name] of looksOf(own)) if (!looks.some(([one]) => one === name)) own.removeAttribute(name);
	for (const [name, value] of looks) own.setAttribute(name, value);
	return [...native.children].every((child, index) => mirror(child, own.children[index]));
}
