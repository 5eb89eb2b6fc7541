// What bench/workers.mjs says of its figures.

/** A line for each figure, and for each bound whether it was kept. */
export function tell({ figures, best, ratios, firsts, latency, bounds }) {
  for (const [name, { partMs, itemUs }] of Object.entries(figures))
    console.log(`${name.padEnd(9)} ${partMs.toFixed(3)} ms a part, ${itemUs.toFixed(2)} µs an item`);
  for (const [name, { partMs, itemUs, itemCpuUs }] of Object.entries(best))
    console.log(
      `${name}, best round: ${partMs.toFixed(3)} ms a part, ${itemUs.toFixed(2)} µs an item; CPU ${itemCpuUs.toFixed(2)} µs an item`,
    );
  for (const [name, { partOfPoolJson, itemOfPoolJson, itemOfPoolPlain }] of Object.entries(ratios))
    console.log(
      `${name}: ${partOfPoolJson.toFixed(2)} times as long as Pool per part; per item ${itemOfPoolJson.toFixed(2)} with JSON, ${itemOfPoolPlain.toFixed(2)} without`,
    );
  for (const [name, { freshMs, coldMs }] of Object.entries(firsts))
    console.log(
      `${name}: first part after ${freshMs.toFixed(1)} ms, with no fresh worker left ${coldMs.toFixed(1)} ms`,
    );
  for (const [way, ofSandbox] of Object.entries(latency)) {
    for (const [sandbox, { p50, p95 }] of Object.entries(ofSandbox))
      console.log(
        `trivial job by REST, ${words[way]}, sandbox ${sandbox}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`,
      );
  }
  for (const { what, measured, bound, kept } of bounds)
    console.log(`${kept ? 'kept  ' : 'MISSED'} ${what}: ${measured.toFixed(2)} of ${bound}`);
}

const words = { apart: 'one now and then', inTurn: 'one after the other' };
