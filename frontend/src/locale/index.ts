/** Texts in the user's language. English is the source, so nothing is fetched for it. */
import { boot } from "@/data/boot";

let messages: Record<string, string> = {};

/** `{0}`, `{1}` … are replaced by the values given. */
export function __(text: string, values: unknown[] = []): string {
	const translated = messages[text] ?? text;
	return values.length ? translated.replace(/\{(\d+)\}/g, (whole, index) => String(values[index] ?? whole)) : translated;
}

export async function loadMessages(): Promise<void> {
	const { language, version } = boot();
	if (language.split("-")[0] === "en") return;
	const query = new URLSearchParams({ language, version });
	try {
		const response = await fetch(`/api/method/trackflow.api.app.get_messages?${query}`, { headers: { Accept: "application/json" } });
		if (response.ok) messages = (await response.json()).message;
	} catch {
		// The app in English is better than none.
	}
}

export function setMessages(values: Record<string, string>): void {
	messages = values;
}
