import { loadConfig } from '@das/platform';
import { inStartOrder, nodeConfig } from './config.js';
import { checkPorts } from './ports.js';

const servicesOf = (list?: string) => loadConfig(nodeConfig, { DAS_NODE_SERVICES: list }).DAS_NODE_SERVICES;

describe('the services of a node', () => {
  it('are all six unless told otherwise', () => expect(inStartOrder(servicesOf())).toHaveLength(6));
  it('start with the truth and end with the front door', () => {
    const order = inStartOrder(servicesOf());
    expect([order[0], order.at(-1)]).toEqual(['results-store', 'job-splitter']);
  });
  it('are those that were named, each once', () => {
    expect(inStartOrder(servicesOf('executor, membership,executor'))).toEqual(['membership', 'executor']);
  });
  it.each(['gateway', ','])('are refused when %p names none of ours', (list) => {
    expect(() => servicesOf(list)).toThrow(/DAS_NODE_SERVICES/);
  });
});

describe('the ports of a node', () => {
  it('are refused when two services have the same, with what to change', () => {
    const env = { DAS_REST_PORT: '7000', DAS_GOSSIP_PORT: '7946', DAS_METRICS_PORT: '7000' };
    expect(() => checkPorts(env)).toThrow(
      'DAS_METRICS_PORT: 7000 is the port of DAS_REST_PORT too; give each its own, or 0 for any that is free',
    );
  });
  it('may all be 0, absent, or different', () => {
    for (const env of [{}, { DAS_REST_PORT: '0', DAS_METRICS_PORT: '0' }, { DAS_REST_PORT: '1', DAS_GOSSIP_PORT: '2' }])
      expect(() => checkPorts(env)).not.toThrow();
  });
});
