import { toolCallSchema } from './schemas.js';

/** Texts that one worker fetches by a name while it reads a script. Each once: a worker keeps what it got. */
export class Tools {
  readonly #given = new Set<string>();

  constructor(private readonly textOf: (name: string) => Buffer | undefined) {}

  /** The text that a frame asks for. @throws for what no worker of ours asks for, or asks for again. */
  give(payload: Buffer): Buffer {
    const { tool } = toolCallSchema.parse(JSON.parse(payload.toString()));
    const text = this.textOf(tool);
    if (text === undefined || this.#given.has(tool)) throw new TypeError(`a tool asked for: ${JSON.stringify(tool)}`);
    this.#given.add(tool);
    return text;
  }
}
