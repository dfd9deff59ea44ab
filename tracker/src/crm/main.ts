/**
 * What TrackFlow adds to the screens of Frappe CRM: entries in its sidebar, and the journey of a lead or deal in a dialog,
 * which the CRM Form Scripts that TrackFlow installs ask for. The tag says what there is to show.
 */
import { showJourney } from "./journey";
import { keepEntries } from "./sidebar";

declare global {
	interface Window {
		trackflowCrm?: { showJourney: typeof showJourney };
	}
}

const { entries, callLogs } = (document.currentScript as HTMLScriptElement).dataset;

window.trackflowCrm = { showJourney };
if (entries) keepEntries(JSON.parse(entries), callLogs || "");
