/**
 * The script that a website embeds: puts itself in the place of the stub, starts to listen, does what was asked before.
 *
 * The build wraps all of it in a try: where a browser lacks something, the page never hears of it.
 */
import { run, table } from "./actions";
import { takeKept } from "./outbox";
import { tag } from "./tag";

interface Trackflow {
	(...call: Parameters<typeof run>): unknown;
	/** Calls made before the script was here. */
	q?: Parameters<typeof run>[];
	/** Set once the script runs; a second tag on the page then does nothing. */
	on?: boolean;
}
declare global {
	interface Window {
		trackflow?: Trackflow;
	}
}

const stub = self.trackflow;
if (!stub?.on) {
	(self.trackflow = run as Trackflow).on = 1 as never;
	// On the window, before any listener of the page's can stop the event.
	for (const name in table) addEventListener(name, (event) => run(name as keyof typeof table, event), 1 as never);
	stub?.q?.forEach((call) => run(...call));
	// Milliseconds that an event may wait for others.
	setInterval(run, (tag.interval as never) || 3e3, "flush");
	setInterval(run, 1e3, "scroll");
	takeKept();
}
