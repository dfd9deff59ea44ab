export const OUTPUT: string;
export const BANNER: string;
export const WEB_FORMS: string;
export const MAX_SIZE: number;
export function compressed(): Promise<string>;
export function bundle(): Promise<string>;
export function bundleBanner(): Promise<string>;
export function bundleWebForms(): Promise<string>;
export function gzipSize(text: string): number;
