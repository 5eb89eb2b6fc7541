import { ConfigError, type Env } from '@das/platform';

/** Ports that services of one node listen on, each for itself. */
const ports = ['DAS_REST_PORT', 'DAS_METRICS_PORT', 'DAS_HEALTH_PORT', 'DAS_GOSSIP_PORT'];

/** No schema sees the settings of another service. @throws ConfigError when two services of a node were given one port. */
export function checkPorts(env: Env): void {
  const given = ports.flatMap((variable) => {
    const port = Number(env[variable] ?? 0);
    return port > 0 ? [{ variable, port }] : [];
  });
  const faults = given.flatMap(({ variable, port }, at) => {
    const first = given.slice(0, at).find((one) => one.port === port);
    const message = `${port} is the port of ${first?.variable} too; give each its own, or 0 for any that is free`;
    return first === undefined ? [] : [{ variable, message }];
  });
  if (faults.length > 0) throw new ConfigError(faults);
}
