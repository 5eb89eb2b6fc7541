import { electionStrategyContract } from '../ports/election-strategy.contract.js';

electionStrategyContract('bully', { startMs: 2_000, crashMs: 2_500, needsMajority: false });
electionStrategyContract('raft', { startMs: 4_500, crashMs: 2_500, needsMajority: true });
electionStrategyContract('lease', { startMs: 3_000, crashMs: 9_000, needsMajority: false });
