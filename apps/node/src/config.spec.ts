import { loadConfig } from '@das/platform';
import { inStartOrder, nodeConfig } from './config.js';

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
