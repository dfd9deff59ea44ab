/**
 * The script that a website embeds: starts the parts, then does what the page asked for before it was here.
 *
 * Each part that observes the page is a module with one `watch…` function that calls `record`; a new one is started here.
 * The build wraps all of it in a try: where a browser lacks something, the page never hears of it.
 */
import { guard, on } from "./browser";
import { commands } from "./commands";
import { fillForms, watchForms } from "./forms";
import { leave, openOutbox } from "./outbox";
import { view, watchPages } from "./pages";

type Call = [name: keyof typeof commands, ...args: never[]];
interface Trackflow {
	(...call: Call): unknown;
	/** Calls made before the script was here. */
	q?: Call[];
	/** Set once the script runs; a second tag on the page then does nothing. */
	on?: boolean;
}
declare global {
	interface Window {
		trackflow?: Trackflow;
	}
}

const start = (stub?: Trackflow): void => {
	const run: Trackflow = guard((name, ...args) => (commands[name] as (...args: never[]) => unknown)(...args));
	run.on = true;
	window.trackflow = run;

	watchPages(fillForms);
	watchForms();
	// Phones often end a page that is hidden without another word.
	on(["pagehide", "visibilitychange"], () => {
		view();
		leave();
	});

	stub?.q?.forEach((call) => run(...call));
	openOutbox();
};

if (!window.trackflow?.on) start(window.trackflow);
