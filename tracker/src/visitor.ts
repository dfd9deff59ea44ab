/**
 * Who the visitor is on this website, and which click led here; both "" where recognising is not allowed.
 */
import { randomId, readCookie, storage, writeCookie, YEAR } from "./browser";
import { mayRecognise } from "./consent";
import { clickIdIn } from "./text";

const VISITOR = "trackflow_visitor";
const CLICK = "trackflow_click";
// As long as the server takes a silent visitor for the same visit.
const VISIT = 1800;

/** The visitor's id, made at first need. */
export const visitorId = (): string => {
	if (!mayRecognise()) return "";
	// The copy is for hosts where a short link has set a cookie of this name, which scripts cannot read or replace.
	const id = readCookie(VISITOR) || storage[VISITOR] || "v_" + randomId(16);
	writeCookie(VISITOR, (storage[VISITOR] = id), YEAR);
	return id;
};

/** The signed id of the click on a short link that this visit came from. */
export const clickId = (): string => {
	const id = mayRecognise() && (clickIdIn(location.href + " " + document.referrer) || readCookie(CLICK));
	if (id) writeCookie(CLICK, id, VISIT);
	return id || "";
};

/** Leave nothing of the visitor in this browser. */
export const forgetVisitor = (): void => {
	delete storage[VISITOR];
	writeCookie(VISITOR, "", 0);
	writeCookie(CLICK, "", 0);
};
