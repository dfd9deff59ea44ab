/** The channels that visits come by (trackflow/tracking/channels.py), in the order in which they are defined there. */
export const CHANNELS = [
	"Direct", "Cross-network", "Paid Shopping", "Paid Search", "Paid Social", "Paid Video", "Display", "Paid Other", "AI Assistant",
	"Organic Shopping", "Organic Social", "Organic Video", "Organic Search", "Referral", "Email", "Affiliates", "Audio", "SMS",
	"Mobile Push Notifications", "Unassigned",
] as const;
