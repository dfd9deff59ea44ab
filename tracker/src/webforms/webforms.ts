/**
 * Web Forms of Frappe and of Frappe CRM, a script of its own: takes the visitor along beside the form's own fields, in a
 * header of the request that sends them (CRM-7).
 *
 * In the form's page it asks the page's website script who the visitor is, or, where the page is embedded, that of the page
 * around it. On a website of another origin that embeds a form it answers; nobody else but the site that it came from is told.
 */
const HEADER = "X-TrackFlow-Visitor";
const [QUESTION, ANSWER] = ["trackflow:who", "trackflow:visitor"];
/** Where the site is: forms are sent there, and it may ask. */
const home = new URL((document.currentScript as HTMLScriptElement).src).origin;
const isEmbedded = parent !== self;
/** What the page around an embedded form said. */
let told = "";

interface Asked {
	trackflow?: (command: "id" | "flush", callback?: (id: string) => void) => string | undefined;
	trackflowForms?: boolean;
}

const visitor = (): string => {
	try {
		// Alone, a window is its own parent. A parent of another origin may not be asked so: this throws.
		return told || (parent as Asked).trackflow?.("id") || "";
	} catch {
		return "";
	}
};

/** Whoever turns to a form is about to send it: by then the site is to have heard of the visit that led there. */
const sendVisit = (): void => {
	try {
		(parent as Asked).trackflow?.("flush");
	} catch {
		// A parent of another origin is asked by `ask`.
	}
};

const ask = (): void => {
	if (isEmbedded) parent.postMessage(QUESTION, "*");
};

const hear = ({ data, origin, source }: MessageEvent): void => {
	if (data === QUESTION && origin === home) {
		const { trackflow } = self as Asked;
		trackflow?.("id", (id) => (source as Window).postMessage({ [ANSWER]: id }, origin));
		trackflow?.("flush");
	} else if (isEmbedded && source === parent && typeof data?.[ANSWER] === "string") told = data[ANSWER];
};

/** Whether something is sent to the site, as forms are. */
const isSent = (method: string | undefined, address: string | URL): boolean =>
	/^post$/i.test(method || "") && new URL(address, location.href).origin === home;

const watchRequests = (): void => {
	const { prototype } = XMLHttpRequest;
	const { open } = prototype;
	// Frappe's pages: by jQuery, to the address of the page or of the method, as the version has it.
	prototype.open = function (this: XMLHttpRequest, ...call: any[]): void {
		open.apply(this, call as Parameters<typeof open>);
		const id = isSent(call[0], call[1]) && visitor();
		if (id) this.setRequestHeader(HEADER, id);
	};
	const { fetch } = self;
	// CRM's pages. What the website script sends this way goes without.
	self.fetch = (address, options) => {
		const isForm = typeof address === "string" && address.includes("web_form.accept") && isSent(options?.method, address);
		const id = isForm && visitor();
		if (!id) return fetch(address, options);
		const headers = new Headers(options!.headers);
		headers.set(HEADER, id);
		return fetch(address, { ...options, headers });
	};
};

if (!(self as Asked).trackflowForms) {
	(self as Asked).trackflowForms = true;
	addEventListener("message", hear);
	if (location.origin === home) watchRequests();
	ask();
	// Again whenever somebody turns to the form: consent may have been given meanwhile.
	addEventListener("focusin", ask);
	addEventListener("focusin", sendVisit);
}
