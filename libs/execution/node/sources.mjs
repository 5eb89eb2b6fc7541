/** The texts of a script's files by the names that its stack frames have, and where a line of them was before types were taken out. */
import { SourceMap } from 'node:module';

const excerptChars = 200;
const place = /(?:\(|at )((?:[^():]|:(?=\/\/))+):(\d+):(\d+)\)?$/;

export class Sources {
  #texts = new Map();
  #maps = new Map();

  add(name, text, map) {
    this.#texts.set(name, text);
    if (map !== undefined) this.#maps.set(name, new SourceMap(JSON.parse(map)));
  }

  /** A frame as it reads in the script that was written. */
  original(frame) {
    const [, name, line, column] = place.exec(frame) ?? [];
    const entry = this.#maps.get(name)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry?.originalLine === undefined) return frame;
    return frame.replace(`${name}:${line}:${column}`, `${name}:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
  }

  /** The line that the first frame names, with a mark below. */
  excerpt(frames) {
    for (const frame of frames) {
      const [, name, line, column] = place.exec(frame) ?? [];
      const text = this.#texts.get(name)?.split('\n')[Number(line) - 1];
      if (text === undefined) continue;
      const mark = Number(column) <= excerptChars ? `\n${' '.repeat(Number(column) - 1)}^` : '';
      return `${name}:${line}\n${text.slice(0, excerptChars)}${mark}`;
    }
    return undefined;
  }
}
