/**
 * Who the visitor is on this website: "" where recognising is not allowed.
 */
import { storage, writeCookie } from "./browser";
import { mayRecognise } from "./consent";
import { randomHex, readCookie } from "./text";

/** The visitor's id, made at first need. */
export const visitorId = (): string =>
	mayRecognise()
		? writeCookie(
				"trackflow_visitor",
				// The copy is for hosts where a short link has set a cookie of this name, which scripts cannot read or replace.
				// Neither need be ours: the first that looks like an id is taken.
				(storage.trackflow_visitor = (
					readCookie("trackflow_visitor") +
					storage.trackflow_visitor +
					"v_" +
					randomHex(16)
				).match(/v_[\da-f]{16}/)![0]),
			)
		: "";

/** Leave nothing of the visitor in this browser. */
export const forgetVisitor = (): void => {
	delete storage.trackflow_visitor;
	writeCookie("trackflow_visitor", "");
};
