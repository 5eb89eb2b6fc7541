import { nodeId } from '@das/kernel';
import { ConfigError, loadConfig } from '@das/platform';
import { electionConfig, strategyConfig } from './config.js';

const self = nodeId('node-1');
const configOf = (env: Record<string, string>) => strategyConfig(loadConfig(electionConfig, env), self, 'i');
const raftOf = (voters: string) => ({ DAS_ELECTION: 'raft', DAS_ELECTION_VOTERS: voters });

describe('settings of the election', () => {
  it.each([
    [{ DAS_ELECTION: 'raft' }, 'DAS_ELECTION_VOTERS: raft needs its voters: name them'],
    [raftOf('node-1,node-2,node-1'), 'DAS_ELECTION_VOTERS: node-1 is named more than once; name every voter once'],
    [raftOf('node-1;node-2'), 'expected names of nodes with commas between'],
    [raftOf(Array.from({ length: 16 }, (_, i) => `n${i}`).join(',')), 'name at most 15'],
    [
      { DAS_ELECTION_PRIORITY: 'node-1=1,node-2=3,node-1=2' },
      'node-1 is named more than once; give every node one rank',
    ],
    [{ DAS_ELECTION_TIMEOUT_MS: '100' }, 'DAS_ELECTION_TIMEOUT_MS'],
    [{ DAS_ELECTION_LEASE_MS: '1000' }, 'DAS_ELECTION_LEASE_MS'],
  ])('are refused with what to change: %j', (env, words) => {
    const refuse = (): unknown => configOf(env);
    expect(refuse).toThrow(ConfigError);
    expect(refuse).toThrow(words);
  });

  /** Every other time follows from these two, so any pair of them that is taken must fit. */
  it.each(['400', '401', '1000', '7777', '60000'])(
    'keep all ratios with a time-out of %s ms and any lease',
    (timeout) => {
      for (const lease of ['3000', '3001', '6000', '120000'])
        for (const DAS_ELECTION of ['bully', 'lease'])
          expect(() =>
            configOf({ DAS_ELECTION, DAS_ELECTION_TIMEOUT_MS: timeout, DAS_ELECTION_LEASE_MS: lease }),
          ).not.toThrow();
    },
  );

  it.each([
    ['node-1,node-2', 'an even number of voters (2) bears the loss of 0, as 1 would; add or remove one'],
    ['node-2,node-3,node-4', 'node-1 is not among the voters'],
  ])('are warned about when they are only unwise: %s', (voters, words) => {
    expect(configOf(raftOf(voters)).warnings.join()).toContain(words);
  });
});
