import type { NodeId } from '@das/kernel';
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vote } from '../core/raft/types.js';
import { FileVoteStore, VoteStoreError } from './file-vote-store.js';

const vote = (round: number, votedFor?: string): Vote => ({ round, votedFor: votedFor as NodeId | undefined });

describe('the vote store on disk', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'das-votes-'))));
  afterEach(() => rm(dir, { recursive: true, force: true }));
  const store = (): FileVoteStore => new FileVoteStore(join(dir, 'votes'));

  it('is empty at first, and makes its folder', async () => {
    expect(await store().load()).toBe('empty');
    await store().save(vote(1, 'a'));
    expect(await store().load()).toEqual(vote(1, 'a'));
  });

  it('remembers the newest of many, in two files and nothing else', async () => {
    const one = store();
    for (let round = 1; round <= 5; round += 1) await one.save(vote(round, round % 2 === 0 ? 'a' : undefined));
    expect(await store().load()).toEqual(vote(5));
    expect((await readdir(join(dir, 'votes'))).sort()).toEqual(['vote-a', 'vote-b']);
  });

  it('never goes back, nor gives a second vote in a round, in this life or the next', async () => {
    await store().save(vote(4));
    const next = store();
    await expect(next.save(vote(3))).rejects.toThrow(VoteStoreError);
    await next.save(vote(4, 'a'));
    await next.save(vote(4, 'a'));
    await expect(next.save(vote(4, 'b'))).rejects.toThrow('round 4 cannot follow round 4');
    await expect(next.save(vote(4))).rejects.toThrow(VoteStoreError);
    expect(await store().load()).toEqual(vote(4, 'a'));
  });

  it('goes by the other slot when one is torn', async () => {
    const one = store();
    await one.save(vote(1, 'a'));
    await one.save(vote(2, 'b'));
    const newest = join(dir, 'votes', 'vote-a');
    const text = await readFile(newest, 'utf8');
    expect(text).toMatch(/^das-vote-1 2 2 b [0-9a-f]{8}\n$/);
    await writeFile(newest, text.slice(0, -4));
    expect(await store().load()).toEqual(vote(1, 'a'));
  });

  it('says that it is corrupt when no slot can be read, or was changed by hand', async () => {
    await store().save(vote(1, 'a'));
    const file = join(dir, 'votes', 'vote-b');
    await writeFile(file, (await readFile(file, 'utf8')).replace(' a ', ' b '));
    expect(await store().load()).toBe('corrupt');
    await writeFile(file, 'das-vote-1 99999999999999999 1 . 00000000\n');
    expect(await store().load()).toBe('corrupt');
    await rm(file);
    expect(await store().load()).toBe('empty');
  });

  it('says what the disk says when a vote cannot be stored', async () => {
    await writeFile(join(dir, 'votes'), 'a file where the folder should be');
    await expect(store().save(vote(1))).rejects.toThrow(/cannot be stored in .*votes/);
    await chmod(join(dir, 'votes'), 0o600);
  });
});
