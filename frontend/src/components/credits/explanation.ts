/** What `explain` answers: why the credits of a conversion are what they are. Pure. */

export interface Credit {
	touch_point: string | null;
	occurred_at?: string;
	position: number;
	touch_count: number;
	channel: string;
	link_campaign?: string;
	/** With nine places, as it is stored. */
	weight: string;
	value: string;
	words: string[];
}
export interface ModelExplanation {
	model: string;
	model_type: string;
	is_default: boolean;
	credits: Credit[];
	/** The touches that are not told one by one, together. */
	rest: { touches: number; with_credit: number; weight: string; value: string; words: string[] } | null;
	words: string[];
}
export interface Explanation {
	conversion: { name: string; conversion_type: string; at: string; value: string; currency: string; status: string } | null;
	words: string[];
	models: ModelExplanation[];
}

/** A part of a model's bar: a touch that gets something, or what all others get. */
export interface Segment {
	key: string;
	/** Of the journey, from 1 on; 0 for none, null for several. */
	position: number | null;
	channel: string | null;
	/** From 0 to 1. */
	share: number;
	value: number;
}

/** In the order of the journey, without touches that get nothing. */
export function segmentsOf({ credits, rest }: ModelExplanation): Segment[] {
	const told = credits
		.filter(({ weight }) => Number(weight) > 0)
		.map((credit) => ({
			key: `${credit.position}`,
			position: credit.position,
			channel: credit.channel,
			share: Number(credit.weight),
			value: Number(credit.value),
		}));
	return rest && Number(rest.weight) > 0
		? [...told, { key: "rest", position: null, channel: null, share: Number(rest.weight), value: Number(rest.value) }]
		: told;
}

/** The channels of all models in the order in which the journey comes by them. */
export function channelsOf(models: ModelExplanation[]): string[] {
	const found = models.flatMap(({ credits }) => credits).sort((one, other) => one.position - other.position);
	return [...new Set(found.map(({ channel }) => channel))];
}

export interface Shared {
	channel: string;
	share: number;
	value: number;
}
/** What each channel gets of a model, the most first. */
export function byChannel(segments: Segment[]): Shared[] {
	const sums = new Map<string, Shared>();
	for (const { channel, share, value } of segments) {
		const one = sums.get(channel ?? "") ?? { channel: channel ?? "", share: 0, value: 0 };
		sums.set(channel ?? "", { ...one, share: one.share + share, value: one.value + value });
	}
	return [...sums.values()].sort((one, other) => other.share - one.share);
}
