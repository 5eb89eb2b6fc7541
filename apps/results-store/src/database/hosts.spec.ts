import { HostChoice, databaseHosts, databaseName, hostsMax } from './hosts.js';

describe('a database URL', () => {
  it('names one server', () => {
    expect(databaseHosts('postgres://das:s%40@db.example/das')).toEqual([
      { url: 'postgres://das:s%40@db.example/das', where: 'db.example:5432' },
    ]);
  });
  it('names several, each with the same login, database and options', () => {
    expect(databaseHosts('postgresql://das:x@one:1,two,[::1]:3/das?sslmode=require')).toEqual([
      { url: 'postgresql://das:x@one:1/das?sslmode=require', where: 'one:1' },
      { url: 'postgresql://das:x@two/das?sslmode=require', where: 'two:5432' },
      { url: 'postgresql://das:x@[::1]:3/das?sslmode=require', where: '[::1]:3' },
    ]);
  });
  it('names the folder of a Unix socket, for one server alone', () => {
    const url = 'postgres://das:x@/das?host=/run/postgresql';
    expect(databaseHosts(url)).toEqual([{ url, where: '/run/postgresql' }]);
  });
  it.each([
    'postgres://das:x@/das',
    'postgres://das:x@,/das?host=/run',
    'postgres://das:x@/das?host=one',
    'postgres://das:x@one,,two/das',
    'http://one/das',
  ])('is refused: %p', (url) => {
    expect(() => databaseHosts(url)).toThrow(/several host:port with commas/);
  });
  it(`is refused with more than ${hostsMax} servers`, () => {
    const many = Array.from({ length: hostsMax + 1 }, (_, index) => `h${index}`).join(',');
    expect(() => databaseHosts(`postgres://${many}/das`)).toThrow(RangeError);
  });
  it('names the database', () => expect(databaseName('postgres://a:b@one,two:3/das?x=/y')).toBe('das'));
});

describe('the choice among servers', () => {
  const hosts = databaseHosts('postgres://one,two/das');
  it('stays with the server that serves, and goes round when one is left', () => {
    const choice = new HostChoice(hosts);
    const [one, two] = [choice.current, hosts[1]!];
    choice.leave(one);
    expect(choice.current).toBe(two);
    choice.leave(two);
    expect(choice.current).toBe(one);
  });
  it('is not moved by the second connection that failed on a server left already', () => {
    const choice = new HostChoice(hosts);
    const one = choice.current;
    for (let lost = 0; lost < 8; lost += 1) choice.leave(one);
    expect(choice.current).toBe(hosts[1]);
  });
});
