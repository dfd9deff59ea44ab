/** What the app tells people, and what it asks them. Texts are texts: markup in them is shown, not obeyed (SEC-2). */
import { toast } from "@/ui";
import { ref } from "vue";
import { __ } from "@/locale";
import { ApiError } from "./api";

const escaped: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
/** frappe-ui shows a toast's message as markup. Pure. */
export const asMarkup = (text: string): string => text.replace(/[&<>"']/g, (sign) => escaped[sign]);

/** It is done. */
export const tell = (text: string): void => void toast.success(asMarkup(text));

/** It went wrong; an error or a text. */
export function tellError(error: unknown): void {
	toast.error(asMarkup(errorText(error)), { duration: 10 });
}

/** What to show of whatever was thrown: of the server's answers what it says, of our own mistakes no details. */
export function errorText(error: unknown): string {
	if (error instanceof ApiError) return error.message;
	if (typeof error === "string") return error;
	console.error(error);
	return __("Something went wrong in the app. Load the page again.");
}

interface Question {
	title: string;
	text: string;
	/** The button's words: a verb. */
	yes: string;
	isDangerous?: boolean;
}

export const question = ref<Question | null>(null);
let settle: (yes: boolean) => void = () => {};

/** Ask before something that cannot be undone. */
export function confirm(asked: Question): Promise<boolean> {
	answer(false);
	question.value = asked;
	return new Promise((resolve) => (settle = resolve));
}

export function answer(yes: boolean): void {
	question.value = null;
	settle(yes);
	settle = () => {};
}
