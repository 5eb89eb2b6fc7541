import { type Language, languageEndings, languageOf, languages } from '@das/contracts';
import { UsageError } from './parse.js';

/** What a script is written in: as given, else as the ending of its name says. @throws UsageError that names what is known. */
export function scriptLanguage(script: string, given: string | undefined): Language {
  if (given !== undefined) {
    const known = languages.find((language) => language === given);
    if (known !== undefined) return known;
    throw new UsageError(`the language ${JSON.stringify(given)} is not known`, {
      field: '--language',
      expected: languages.join(', '),
    });
  }
  const told = languageOf(script);
  if (told !== undefined) return told;
  throw new UsageError(`nothing tells what ${script} is written in`, {
    field: 'SCRIPT',
    expected: `a file that ends in ${Object.values(languageEndings)
      .flat()
      .map((ending) => `.${ending}`)
      .join(', ')}`,
    hint: `or name it: --language ${languages.join('|')}`,
  });
}
