import { refusalAdvice, refusalWords } from './refusals.js';

const started = 'a worker process could not be started: ';
const nursery = `${started}the nursery ended (exit code 1): bwrap: `;
const manual = ' See <https://deb.li/bubblewrap> or <file:///usr/share/doc/bubblewrap/README.Debian.gz>.';
const denied = 'No permissions to create new namespace, likely because the kernel does not allow it.';

describe('why a layer was not taken', () => {
  it('is said once for all layers that it holds for, without where the words come from', () => {
    const both = ['bwrap', 'bwrap without /proc'].map((layer) => ({ layer, why: nursery + denied + manual }));
    const other = { layer: 'landlock', why: `${started}this kernel has no Landlock` };
    expect(refusalWords([...both, other])).toEqual([
      `bwrap, bwrap without /proc: ${denied}`,
      'landlock: this kernel has no Landlock',
    ]);
  });

  it.each([
    ['spawn bwrap ENOENT', 'apt-get install bubblewrap'],
    [denied, 'ordinary account'],
    ['Creating new namespace failed: Operation not permitted', 'SYS_ADMIN and NET_ADMIN'],
    ['loopback: Failed RTM_NEWADDR: No child processes', 'NET_ADMIN'],
    ['setting up uid map: Permission denied', 'AppArmor'],
    ['Failed to make / slave: Permission denied', 'apparmor=unconfined'],
    ['pivot_root: Operation not permitted', 'seccomp=infra/das-seccomp.json'],
  ])('comes with what to change: %s', (why, advice) => {
    expect(refusalAdvice([`bwrap: ${why}`])).toContain(advice);
  });

  it('comes without where nothing is known', () => {
    expect(refusalAdvice(['bwrap: the disk is on fire'])).toBeUndefined();
  });
});
