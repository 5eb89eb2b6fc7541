import { nodeId } from '@das/kernel';
import { MembershipFigures } from './membership-figures.js';
import { prometheusText } from './prometheus.js';

const node = nodeId('node-a');
const counted = (startedAt: number, notes: Record<string, number>) => ({
  node,
  startedAt,
  healthScore: 1,
  members: { alive: 3, suspect: 1, dead: 0, left: 0 },
  notes,
});

describe('figures of membership', () => {
  const noted = (figures: MembershipFigures): Record<string, number> =>
    Object.fromEntries(
      figures
        .samples(node)
        .flatMap(({ metric, attributes, value }) =>
          metric.name === 'das.membership.notes' ? [[attributes['code'] ?? '', value]] : [],
        ),
    );

  it('are none before the service said anything', () => expect(new MembershipFigures().samples(node)).toEqual([]));

  it('are its newest, as collectors read them', () => {
    const figures = new MembershipFigures();
    figures.heard(counted(1, { 'wire.label': 1 }));
    figures.heard(counted(1, { 'wire.label': 4, ownName: 2 }));
    const text = prometheusText(figures.samples(node));
    expect(text).toContain('das_membership_notes_total{node="node-a",code="wire.label"} 4\n');
    expect(text).toContain('das_membership_members{node="node-a",state="suspect"} 1\n');
    expect(text).toContain('das_membership_health{node="node-a"} 1\n');
  });

  it('never fall over a restart of the service', () => {
    const figures = new MembershipFigures();
    figures.heard(counted(1, { paused: 5, ownName: 1 }));
    figures.heard(counted(2, { paused: 1 }));
    expect(noted(figures)).toEqual({ paused: 6, ownName: 1 });
    figures.heard(counted(2, { paused: 2 }));
    figures.heard(counted(3, {}));
    expect(noted(figures)).toEqual({ paused: 7, ownName: 1 });
  });

  it('are bounded in number', () => {
    const figures = new MembershipFigures();
    figures.heard(counted(1, Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`code${i}`, 1]))));
    expect(Object.keys(noted(figures))).toHaveLength(100);
  });
});
