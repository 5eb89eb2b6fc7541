import { queryOnce } from '@das/testing';
import { testCluster, until, type TestCluster } from '../harness.js';
import { ReplicatedPostgres } from './replicated-postgres.js';
import { expectWhole, full, midway, work } from './work.js';

const shape = work(400, 0.08);

const whenFull = full ? describe : describe.skip;

whenFull('a Postgres with a synchronous standby', () => {
  let postgres: ReplicatedPostgres;
  let running: TestCluster;
  beforeAll(async () => {
    postgres = await ReplicatedPostgres.start();
    running = await testCluster({ databaseUrl: postgres.url });
  });
  afterAll(async () => {
    await running?.stop();
    await postgres?.stop();
  });

  const committed = async (url: string, job: string): Promise<number> => {
    const text = `select count(*)::int as parts from parts p join jobs j on j.no = p.job_no where j.id = '${job}'`;
    return (await queryOnce<{ parts: number }>(url, text))[0]!.parts;
  };

  it('goes on with the standby when the primary is killed in mid-job: what was committed stays, the rest follows', async () => {
    const rest = running.node(2);
    const earlier = await rest.submit({ ...shape.submission, input: { range: [0, 20] } });
    await running.ended(earlier.id, 2);
    const { term } = await rest.leader();
    const job = await rest.submit(shape.submission);
    await midway(rest, job.id, shape);
    const before = await committed(postgres.primary.url, job.id);
    await postgres.primary.kill();
    expect(await committed(postgres.standby.url, job.id)).toBeGreaterThanOrEqual(before);
    await postgres.promote();
    await running.ended(job.id, 2);
    await expectWhole(rest, job.id, shape);
    expect((await rest.results(earlier.id)).split('\n')).toHaveLength(21);
    const after = await until('a leader is known', async () => {
      const now = await rest.leader();
      return now.leader === undefined ? undefined : now;
    });
    expect(after.term).toBeGreaterThanOrEqual(term);
  });

  it('starts with the standby as its database, although the first of the URL is gone', async () => {
    await running.cluster.node('node-3').restart();
    const job = await running.node(3).submit(work(40, 0).submission);
    await running.ended(job.id, 3);
    await expectWhole(running.node(3), job.id, work(40, 0));
  });
});
