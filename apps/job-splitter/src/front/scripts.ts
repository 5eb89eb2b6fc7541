import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  Fault,
  type Functions,
  type Language,
  type ReplyOf,
  type RequestOf,
  inspectScript,
  limits,
  listMembers,
} from '@das/contracts';
import { type NodeId, messageOf } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { commandFunctions } from './command.js';
import { frontLimits } from './config.js';
import { type Refusals, firstAnswer } from './first-answer.js';
import type { Checked } from './submission.js';

/** What is known of a script that parses. */
interface Inspected {
  readonly functions: Functions;
  /** The file that defines them. */
  readonly entry: string;
  readonly language: Language;
}

/** Has scripts parsed (not run) by an executor: this node's, else another member's. Knows the last few scripts by their digest. */
@Injectable()
export class Scripts {
  readonly #known = new Map<string, Inspected>();
  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}

  /** What a script defines. @throws Fault SCRIPT_SYNTAX with line and text; SERVICE_UNAVAILABLE when no executor answers. */
  async inspect(submission: Checked): Promise<Inspected> {
    const { code, command, venv } = submission;
    const { language, filename, text, bundle, entry } = code;
    // Of another program than shell text nothing can be said before it runs.
    if (command !== undefined && command.run !== 'shell')
      return { functions: commandFunctions(submission), entry: filename, language: 'command' };
    const about = bundle === undefined ? [filename, text] : [bundle, entry ?? ''];
    const digest = digestOf(
      [bundle === undefined ? 'text' : 'bundle', language ?? '', venv ?? '', ...about].join('\n'),
    );
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const reply = await this.ask({ language, filename, codeText: text, bundle, entry, venv });
    const found = { entry: reply.entry ?? filename, language: reply.language ?? language ?? 'python' };
    if (reply.fault !== undefined) throw syntaxFault(found, bundle !== undefined, reply.fault);
    if (reply.functions === undefined)
      throw new Fault('SERVICE_UNAVAILABLE', 'the executor could not parse the script');
    const inspected = { ...found, functions: reply.functions };
    this.remember(digest, inspected);
    return inspected;
  }

  private remember(digest: string, inspected: Inspected): void {
    const oldest = this.#known.keys().next();
    if (this.#known.size >= frontLimits.inspectedScriptsMax && !oldest.done) this.#known.delete(oldest.value);
    this.#known.set(digest, inspected);
  }

  private async ask(request: RequestOf<typeof inspectScript>): Promise<ReplyOf<typeof inspectScript>> {
    try {
      return await this.askNode(this.context.node, request);
    } catch (error) {
      if (!(error instanceof Fault && (error.retryable || error.code === 'CODE_VENV'))) throw error;
      return this.askOthers(request, error);
    }
  }

  private async askOthers(
    request: RequestOf<typeof inspectScript>,
    first: Fault,
  ): Promise<ReplyOf<typeof inspectScript>> {
    const endMs = this.context.clock.monotonic() + frontLimits.inspectOthersMs;
    const { inspectNodesMax, venvNodesMax, venvNodesAtOnce } = frontLimits;
    const [max, atOnce] = request.venv === undefined ? [inspectNodesMax, 1] : [venvNodesMax, venvNodesAtOnce];
    const said = await firstAnswer(await this.others(max), atOnce, async (node) => {
      try {
        return await this.askNode(node, request, endMs);
      } catch (error) {
        this.context.log.warn({ asked: node, error: String(error) }, 'an executor did not parse the script');
        throw error;
      }
    });
    if ('answer' in said) return said.answer;
    throw request.venv === undefined ? first : refusedByAll([[this.context.node, first], ...said.refusals]);
  }

  private async others(max: number): Promise<NodeId[]> {
    const { body } = await this.context.bus.call(listMembers, {}, { node: this.context.node, timeoutMs: 1_000 });
    const alive = body.members.filter(
      ({ node, state, services }) => state === 'alive' && node !== this.context.node && services.includes('executor'),
    );
    return alive.slice(0, max).map(({ node }) => node);
  }

  private async askNode(
    node: NodeId,
    request: RequestOf<typeof inspectScript>,
    endMs = Number.POSITIVE_INFINITY,
  ): Promise<ReplyOf<typeof inspectScript>> {
    const timeoutMs = Math.min(frontLimits.inspectTimeoutMs, endMs - this.context.clock.monotonic());
    if (timeoutMs <= 0)
      throw new Fault('REQUEST_TIMEOUT', 'not every node could be asked in time: submit the job again');
    return (await this.context.bus.call(inspectScript, request, { node, timeoutMs })).body;
  }
}

/** No node can use the environment; or else what one said that may have it. */
function refusedByAll(refusals: Refusals<NodeId>): unknown {
  const other = refusals.find(([, error]) => !(error instanceof Fault && error.code === 'CODE_VENV'));
  if (other !== undefined) return other[1];
  const words = refusals.map(([node, error]) => `${node}: ${messageOf(error)}`).join('; ');
  const { details } = refusals[0]?.[1] as Fault;
  return new Fault(
    'CODE_VENV',
    `no node can use the virtual environment: ${words}`.slice(0, limits.messageChars),
    details,
  );
}

export const digestOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

type SyntaxFault = NonNullable<ReplyOf<typeof inspectScript>['fault']>;

const parsers: Readonly<Record<Language, string>> = {
  python: 'a script that Python 3 parses',
  node: 'a script that Node.js parses, once types are taken out',
  wasm: 'a WASI command module (preview 1), its bytes as base64',
  command: 'shell text that /bin/sh parses',
};

function syntaxFault({ language, entry }: Omit<Inspected, 'functions'>, bundled: boolean, fault: SyntaxFault): Fault {
  const what = language === 'command' ? 'the command' : (fault.file ?? entry);
  return new Fault('SCRIPT_SYNTAX', `${what}, line ${fault.line}: ${fault.message}`, {
    field: bundled ? 'code' : 'code.text',
    expected: parsers[language],
    ...(bundled && { hint: 'a file that is no module can be left out by a line in .dasignore' }),
    line: fault.line,
    text: fault.text.slice(0, 500),
  });
}
