/** Where the bus reports what has no caller to tell: dropped messages, failing handlers. The platform's logger fits. */
export interface BusLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export const silent: BusLog = { warn: () => undefined, error: () => undefined };
