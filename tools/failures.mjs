// What failed, said once more at the end of a run, where whoever sees only its last lines finds it.
const linesOfEach = 16;
const failuresMax = 8;

/** Of a Jest report (`--json`): one text for each failed test or file, its name first; at most `linesOfEach` lines of why. */
export function failuresOf({ testResults }) {
  return testResults.flatMap(({ assertionResults, status, message }) => {
    const failed = assertionResults.filter((result) => result.status === 'failed');
    const tests = failed.map(({ fullName, failureMessages }) => worded(fullName, failureMessages.join('\n')));
    return tests.length === 0 && status === 'failed' ? [worded('a file that could not run', message)] : tests;
  });
}

/** Nothing when nothing failed. */
export function summary(failures) {
  if (failures.length === 0) return '';
  const more = failures.length - failuresMax;
  const rest = more > 0 ? [`… and ${more} more`] : [];
  return ['── what failed', ...failures.slice(0, failuresMax), ...rest].join('\n');
}

function worded(name, why) {
  const lines = why.replace(/\u001b\[\d*m/g, '').split('\n');
  const telling = lines.filter((line) => line.trim() !== '' && !/^\s+at .*node_modules/.test(line));
  return [`● ${name}`, ...telling.slice(0, linesOfEach).map((line) => `    ${line}`)].join('\n');
}
