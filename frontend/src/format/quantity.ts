const GIB = 1024 ** 3;

/** A number as its language writes it, with at most `digits` after the point. */
export function formatNumber(value: number, language: string, digits = 0): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** Bytes in GiB; one digit after the point below 10. */
export function formatGib(bytes: number, language: string): string {
  const gib = bytes / GIB;
  return `${formatNumber(gib, language, gib < 10 ? 1 : 0)} GiB`;
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes in the largest unit that they fill; one digit after the point below 100 of it. */
export function formatBytes(bytes: number, language: string): string {
  const power = BYTE_UNITS.findLastIndex((_, index) => index === 0 || bytes >= 1024 ** index);
  const value = bytes / 1024 ** power;
  return `${formatNumber(value, language, power > 0 && value < 100 ? 1 : 0)} ${BYTE_UNITS[power]}`;
}
