import { resolve } from 'node:path';
import process from 'node:process';
import { type ReplyOf, type RequestOf, executorBeat, type inspectScript, languageOf } from '@das/contracts';
import { FolderSpool, type ScriptText, attemptsMax } from '@das/execution';
import type { Cancel } from '@das/kernel';
import { LockClient, SERVICE_CONTEXT, type ServiceContext, loadConfig } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { AttemptTools } from './attempt-tools.js';
import { type ExecutorConfig, executorConfig, placeLimitsOf } from './config.js';
import { ExecutorShell } from './executor.shell.js';
import { HoldLedger } from './hold-ledger.js';
import { HoldWatch } from './hold-watch.js';
import { JobLogs } from './job-logs.js';
import { notInspected } from './not-inspected.js';
import { openJobCode } from './open-job-code.js';
import { OutputSpool } from './output-spool.js';
import { ScriptWorkers } from './script-workers.js';
import { StoreClient } from './store-client.js';
import { TermFile } from './term-file.js';
import { Terms } from './terms.js';

const beatMs = 1_000;
/** What runs may go on for so long after the service is told to stop (ms). */
const drainMs = 2_000;

/** The service's life: its workers, its beats, and its end without leaving anything behind. */
@Injectable()
export class ExecutorService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #config: ExecutorConfig;
  readonly #epoch: string;
  readonly #stopped = new AbortController();
  readonly #cancels: Cancel[] = [];
  #termHeard = 0;
  #workers: ScriptWorkers | undefined;
  #tools: AttemptTools | undefined;
  #shell: ExecutorShell | undefined;
  #spool: OutputSpool | undefined;
  #hold: HoldWatch | undefined;

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {
    this.#config = loadConfig(executorConfig, context.env);
    this.#epoch = context.newId();
  }

  get shell(): ExecutorShell {
    if (this.#shell === undefined) throw new Error('the executor has not started');
    return this.#shell;
  }

  /** @throws InterpreterMissingError, NoSandboxError; nothing is left running. */
  async onApplicationBootstrap(): Promise<void> {
    const { context } = this;
    const { DAS_SLOTS: slots, DAS_HOME, DAS_SCRATCH, DAS_SPOOL } = this.#config;
    const folder = resolve(DAS_SCRATCH ?? `${DAS_HOME}/scratch/${context.node}`);
    const { pools, python, sandbox } = (this.#workers = await ScriptWorkers.open(context, this.#config, folder));
    const store = new StoreClient(context.bus, context.clock);
    const code = await openJobCode(context, this.#config, python, store, this.#stopped.signal);
    this.#tools = {
      ...{ node: context.node, newId: context.newId, clock: context.clock, pools, store, sandbox: sandbox.layer },
      limits: placeLimitsOf(this.#config),
      locks: new LockClient(context.bus, context.clock),
      code,
      ledger: new HoldLedger(this.#config.DAS_HOLD_BYTES_MAX, (full) => this.#held(full)),
      logs: new JobLogs(context.events, context.clock, context.log, this.#epoch),
    };
    const spoolFolder = resolve(DAS_SPOOL ?? `${DAS_HOME}/spool`, context.node);
    const spool = this.#openSpool(spoolFolder, store);
    this.#hold = new HoldWatch(this.#tools.ledger, spool, spoolFolder, context.log);
    const kept = await spool.open();
    const terms = new Terms(context, new TermFile(folder));
    this.#shell = new ExecutorShell(context, this.#tools, terms, spool, slots, kept);
    this.#beat();
    context.describe({ slots });
    this.#cancels.push(context.clock.every(beatMs, () => this.#beat()));
  }

  /** Before the bus closes: what is given back must still be told. */
  async onModuleDestroy(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    if (this.#shell !== undefined) await this.#end(this.#shell);
    await this.#spool?.close();
    this.#stopped.abort();
    await this.#tools?.logs.flush();
    await this.#workers?.close();
  }

  /** @throws Fault SERVICE_UNAVAILABLE when no worker can be started; CODE_VENV; of {@link JobCode} for a bundle. */
  async inspect({
    filename,
    codeText,
    language,
    bundle,
    entry,
    venv,
  }: RequestOf<typeof inspectScript>): Promise<ReplyOf<typeof inspectScript>> {
    if (bundle === undefined)
      return this.#parse(
        { language: language ?? languageOf(filename) ?? 'python', filename, text: codeText },
        { venv },
      );
    const code = await this.#toolsNow.code.entryOf(bundle, { entry, language, venv });
    const script = { language: code.language, filename: code.entry, text: code.text };
    try {
      // Only Python's parser looks at the other files; the worker that was shown them is lost.
      const folder = script.language === 'python' ? code.folder : undefined;
      const found = await this.#parse(script, { folder, venv });
      return { ...found, entry: code.entry, language: code.language };
    } finally {
      code.release();
    }
  }

  /** An environment says nothing of other languages; the front door refuses it there. */
  async #parse(
    script: ScriptText,
    { folder, venv }: { readonly folder?: string | undefined; readonly venv: string | undefined },
  ): Promise<ReplyOf<typeof inspectScript>> {
    const asked = script.language === 'python' ? venv : undefined;
    const inspected = this.#toolsNow.pools.inspect(script, folder, asked);
    return inspected.catch((error: unknown) => notInspected(error, asked));
  }

  get #toolsNow(): AttemptTools {
    if (this.#tools === undefined) throw new Error('the executor has not started');
    return this.#tools;
  }

  #openSpool(folder: string, store: StoreClient): OutputSpool {
    const { clock, log } = this.context;
    const bounds = { bytesMax: this.#config.DAS_SPOOL_BYTES_MAX, filesMax: attemptsMax };
    this.#spool = new OutputSpool({ files: new FolderSpool(folder), store, clock, log }, bounds);
    return this.#spool;
  }

  async #end(shell: ExecutorShell): Promise<void> {
    shell.drain();
    this.#beat();
    let over: Cancel = () => undefined;
    const late = new Promise<void>((resolve) => {
      over = this.context.clock.timer(drainMs, resolve);
    });
    await Promise.race([shell.idle(), late]);
    over();
    await shell.giveAllBack('the node stops');
    this.#beat();
  }

  /** A ledger may change while the service starts. */
  #held(full: boolean): void {
    this.#shell?.heldOutput(full);
  }

  /** A hint for scripts that wait. */
  heardFreed(name: string): void {
    this.#tools?.locks.freed(name);
  }

  /** A new leader knows no nodes: it need not wait a second for ours, nor place a step elsewhere meanwhile. */
  heardTerm(term: number): void {
    if (term <= this.#termHeard) return;
    this.#termHeard = term;
    if (this.#shell !== undefined) this.#beat();
  }

  #beat(): void {
    const { slots, draining } = this.shell.state;
    const hold = this.#hold?.look();
    this.context.bus.tell(executorBeat, {
      ...{ node: this.context.node, epoch: this.#epoch, slots, draining },
      held: this.shell.held(),
      rssBytes: process.memoryUsage.rss(),
      workers: this.#toolsNow.pools.size,
      ...(hold === undefined ? {} : { hold }),
      ...(this.#workers === undefined ? {} : { sandbox: this.#workers.sandbox.layer }),
      ...(this.#workers?.grouped === undefined ? {} : { grouped: [...this.#workers.grouped] }),
    });
  }
}
