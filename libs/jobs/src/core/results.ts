import type { ReplyOf, readOutput } from '@das/contracts';

/** A row's place in the order of a result. */
export type Place = { readonly from: number; readonly seq: number };

type Row = ReplyOf<typeof readOutput>['rows'][number];

/** What a follower has: bytes of this page, the last row of all pages, and the first item it lacks. */
export interface Known {
  readonly bytes: number;
  readonly last: Place | undefined;
  readonly reach: number;
}

/** Takes the rows up to the first gap. Steps (`gather`, `main`) have no gaps. */
export function inOrder(rows: readonly Row[], before: Omit<Known, 'bytes'>, byItem: boolean): Known {
  let { last, reach } = before;
  let bytes = 0;
  for (const row of rows) {
    if (byItem && row.from > reach) break;
    bytes += row.bytes;
    reach = row.to;
    last = { from: row.from, seq: row.seq };
  }
  return { bytes, last, reach };
}
