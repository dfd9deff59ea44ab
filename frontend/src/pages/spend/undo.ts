import { post } from "@/data/api";
import { number } from "@/data/formats";
import { confirm, tell, tellError } from "@/data/notify";
import { __ } from "@/locale";

/** Ask, and make the rows of an import what they were; tells whether it was done. */
export async function undoImport(name: string): Promise<boolean> {
	const isWanted = await confirm({
		title: __("Undo this import?"),
		text: __("All its rows become what they were before. Rows that were changed since stay as they are."),
		yes: __("Undo"),
		isDangerous: true,
	});
	if (!isWanted) return false;
	try {
		const { removed, restored, skipped } = await post("trackflow.api.costs.undo_import", { cost_import: name });
		tell(__("Rows removed: {0}, restored: {1}, left because they were changed since: {2}.", [removed, restored, skipped].map((one) => number(one))));
		return true;
	} catch (error) {
		tellError(error);
		return false;
	}
}
