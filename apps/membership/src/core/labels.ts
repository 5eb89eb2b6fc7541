export type Labels = Readonly<Record<string, string>>;

/** As JSON: with everything else a member says of itself they fit into the 512 bytes there are. */
export const labelsBytesMax = 128;
const pair = /^([A-Za-z0-9_.-]{1,40})=([A-Za-z0-9_.:/-]{0,60})$/;

/** Reads `k=v,k2=v2`; or says what is wrong. */
export function parseLabels(text: string): { readonly labels: Labels } | { readonly problem: string } {
  const pairs = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const found = pairs.map((one) => pair.exec(one));
  const wrong = pairs[found.indexOf(null)];
  if (wrong !== undefined) return { problem: `${JSON.stringify(wrong)} is not k=v with letters, digits and _.-:/` };
  const labels = Object.fromEntries(
    found.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? '']])),
  );
  const bytes = JSON.stringify(labels).length;
  return bytes <= labelsBytesMax ? { labels } : { problem: `${bytes} bytes are too many: at most ${labelsBytesMax}` };
}
