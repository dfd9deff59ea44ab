/**
 * Who the visitor is on this website: "" where recognising is not allowed.
 */
import { storage, writeCookie } from "./browser";
import { mayRecognise } from "./consent";
import { randomHex, readCookie } from "./text";

/** The visitor's id, made at first need. */
export const visitorId = (): string => {
	if (!mayRecognise()) return "";
	const id = writeCookie(
		"trackflow_visitor",
		(readCookie("trackflow_visitor") + storage.trackflow_visitor + "v_" + randomHex(16)).match(/v_[\da-f]{16}/)![0],
	);
	try {
		storage.trackflow_visitor = id;
	} catch {}
	return id;
};

/** Leave nothing of the visitor in this browser. */
export const forgetVisitor = (): void => {
	delete storage.trackflow_visitor;
	writeCookie("trackflow_visitor", "");
};
