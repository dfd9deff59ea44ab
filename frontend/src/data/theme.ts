/** Light or dark: as chosen here or in Frappe CRM, which remembers it under the same name; else as the system has it. */
import { ref } from "vue";

const KEY = "theme";

export type Theme = "light" | "dark";
export const theme = ref<Theme>("light");

export function startTheme(): void {
	const system = matchMedia("(prefers-color-scheme: dark)");
	const chosen = stored();
	show(chosen ?? (system.matches ? "dark" : "light"));
	system.addEventListener("change", ({ matches }) => stored() ?? show(matches ? "dark" : "light"));
}

export function toggleTheme(): void {
	show(theme.value === "dark" ? "light" : "dark");
	try {
		localStorage.setItem(KEY, theme.value);
	} catch {
		// Nothing may be stored: the choice lasts as long as the page.
	}
}

function show(value: Theme): void {
	theme.value = value;
	document.documentElement.dataset.theme = value;
	document.documentElement.style.colorScheme = value;
}

function stored(): Theme | null {
	try {
		const value = localStorage.getItem(KEY);
		return value === "light" || value === "dark" ? value : null;
	} catch {
		return null;
	}
}
