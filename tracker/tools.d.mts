export function findChromium(): string | undefined;
export function findBenchless(): string | undefined;
