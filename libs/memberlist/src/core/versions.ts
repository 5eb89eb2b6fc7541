import { type Config, protocolVersions } from './config.js';

/** Bytes of a complete version statement. */
export const versionBytes = 6;

/** What we say of ourselves. */
export function ownVersions({ protocolVersion, delegateVersion }: Config): Uint8Array {
  return Uint8Array.of(protocolVersions.min, protocolVersions.max, protocolVersion, ...delegateVersion);
}

/** Newest protocol a peer understands; 0 when it told none. 3: pings over streams, 4: nacks, 5: checksums. */
export function newestProtocol(vsn: Uint8Array): number {
  return vsn.length >= versionBytes ? (vsn[1] ?? 0) : 0;
}

/** Whether what a peer says of its protocol makes no sense. Less than three bytes say nothing. */
export function isNonsense(vsn: Uint8Array): boolean {
  const [min = 0, max = 0] = vsn;
  return vsn.length >= 3 && (min === 0 || max === 0 || min > max);
}

/** One party to a merge. */
export interface Versioned {
  readonly name: string;
  readonly vsn: Uint8Array;
  /** Only these narrow the range in which all can talk. */
  readonly alive: boolean;
}

interface Range {
  min: number;
  max: number;
}

/**
 * Why the nodes of two clusters cannot be one, or nothing: everyone's current version has to be understood by every living node
 * (memberlist `memberlist.go`, verifyProtocol).
 */
export function versionProblem(remote: readonly Versioned[], local: readonly Versioned[]): string | undefined {
  const protocol: Range = { min: 0, max: 255 };
  const delegate: Range = { min: 0, max: 255 };
  const all = [...remote, ...local];
  for (const { vsn } of all.filter((node) => node.alive && node.vsn.length >= versionBytes)) {
    narrow(protocol, vsn[0], vsn[1]);
    narrow(delegate, vsn[3], vsn[4]);
  }
  for (const { name, vsn } of all) {
    // A node that told no versions counts as version 0.
    const [current = 0, delegateCurrent = 0] = vsn.length >= versionBytes ? [vsn[2], vsn[5]] : [];
    const problem =
      outside(name, 'protocol', current, protocol) ?? outside(name, 'delegate protocol', delegateCurrent, delegate);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function narrow(range: Range, min = 0, max = 0): void {
  range.min = Math.max(range.min, min);
  range.max = Math.min(range.max, max);
}

function outside(name: string, what: string, version: number, range: Range): string | undefined {
  if (version >= range.min && version <= range.max) return undefined;
  return `Node '${name}' ${what} version (${version}) is incompatible: [${range.min}, ${range.max}]`;
}
