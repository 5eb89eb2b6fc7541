import { parseOptions, UsageError } from './options.js';

describe('parseOptions', () => {
  it('has defaults', () => {
    expect(parseOptions([])).toEqual({
      metta: [],
      seed: 1,
      latency: 0,
      'fail-rate': 0,
      host: '127.0.0.1',
      port: 8081,
      help: false,
    });
  });

  it('reads every option', () => {
    const args = '--metta a --metta b --generate 10 --seed 2 --latency 5 --fail-rate 0.5 --host ::1 --port 0'.split(
      ' ',
    );
    expect(parseOptions(args)).toMatchObject({
      metta: ['a', 'b'],
      generate: 10,
      latency: 5,
      'fail-rate': 0.5,
      port: 0,
    });
  });

  it.each([
    [['--port', '65536'], '--port: '],
    [['--port', 'http'], '--port: '],
    [['--generate', '0'], '--generate: '],
    [['--fail-rate', '1.1'], '--fail-rate: '],
    [['--latency', '-1'], '--latency'],
    [['--unknown'], '--unknown'],
    [['word'], 'word'],
  ])('refuses %j', (args, reason) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(reason);
  });
});
