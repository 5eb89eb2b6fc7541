import {
  bundleSchema,
  digestSchema,
  failureSchema,
  getLeader,
  jobEventSchema,
  jobViewSchema,
  jobsList,
  keyChangeSchema,
  keysViewSchema,
  lockAskSchema,
  lockReleasedSchema,
  lockViewSchema,
  membersViewSchema,
  nodeViewSchema,
  partsPageSchema,
  problemSchema,
  submissionSchema,
} from '@das/contracts';
import { z } from 'zod';
import type { Route } from './openapi-parts.js';
import { routes } from './openapi-routes.js';

/** Schemas that routes name, as `#/components/schemas/<name>`. */
const components = {
  Submission: submissionSchema,
  Job: jobViewSchema,
  JobList: jobsList.reply,
  CodeBundle: bundleSchema.extend({ digest: digestSchema }),
  Parts: partsPageSchema,
  Event: jobEventSchema,
  Nodes: z.object({ nodes: z.array(nodeViewSchema) }),
  Leader: getLeader.reply,
  Members: membersViewSchema,
  GossipKeys: keysViewSchema,
  GossipKeyChange: keyChangeSchema,
  LockAsk: lockAskSchema,
  Lock: lockViewSchema,
  LockReleased: lockReleasedSchema,
  Health: z.object({ status: z.string() }),
  Readiness: z.object({ ready: z.boolean(), reasons: z.array(z.string()) }),
  Problem: problemSchema.extend({ failure: failureSchema.optional().describe('why a job has no result') }),
} as const;

/** The OpenAPI document of the REST interface: what the contracts' schemas say, and the routes of this service. */
export function openApiDocument(): object {
  return {
    openapi: '3.0.3',
    info: {
      title: 'DAS Node',
      version: '1',
      description:
        'Run my script on all my machines. Any node takes a job and gives its result. Errors are RFC 9457 problem documents; docs/errors.md lists their codes.',
      license: { name: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths: pathsOf(routes),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: Object.fromEntries(Object.entries(components).map(([name, schema]) => [name, schemaOf(schema)])),
    },
  };
}

/** Inputs: fields with a default are optional, and ids are the strings they are written as. */
function schemaOf(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
}

function pathsOf(all: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of all) {
    const path = (paths[route.path] ??= {});
    path[route.method] = operationOf(route);
  }
  return paths;
}

function operationOf(route: Route): object {
  const { summary, responses, body, open } = route;
  return {
    operationId: route.id,
    summary,
    ...(open === true ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: { ...responses, default: problemResponse },
  };
}

const problemResponse = {
  description: 'What is wrong, with the field, what was expected, and a hint',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

function parametersOf({ path, pathParameters, query, headers }: Route): object[] {
  return [...namedOf(pathParameters ?? path, 'path'), ...namedOf(query, 'query'), ...namedOf(headers, 'header')];
}

function namedOf(schema: z.ZodType | string | undefined, place: 'path' | 'query' | 'header'): object[] {
  if (schema === undefined) return [];
  if (typeof schema === 'string')
    return schema.includes('{id}')
      ? [
          {
            name: 'id',
            in: place,
            required: true,
            schema: { type: 'string' },
            description: 'a job id, or `last` for the newest job',
          },
        ]
      : [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: property,
  }));
}
