/** What the page was given by the server (trackflow/app_page/boot.py). It does not change while the page lives. */

export type Right = "read" | "write" | "create" | "delete" | "export";

export interface Boot {
	user: string;
	full_name: string;
	user_image: string | null;
	time_zone: { site: string; user: string };
	csrf_token: string;
	version: string;
	language: string;
	may: Record<string, Right[]>;
	/** Whether the user may read who visitors are. */
	tells_contacts: boolean;
	formats: {
		/** Frappe's: dd-mm-yyyy and the like. */
		date: string;
		time: string;
		/** Frappe's: #,###.## and the like. */
		number: string;
		first_day_of_week: string;
		currency_precision: number | null;
	};
	/** /app or /desk. */
	desk: string;
	/** Where Frappe CRM is; null where it is not, or not for this user. */
	crm: string | null;
	reporting_currency: string;
	default_model: string;
	/** Active attribution models, the default one first. */
	models: string[];
	domains: { name: string; project: string | null }[];
	/** What stands before a short code, by the link's domain; "" for links that name none. */
	short_urls: Record<string, string>;
}

function read(): Boot {
	const text = typeof document === "undefined" ? null : document.getElementById("boot")?.textContent;
	if (!text) throw new Error("The page has no boot data");
	return JSON.parse(text);
}

let known: Boot | undefined;

export const boot = (): Boot => (known ??= read());

/** Unit tests have no page. */
export function setBoot(values: Partial<Boot>): void {
	known = { ...defaults, ...known, ...values };
}

const defaults: Boot = {
	user: "Guest",
	full_name: "",
	user_image: null,
	time_zone: { site: "UTC", user: "UTC" },
	csrf_token: "",
	version: "",
	language: "en",
	may: {},
	tells_contacts: false,
	formats: { date: "yyyy-mm-dd", time: "HH:mm:ss", number: "#,###.##", first_day_of_week: "Monday", currency_precision: null },
	desk: "/app",
	crm: null,
	reporting_currency: "USD",
	default_model: "",
	models: [],
	domains: [],
	short_urls: { "": "http://localhost/r/" },
};

/** Whether the user's roles give a right to a DocType. The server checks again what it is asked for. */
export const may = (doctype: string, right: Right = "read"): boolean => boot().may[doctype]?.includes(right) ?? false;

/** The address of a list or a document in the desk, for what the app has no page for. */
export function deskAddress(doctype: string, name?: string): string {
	const list = `${boot().desk}/${doctype.toLowerCase().replace(/ /g, "-")}`;
	return name === undefined ? list : `${list}/${encodeURIComponent(name)}`;
}
