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
