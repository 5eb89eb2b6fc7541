import type { ServiceDefinition, ServiceName } from '@das/platform';

/** The built apps lie side by side: `apps/<name>/dist`. */
const distOf = (name: ServiceName): URL => new URL(`../../${name}/dist/`, import.meta.url);

/** Loads one service. This is the only place where an app knows another. @throws when it is not built. */
export async function loadService(name: ServiceName): Promise<ServiceDefinition> {
  const loaded = (await import(new URL('service.js', distOf(name)).href)) as { readonly service: ServiceDefinition };
  return loaded.service;
}
