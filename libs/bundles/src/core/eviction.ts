/** A folder that a node has. */
export interface Kept {
  readonly digest: string;
  readonly bytes: number;
  /** Grows with every use. */
  readonly used: number;
  /** Somebody has it now, or waits for it. */
  readonly inUse: boolean;
}

/** What has to go so that the rest has room: used longest ago first, and never one in use. */
export function surplus(kept: readonly Kept[], bytesMax: number): string[] {
  let bytes = kept.reduce((sum, entry) => sum + entry.bytes, 0);
  const gone: string[] = [];
  for (const entry of [...kept].sort((a, b) => a.used - b.used)) {
    if (bytes <= bytesMax) break;
    if (entry.inUse) continue;
    gone.push(entry.digest);
    bytes -= entry.bytes;
  }
  return gone;
}
