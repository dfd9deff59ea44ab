/** Paths of conversions, as `get_paths` answers them. */

export interface Brought {
	conversions: number;
	value: Record<string, number>;
}
export interface Path extends Brought {
	path: string;
	steps: { channel: string; touches: number }[];
}
export interface Paths {
	model: string;
	totals: Brought;
	without_touch: Brought;
	paths: Path[];
	others: Brought & { paths: number };
	touches: Spread;
	seconds_to_conversion: Spread;
	seconds_to_last_touch: Spread;
	channels: { channel: string; conversions: number; first: number; last: number; assists: number; assists_by_last: number | null }[];
}
export interface Spread {
	median: number | null;
	mean: number | null;
}
