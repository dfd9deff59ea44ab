import { post } from "./api";
import { tellError } from "./notify";

export async function logOut(): Promise<void> {
	try {
		await post("logout");
		location.assign("/login");
	} catch (error) {
		tellError(error);
	}
}
