/** A seed as it is set. */
export interface Seed {
  /** With its slash, as memberlist takes it; empty when there is none. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

const pattern = /^([^\s/]+\/)?(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d{1,5}))?$/;

/** Reads `[name/]host[:port]`, which the settings have checked. An IPv6 address with a port is in brackets. */
export function parseSeed(text: string, portElse: number): Seed {
  const [, name = '', bracketed, plain, port] = pattern.exec(text) ?? [];
  const isBareV6 = bracketed === undefined && (text.slice(name.length).match(/:/g)?.length ?? 0) > 1;
  if (isBareV6) return { name, host: text.slice(name.length), port: portElse };
  return { name, host: bracketed ?? plain ?? text, port: port === undefined ? portElse : Number(port) };
}
