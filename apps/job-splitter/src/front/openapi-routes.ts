import { digestSchema, submissionKeyPattern } from '@das/contracts';
import { z } from 'zod';
import { lockRoutes } from './openapi-locks.js';
import { memberRoutes } from './openapi-members.js';
import { type Route, json, ref, text } from './openapi-parts.js';
import { followQuery, listQuery, partsQuery, submitQuery } from './query.js';

const ndjson = (description: string) => text(description, 'application/x-ndjson');

const followed =
  'one result per line, in input order. With `follow` the lines are provisional until the job succeeds; ' +
  'a job that fails, is cancelled or starts again ends them with the line {"$failed":{"code":…,"message":…}}';

const submission = {
  'application/json': { schema: ref('Submission') },
  'multipart/form-data': {
    schema: {
      type: 'object',
      description: 'in this order',
      properties: {
        spec: ref('Submission'),
        code: {
          type: 'string',
          format: 'binary',
          description:
            "the script, instead of spec.code.text, its file name is the script's; or an archive (.zip, .tar, .tar.gz) of all its files, of which " +
            'spec.code.entry names the script',
        },
        input: {
          type: 'string',
          format: 'binary',
          description: 'items, one per line: JSON (the default), or text with spec.input.format "lines"',
        },
      },
    },
  },
};

const jobRoutes: readonly Route[] = [
  {
    id: 'submitJob',
    method: 'post',
    path: '/v1/jobs',
    summary:
      'Submit a job. With `wait`: answer when it has ended, by the job or (Accept: application/x-ndjson, or `results=1`) by its result.',
    query: submitQuery,
    headers: z.object({
      traceparent: z.string().optional().describe('W3C trace context; the trace of the job continues it'),
      'Idempotency-Key': z
        .string()
        .regex(submissionKeyPattern)
        .optional()
        .describe(
          'a random value for each submission; the same submission again, to any node, within a day and before the job is deleted: ' +
            'the same job. With another body: 422; while the first is still being uploaded: 409 with Retry-After',
        ),
    }),
    body: submission,
    responses: {
      200: {
        description: 'it ended in time',
        content: { 'application/json': { schema: ref('Job') }, ...ndjson('').content },
      },
      202: json('accepted; its input is stored whole', 'Job'),
    },
  },
  {
    id: 'listJobs',
    method: 'get',
    path: '/v1/jobs',
    summary: 'Jobs, newest first.',
    query: listQuery,
    responses: { 200: json('a page of jobs', 'JobList') },
  },
  {
    id: 'getJob',
    method: 'get',
    path: '/v1/jobs/{id}',
    summary: 'One job.',
    responses: { 200: json('the job', 'Job') },
  },
  {
    id: 'cancelJob',
    method: 'delete',
    path: '/v1/jobs/{id}',
    summary: 'Cancel a job; twice is fine.',
    responses: { 200: json('the cancelled job', 'Job') },
  },
  {
    id: 'getResults',
    method: 'get',
    path: '/v1/jobs/{id}/results',
    summary: 'The result.',
    query: followQuery,
    responses: { 200: ndjson(followed) },
  },
  {
    id: 'followEvents',
    method: 'get',
    path: '/v1/jobs/{id}/events',
    summary: 'States, progress and notes as server-sent events, from the first; ends after the last state.',
    headers: z.object({ 'Last-Event-ID': z.string().optional().describe('`id` of the last event received') }),
    responses: {
      200: {
        description: "the event's name is its `event` field; its data is an Event",
        content: { 'text/event-stream': { schema: ref('Event') } },
      },
    },
  },
  {
    id: 'getLogs',
    method: 'get',
    path: '/v1/jobs/{id}/logs',
    summary: 'What the script printed.',
    query: followQuery,
    responses: { 200: text('`[node part] line`', 'text/plain') },
  },
  {
    id: 'listParts',
    method: 'get',
    path: '/v1/jobs/{id}/parts',
    summary: 'Parts with their attempts.',
    query: partsQuery,
    responses: { 200: json('a page of parts', 'Parts') },
  },
];

const codeRoutes: readonly Route[] = [
  {
    id: 'findCode',
    method: 'get',
    path: '/v1/code/{digest}',
    pathParameters: z.object({ digest: digestSchema }),
    summary:
      'Whether a code bundle is stored (also HEAD): a job may then name it as code.bundle. Kept for an hour, and while a job has it.',
    responses: { 200: json('the bundle', 'CodeBundle') },
  },
];

const clusterRoutes: readonly Route[] = [
  {
    id: 'listNodes',
    method: 'get',
    path: '/v1/nodes',
    summary: 'Members and their load.',
    responses: { 200: json('the nodes', 'Nodes') },
  },
  {
    id: 'getLeader',
    method: 'get',
    path: '/v1/leader',
    summary: 'Who leads, in which term.',
    responses: { 200: json('the leader', 'Leader') },
  },
  {
    id: 'isLive',
    method: 'get',
    path: '/health/live',
    summary: 'The process runs.',
    open: true,
    responses: { 200: json('it does', 'Health') },
  },
  {
    id: 'isReady',
    method: 'get',
    path: '/health/ready',
    summary: 'Jobs can be taken and run: bus and store answer, and a leader is known.',
    open: true,
    responses: { 200: json('ready', 'Readiness'), 503: json('not ready, and why', 'Readiness') },
  },
  {
    id: 'getMetrics',
    method: 'get',
    path: '/metrics',
    summary: 'Prometheus metrics of this process.',
    responses: { 200: text('text format 0.0.4', 'text/plain') },
  },
  {
    id: 'getOpenApi',
    method: 'get',
    path: '/openapi.json',
    summary: 'This document.',
    responses: { 200: { description: 'OpenAPI 3.0', content: { 'application/json': { schema: { type: 'object' } } } } },
  },
];

/** Every route there is; a test compares them with what the service really serves. */
export const routes: readonly Route[] = [...jobRoutes, ...codeRoutes, ...clusterRoutes, ...memberRoutes, ...lockRoutes];
