/** A layer that was tried, and why it was not taken. */
export interface Refusal {
  readonly layer: string;
  readonly why: string;
}

/** What says only where the words come from, and where a package keeps its manual. */
const noise = [
  /^a worker process could not be started: /u,
  /^the nursery ended \(exit code \d+\): (?:bwrap: )?/u,
  / See <\S+>.*$/u,
  /^Error: /u,
];

/** One line for each reason: layers that were refused for the same one stand together. */
export function refusalWords(refusals: readonly Refusal[]): string[] {
  const layers = new Map<string, string[]>();
  for (const { layer, why } of refusals) {
    const reason = noise.reduce((text, pattern) => text.replace(pattern, ''), why);
    layers.set(reason, [...(layers.get(reason) ?? []), layer]);
  }
  return [...layers].map(([reason, names]) => `${names.join(', ')}: ${reason}`);
}

const inContainer = 'in a container give it `seccomp=infra/das-seccomp.json`';
/** By what bubblewrap says (0.4 to 0.11), the first that fits. Each was met; docs/security.md says where. */
const advices: ReadonlyArray<readonly [RegExp, string]> = [
  [/ENOENT/u, 'install bubblewrap (apt-get install bubblewrap)'],
  [
    /RTM_NEWADDR|uid map/u,
    `root in a container needs the capabilities SYS_ADMIN and NET_ADMIN beside that seccomp profile; where AppArmor keeps user namespaces from programs, allow them to bwrap`,
  ],
  [
    /namespace/iu,
    `${inContainer} and start the node as an ordinary account (as root: add the capabilities SYS_ADMIN and NET_ADMIN); elsewhere let accounts make user namespaces (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces)`,
  ],
  [
    /make \/ slave/u,
    'AppArmor keeps it from mounting: in a container give it `apparmor=unconfined`, or a profile that lets bubblewrap mount',
  ],
  [/pivot_root/u, inContainer],
];

/** What to change so that the layer can be had; undefined: nothing is known. */
export const refusalAdvice = (words: readonly string[]): string | undefined =>
  advices.find(([pattern]) => words.some((word) => pattern.test(word)))?.[1];
