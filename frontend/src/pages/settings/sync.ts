/** The sync of forms to an outside CRM as the server tells it. Words in English, for `__()`. Pure. */
export interface MappedField {
	source: string;
	remote_field: string;
	remote_label: string;
	remote_type: string;
}

export interface RemoteField {
	key: string;
	label: string;
	type: string;
	is_writable: boolean;
	is_searched: boolean;
}

export interface Sync {
	sync_enabled: 0 | 1;
	sync_provider: string;
	sync_company: string | null;
	sync_delay_minutes: number;
	has_token: boolean;
	fields: MappedField[];
	sources: string[];
	status: {
		is_on: boolean;
		forms: Record<string, number>;
		due: number;
		crm: { circuit: "closed" | "open" | "half_open"; pause_seconds: number; trouble: string; last_run: number | null; last_rows: number | null; last_error: string } | null;
	};
}

export interface Previewed {
	name: string;
	email: string | null;
	first_name: string | null;
	last_name: string | null;
	status: string;
	message: string;
	remote_id?: string;
	values: Record<string, string | number>;
}

export const STATES: Record<string, { label: string; theme: "orange" | "green" | "gray" | "red" }> = {
	pending: { label: "Waits", theme: "orange" },
	synced: { label: "Synced", theme: "green" },
	not_found: { label: "Not found", theme: "gray" },
	error: { label: "Error", theme: "red" },
	withdrawn: { label: "May not leave", theme: "gray" },
};

export const CIRCUITS = {
	closed: { label: "Closed: it is asked", theme: "green" },
	half_open: { label: "Half-open: it is tried", theme: "orange" },
	open: { label: "Open: it failed, and is left alone", theme: "red" },
} as const;

/** The mapping as it is saved: rows without anything chosen are none. */
export const chosen = (rows: MappedField[]): MappedField[] => rows.filter(({ source, remote_field }) => source || remote_field);

/** The row with another field of the CRM, called as the CRM does. */
export function withRemote(row: MappedField, key: string, remote: RemoteField[]): MappedField {
	const there = remote.find((one) => one.key === key);
	return { ...row, remote_field: key, remote_label: there?.label ?? "", remote_type: there?.type ?? "" };
}

/** Whom a form is of, as far as it says. */
export const whom = ({ email, first_name, last_name }: Pick<Previewed, "email" | "first_name" | "last_name">): string => email || [first_name, last_name].filter(Boolean).join(" ");
