import 'reflect-metadata';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod } from '@nestjs/common';
import { ClusterController } from './cluster.controller.js';
import { CodeController } from './code.controller.js';
import { EventsController } from './events.controller.js';
import { JobsController } from './jobs.controller.js';
import { LocksController } from './locks.controller.js';
import { MembersController } from './members.controller.js';
import { openApiDocument } from './openapi.js';

interface Document {
  readonly paths: Record<
    string,
    Record<string, { responses: Record<string, unknown>; parameters: { name: string; required: boolean }[] }>
  >;
  readonly components: { readonly schemas: Record<string, object> };
}
const document = openApiDocument() as Document;

/** `get /v1/jobs/{id}` for each handler of a controller. */
function served(controller: { prototype: object }): string[] {
  const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
  return Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
    const handler: unknown = Reflect.get(controller.prototype, name);
    if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
    const path = [base, Reflect.getMetadata(PATH_METADATA, handler) as string].filter((part) => part !== '/').join('/');
    return [`${method.toLowerCase()} /${path.replace(/^\//, '').replace(/:(\w+)/g, '{$1}')}`];
  });
}

describe('the OpenAPI document', () => {
  it('lists exactly the routes that are served', () => {
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(listed.sort()).toEqual(
      [JobsController, CodeController, EventsController, ClusterController, MembersController, LocksController]
        .flatMap(served)
        .sort(),
    );
  });

  it('gives every route a problem response, and its parameters', () => {
    for (const methods of Object.values(document.paths)) {
      for (const { responses } of Object.values(methods)) expect(responses).toHaveProperty('default');
    }
    expect(document.paths['/v1/jobs']?.post?.parameters.map(({ name }) => name)).toEqual([
      'wait',
      'results',
      'traceparent',
      'Idempotency-Key',
    ]);
    expect(document.paths['/v1/jobs/{id}/parts']?.get?.parameters).toMatchObject([
      { name: 'id', required: true },
      { name: 'limit', required: false },
      { name: 'after', required: false },
    ]);
  });

  it('refers only to schemas that it has, and these come from the contracts', () => {
    const text = JSON.stringify(document);
    const named = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !Object.hasOwn(document.components.schemas, name ?? ''))).toEqual([]);
    expect(document.components.schemas.Submission).toMatchObject({
      required: ['code'],
      properties: { retries: { minimum: 0 } },
    });
    expect(text).not.toContain('"$schema"');
  });
});
