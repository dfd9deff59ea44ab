/**
 * The one way to the server. GET for what reads, POST for what changes; what the server says is wrong comes as an `ApiError` whose
 * text may be shown. frappe-ui's own `call` is not used: it posts whatever it asks, and prints tracebacks to the console.
 */
import { boot } from "./boot";
import { __ } from "@/locale";

export type Params = Record<string, unknown>;

export class ApiError extends Error {
	/** Of the answer; 0 where none came. */
	status: number;
	/** The Python exception's name, as Frappe tells it. */
	type: string;
	constructor(text: string, status: number, type = "") {
		super(text);
		this.name = "ApiError";
		this.status = status;
		this.type = type;
	}
}

export function get<T = any>(method: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
	const query = search(params);
	return ask<T>(`/api/method/${method}${query ? `?${query}` : ""}`, { method: "GET", signal });
}

export function post<T = any>(method: string, params: Params = {}): Promise<T> {
	return ask<T>(`/api/method/${method}`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify(params),
	});
}

/** Send a file along with what else the method takes. */
export function upload<T = any>(method: string, file: File, params: Params = {}): Promise<T> {
	const body = new FormData();
	for (const [name, value] of new URLSearchParams(search(params))) body.append(name, value);
	body.append("file", file);
	return ask<T>(`/api/method/${method}`, { method: "POST", body });
}

/** Save a file that a method answers to more than an address can ask for, under the name that the server gives it. */
export async function download(method: string, params: Params): Promise<void> {
	const response = await request(`/api/method/${method}`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify(params),
	});
	const address = URL.createObjectURL(await response.blob());
	const name = /filename="?([^";]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "";
	Object.assign(document.createElement("a"), { href: address, download: name }).click();
	// When the browser has begun to save it.
	setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** The address of a method that answers a file, to be opened or linked. */
export function addressOf(method: string, params: Params = {}): string {
	return `/api/method/${method}?${search(params)}`;
}

/** Parameters as Frappe reads them: what is not given is left out, lists and filters are JSON. Pure. */
export function search(params: Params): string {
	const pairs = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== "");
	return new URLSearchParams(pairs.map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)])).toString();
}

async function ask<T>(address: string, options: RequestInit): Promise<T> {
	const response = await request(address, options);
	return (await response.json().catch(() => ({}))).message as T;
}

async function request(address: string, options: RequestInit): Promise<Response> {
	let response: Response;
	try {
		response = await fetch(address, {
			...options,
			headers: { Accept: "application/json", "X-Frappe-CSRF-Token": boot().csrf_token, ...options.headers },
		});
	} catch (error) {
		if (error instanceof DOMException && error.name === "AbortError") throw error;
		throw new ApiError(__("The server cannot be reached."), 0);
	}
	if (response.ok) return response;
	const body = await response.json().catch(() => ({}));
	if (response.status === 401 || body.session_expired) login();
	throw new ApiError(textOf(body) || plainText(response.status), response.status, body.exc_type);
}

/** To the login, and back to where we are. */
export function login(): void {
	location.assign(`/login?redirect-to=${encodeURIComponent(location.pathname + location.search)}`);
}

/** What the server told the user, without markup, a line each. Pure but for the parser. */
export function textOf(body: Record<string, any>): string {
	const told = parsed(body._server_messages).map((one: unknown) => parsed(one)?.message ?? one);
	const texts = told.length ? told : [body._error_message ?? body.message];
	return texts.filter((text: unknown) => typeof text === "string" && text).map(withoutMarkup).join("\n");
}

function parsed(text: unknown): any {
	try {
		return typeof text === "string" ? JSON.parse(text) : (text ?? []);
	} catch {
		return [];
	}
}

/** Messages of Frappe's may hold markup. A document that was parsed so runs nothing and loads nothing. */
function withoutMarkup(text: string): string {
	return /[<&]/.test(text) ? (new DOMParser().parseFromString(text, "text/html").body.textContent ?? "") : text;
}

function plainText(status: number): string {
	if (status === 403) return __("You do not have permission for this.");
	if (status === 404) return __("This does not exist.");
	if (status === 429) return __("Too many requests; try again in a minute.");
	return __("The server could not answer ({0}).", [status]);
}
