import { Fault, stageOutput } from '@das/contracts';
import { StepRows } from '@das/execution';
import { type PartId, jobId } from '@das/kernel';
import type { Answer } from '@das/messaging';
import { settled } from '@das/testing';
import { HoldLedger } from './hold-ledger.js';
import { Output, RefusedError } from './output.js';
import type { StoreClient } from './store-client.js';

describe('the output of an attempt', () => {
  const attempt = { job: jobId('j'), generation: 1, part: 'gather:0-1' as PartId, attempt: 1 };
  const { signal } = new AbortController();
  const large = 1_000_000;
  let ledger: HoldLedger;
  let rows: StepRows;
  let output: Output;
  let asked: Array<{ body: { run?: string }; resolve: (outcome: string) => void; reject: (error: Error) => void }>;
  beforeEach(() => {
    asked = [];
    ledger = new HoldLedger(10 * large, () => undefined);
    rows = new StepRows('gather', 0);
    const ask: StoreClient['ask'] = (operation, body) =>
      new Promise((resolve, reject) => {
        expect(operation.name).toBe(stageOutput.name);
        const answer = (outcome: string): void =>
          resolve({ body: { outcome }, raw: new Uint8Array() } as Answer<never>);
        asked.push({ body: body as { run?: string }, resolve: answer, reject });
      });
    output = new Output(rows, attempt, 'run-1', { ask } as StoreClient, ledger, signal);
  });
  const grow = (): void | Promise<void> => {
    rows.add(new Uint8Array(large));
    rows.add(new Uint8Array(1));
    return output.grown();
  };

  it('is held from its rows on until it is staged', async () => {
    void grow();
    expect(ledger.bytes).toBe(large);
    await settled();
    asked[0]?.resolve('staged');
    await settled();
    expect([ledger.bytes, asked[0]?.body.run]).toEqual([0, 'run-1']);
  });

  it('is counted once when it is dropped while it is being staged', async () => {
    void grow();
    await settled();
    output.drop();
    expect(ledger.bytes).toBe(0);
    asked[0]?.resolve('staged');
    await settled();
    expect(ledger.bytes).toBe(0);
  });

  it('is not counted any more once it is dropped, whatever the worker still gives', async () => {
    output.drop();
    void grow();
    output.drop();
    expect(ledger.bytes).toBe(0);
  });

  it.each([
    ['staleAttempt', RefusedError],
    ['fault', Fault],
  ])('ends the run of a worker whose rows the store refuses: %s', async (outcome, kind) => {
    void grow();
    await settled();
    if (outcome === 'fault') asked[0]?.reject(new Fault('PAYLOAD_TOO_LARGE', 'too many rows'));
    else asked[0]?.resolve(outcome);
    await settled();
    // A rejection, not an exception: the worker did nothing wrong.
    const told = grow();
    await expect(told).rejects.toBeInstanceOf(kind);
    await expect(output.finish()).rejects.toBeInstanceOf(kind);
  });
});
