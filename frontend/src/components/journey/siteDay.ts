import { boot } from "@/data/boot";
import { dayIn } from "@/data/days";

/** The day at the site of an instant of the API. */
export const siteDay = (at: string): string => dayIn(boot().time_zone.site, new Date(at));
