import { testCluster, until, type TestCluster } from '../harness.js';
import { NatsTrio } from './nats-trio.js';
import { expectWhole, full, midway, work } from './work.js';

const shape = work(400, 0.08);

const whenFull = full ? describe : describe.skip;

whenFull('a NATS cluster of three', () => {
  let trio: NatsTrio;
  let running: TestCluster;
  beforeAll(async () => {
    trio = await NatsTrio.start();
    running = await testCluster({ natsUrl: trio.url, env: { DAS_NATS_TOKEN: trio.token } });
  });
  afterAll(async () => {
    await running?.stop();
    await trio?.stop();
  });

  /** Kills the server that `choose` names while a job runs; the server stays away until the job has ended. */
  async function without(choose: (leader: string) => Promise<string>): Promise<string> {
    const rest = running.node(1);
    const leader = await until('there is a leader', async () => (await rest.leader()).leader);
    const job = await rest.submit(shape.submission);
    await midway(rest, job.id, shape);
    const victim = await choose(leader);
    await trio.kill(victim);
    try {
      await running.ended(job.id);
      await expectWhole(rest, job.id, shape);
    } finally {
      await trio.restart(victim);
    }
    return job.id;
  }

  it("loses nothing with the server that the leader's job-splitter is connected to", async () => {
    await without((leader) => trio.serverOf(`${leader}/job-splitter`));
  });

  it('loses nothing, events included, with the server that orders the events', async () => {
    const { leader, copies } = await trio.holdersOf('das-events');
    expect(copies).toBe(3);
    const job = await without(async () => leader);
    const printed = await until('the events of the job are whole', async () => {
      const answer = await running.node(2).raw(`/v1/jobs/${job}/events`);
      const text = await answer.text();
      return text.includes('succeeded') ? text : undefined;
    });
    expect(printed).toContain('running');
  });
});
