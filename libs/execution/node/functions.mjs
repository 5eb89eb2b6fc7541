/** The functions that a job uses, by their names in the cluster and in a script. */
export const functionNames = ['split', 'map', 'combine', 'reduce', 'gather', 'main', 'on_success', 'on_failure'];

const camel = { on_success: 'onSuccess', on_failure: 'onFailure' };

/** Names under which a script may export it. */
export const spellings = (name) => (camel[name] === undefined ? [name] : [camel[name], name]);

/** Those among exported names. */
export const definedAmong = (names) =>
  Object.fromEntries(functionNames.map((name) => [name, spellings(name).some((spelling) => names.has(spelling))]));
