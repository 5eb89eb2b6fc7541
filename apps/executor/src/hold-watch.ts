import type { Hold } from '@das/contracts';
import { holdNotice } from '@das/execution';
import type { Logger } from '@das/platform';
import type { HoldLedger } from './hold-ledger.js';
import type { OutputSpool } from './output-spool.js';

/** Says in words when output cannot wait where it should: in heartbeats as long as it lasts, in the log when it begins and ends. */
export class HoldWatch {
  #told: string | undefined;

  constructor(
    private readonly ledger: HoldLedger,
    private readonly spool: OutputSpool,
    private readonly folder: string,
    private readonly log: Logger,
  ) {}

  look(): Hold {
    const { ledger, folder } = this;
    const { bytes: spooledBytes, bytesMax: spoolBytesMax, files: spooled, torn, trouble } = this.spool.figures;
    const memory = { memoryBytes: ledger.bytes, memoryBytesMax: ledger.bytesMax, full: ledger.full };
    const notice = holdNotice({ ...memory, spooledBytes, spoolBytesMax, trouble, folder });
    this.#tell(notice);
    return {
      ...{ memoryBytes: ledger.bytes, full: ledger.full, spooledBytes, spooled, torn },
      ...(notice === undefined ? {} : { notice: notice.words }),
    };
  }

  /** Figures change with every beat; another line of the log is worth only another kind of trouble. */
  #tell(notice: ReturnType<typeof holdNotice>): void {
    if (notice?.kind === this.#told) return;
    this.#told = notice?.kind;
    if (notice === undefined) this.log.info({}, 'output waits where it should again');
    else this.log.warn({ trouble: notice.kind }, notice.words);
  }
}
