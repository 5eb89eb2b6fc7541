/** How output waits for the store. */
export interface HoldFigures {
  readonly memoryBytes: number;
  readonly memoryBytesMax: number;
  /** Nothing new starts. */
  readonly full: boolean;
  readonly spooledBytes: number;
  readonly spoolBytesMax: number;
  /** Why output stays in memory, if it does. */
  readonly trouble: 'full' | { readonly why: string } | undefined;
  readonly folder: string;
}

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** What is wrong, and what to do about it; undefined: nothing is. The kind stays the same while only figures change. */
export function holdNotice(hold: HoldFigures): { readonly kind: string; readonly words: string } | undefined {
  const { trouble, full } = hold;
  if (trouble === undefined && !full) return undefined;
  const disk = trouble === undefined || trouble === 'full' ? trouble : 'refused';
  const words = [...(full ? [fullWords(hold)] : []), ...(trouble === undefined ? [] : [diskWords(hold)])];
  return { kind: `${disk ?? 'written'}${full ? ', holding' : ''}`, words: words.join('; ') };
}

const fullWords = ({ memoryBytes, memoryBytesMax }: HoldFigures): string =>
  `nothing new starts: ${mib(memoryBytes)} of output wait in memory for the store (DAS_HOLD_BYTES_MAX: ${mib(memoryBytesMax)})`;

function diskWords({ trouble, spooledBytes, spoolBytesMax, folder }: HoldFigures): string {
  if (trouble === 'full')
    return `output waits in memory, because the spool has no room for it (${mib(spooledBytes)} of ${mib(spoolBytesMax)}): bring the store back, or raise DAS_SPOOL_BYTES_MAX`;
  return `output waits in memory, because ${folder} does not take it (${trouble?.why ?? '?'}): make room there, or name another folder by DAS_SPOOL`;
}
