/** The arithmetic of charts. Pure. */

/** Round values from 0 up to `most` and beyond, about `wanted` steps. Of counts they are whole numbers. */
export function ticks(most: number, wanted = 4, isWhole = false): number[] {
	if (!(most > 0)) return [0, 1];
	const raw = most / wanted;
	const power = 10 ** Math.floor(Math.log10(raw));
	let step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.999)! * power;
	if (isWhole) step = Math.max(1, Math.ceil(step));
	const count = Math.ceil(most / step - 1e-9);
	return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** Which of so many points get a label, so that `room` labels stand apart; the last one does, and as evenly as can be. */
export function labelled(count: number, room: number): number[] {
	if (count <= 0) return [];
	const step = Math.max(1, Math.ceil(count / Math.max(1, room)));
	const found: number[] = [];
	for (let index = count - 1; index >= 0; index -= step) found.unshift(index);
	return found;
}

/** What a row has of a series; null where it has nothing. */
export const valueOf = (row: Record<string, any>, key: string): number | null => (typeof row[key] === "number" ? row[key] : null);

/** A line through points; where there is no value it has a gap. */
export function linePath(points: readonly ([number, number] | null)[]): string {
	let isDown = false;
	return points
		.map((point) => {
			const command = point && `${isDown ? "L" : "M"}${round(point[0])},${round(point[1])}`;
			isDown = point !== null;
			return command ?? "";
		})
		.join("");
}

const round = (value: number) => Math.round(value * 10) / 10;
