import { onScopeDispose } from "vue";

/**
 * Do something every so many seconds while somebody looks: not in a tab that is hidden, which catches up when it is shown again;
 * never twice at once.
 */
export function usePolling(work: () => Promise<unknown>, seconds: number): void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	let isAtWork = false;
	let isOver = false;

	const plan = () => {
		clearTimeout(timer);
		if (!isOver && !document.hidden) timer = setTimeout(run, seconds * 1000);
	};
	async function run(): Promise<void> {
		if (isAtWork) return;
		isAtWork = true;
		try {
			await work();
		} finally {
			isAtWork = false;
			plan();
		}
	}
	const look = () => (document.hidden ? clearTimeout(timer) : void run());

	document.addEventListener("visibilitychange", look);
	plan();
	onScopeDispose(() => {
		isOver = true;
		clearTimeout(timer);
		document.removeEventListener("visibilitychange", look);
	});
}
