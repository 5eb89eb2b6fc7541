/** What the user typed does not fit. Exit code 2. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly details: { readonly field?: string; readonly expected?: string; readonly hint?: string } = {},
  ) {
    super(message);
    this.name = 'UsageError';
  }
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `10s`, `500ms`, `2m`, `1.5h` or `10` (seconds), in ms. @throws UsageError. */
export function parseDurationMs(text: string, field: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = unitsMs[match?.[2] ?? 's'];
  if (!match || unit === undefined) {
    throw new UsageError(`${JSON.stringify(text)} is not a duration`, {
      field,
      expected: 'a number with ms, s, m or h, like 10s',
    });
  }
  return Math.round(Number(match[1]) * unit);
}

/** `A:B`: the integers A to B-1. @throws UsageError. */
export function parseRange(text: string): [number, number] {
  const match = /^(-?\d{1,15}):(-?\d{1,15})$/.exec(text.trim());
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || from > to) {
    throw new UsageError(`${JSON.stringify(text)} is not a range`, {
      field: '--range',
      expected: 'A:B with A <= B, for the integers A to B-1, like 0:1000',
    });
  }
  return [from, to];
}

/** A whole number of at least `min`. @throws UsageError. */
export function parseWhole(text: string, field: string, min: number): number {
  const value = /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;
  if (!(value >= min))
    throw new UsageError(`${JSON.stringify(text)} does not fit`, {
      field,
      expected: `a whole number of at least ${min}`,
    });
  return value;
}

/** Items that may fail: `5%`, or a number. @throws UsageError. */
export function parseTolerate(text: string): string | number {
  if (/^\d{1,3}(\.\d+)?%$/.test(text) && Number.parseFloat(text) <= 100) return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${JSON.stringify(text)} does not fit`, {
    field: '--tolerate',
    expected: 'a share like 5%, or a number of items',
  });
}

/** `k=v` pairs; a value that is JSON is taken as such, anything else as text. @throws UsageError. */
export function parseParams(
  pairs: readonly string[],
  base: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const params: Record<string, unknown> = { ...base };
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1)
      throw new UsageError(`${JSON.stringify(pair)} is not a parameter`, { field: '--param', expected: 'name=value' });
    params[pair.slice(0, at)] = jsonOrText(pair.slice(at + 1));
  }
  return params;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A file of parameters. @throws UsageError when it is not one JSON object. */
export function parseParamsFile(text: string, file: string): Record<string, unknown> {
  const value = jsonOrText(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UsageError(`${file} is not a JSON object`, {
    field: '--param-json',
    expected: 'one JSON object, like {"url": "http://…"}',
  });
}
