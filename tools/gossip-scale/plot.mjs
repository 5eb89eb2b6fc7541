// Line and bar charts as SVG. Deterministic: numbers are rounded, nothing depends on where or when it is drawn.
const width = 720;
const height = 420;
const frame = { left: 76, right: 196, top: 52, bottom: 60 };
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
/** Told apart by those who do not see all colours (Okabe and Ito); dashes and marks help. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#444444', '#e69f00'];

const round = (value) => Number(value.toFixed(2));
const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function text(x, y, content, attributes = '') {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escape(content)}</text>`;
}

/** A number for people: 5,000, 0.25. */
export function shown(value) {
  if (value > 0 && value < 0.01) return '<0.01';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** From a value to a place along the axis, 0 to 1. */
function scaleOf({ log = false, min, max }) {
  const place = log ? Math.log10 : (value) => value;
  return (value) => (place(value) - place(min)) / (place(max) - place(min));
}

/** Round steps from 0 to at least `max`. */
function linearTicks(max) {
  const rough = max / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

function document(title, description, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222222">
<title>${escape(title)}</title>
<desc>${escape(description)}</desc>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${text(frame.left, 28, title, 'font-size="16" font-weight="bold"')}
${body.join('\n')}
</svg>
`;
}

function yAxis(label, ticks, scale) {
  const lines = ticks.map((tick) => {
    const y = frame.top + inner.height * (1 - scale(tick));
    const line = `<line x1="${frame.left}" x2="${frame.left + inner.width}" y1="${round(y)}" y2="${round(y)}" stroke="#dddddd"/>`;
    return `${line}${text(frame.left - 8, y + 4, shown(tick), 'text-anchor="end"')}`;
  });
  const middle = frame.top + inner.height / 2;
  return [...lines, text(18, middle, label, `text-anchor="middle" transform="rotate(-90 18 ${middle})"`)];
}

function xLabel(label) {
  return text(frame.left + inner.width / 2, height - 14, label, 'text-anchor="middle"');
}

function legend(entries) {
  const x = frame.left + inner.width + 16;
  return entries.flatMap(({ name, mark }, i) => {
    const y = frame.top + 8 + i * 38;
    const [first, second] = wrapped(name);
    const words = [text(x + 30, y + 4, first), ...(second ? [text(x + 30, y + 19, second)] : [])];
    return [mark(x, y), ...words];
  });
}

/** At most two lines. */
function wrapped(name) {
  if (name.length <= 20) return [name];
  const cut = name.lastIndexOf(' ', 20);
  return [name.slice(0, cut), name.slice(cut + 1)];
}

function mark(shape, x, y, colour) {
  if (shape === 0) return `<circle cx="${round(x)}" cy="${round(y)}" r="4" fill="${colour}"/>`;
  if (shape === 1) return `<rect x="${round(x - 4)}" y="${round(y - 4)}" width="8" height="8" fill="${colour}"/>`;
  return `<path d="M${round(x)} ${round(y - 5)}l5 9h-10z" fill="${colour}"/>`;
}

/** Lines over a logarithmic x. `series`: `{ name, points: [[x, y]], reference? }`; a reference is dashed and has no marks. */
export function lineChart({ title, description, x, y, series }) {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const ticks = linearTicks(Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const xScale = scaleOf({ log: true, min: xs[0] / 1.4, max: xs.at(-1) * 1.4 });
  const yScale = scaleOf({ min: 0, max: ticks.at(-1) });
  const place = ([at, value]) => [
    frame.left + inner.width * xScale(at),
    frame.top + inner.height * (1 - yScale(value)),
  ];
  const bottom = frame.top + inner.height;
  const xTicks = xs.map((at) => {
    const [px] = place([at, 0]);
    return `<line x1="${round(px)}" x2="${round(px)}" y1="${bottom}" y2="${bottom + 5}" stroke="#222222"/>${text(px, bottom + 20, shown(at), 'text-anchor="middle"')}`;
  });
  const drawn = series.map(({ name, points, reference = false }, i) => {
    const colour = colours[i % colours.length];
    const dash = reference ? ' stroke-dasharray="6 4"' : '';
    const stroke = `fill="none" stroke="${colour}" stroke-width="2"${dash}`;
    const path = points.map((point) => place(point).map(round).join(' ')).join('L');
    const marks = reference ? [] : points.map((point) => mark(i % 3, ...place(point), colour));
    return {
      name,
      svg: [`<path d="M${path}" ${stroke}/>`, ...marks],
      mark: (px, py) => `<path d="M${px} ${py}h24" ${stroke}/>${reference ? '' : mark(i % 3, px + 12, py, colour)}`,
    };
  });
  const axis = `<line x1="${frame.left}" x2="${frame.left + inner.width}" y1="${bottom}" y2="${bottom}" stroke="#222222"/>`;
  return document(title, description, [
    ...yAxis(y, ticks, yScale),
    ...[axis, ...xTicks, xLabel(x)],
    ...drawn.flatMap(({ svg }) => svg),
    ...legend(drawn),
  ]);
}

/** Bars side by side, each with its number. `groups`: names along x; `series`: `{ name, values }`, one value for each group. */
export function barChart({ title, description, x, y, groups, series }) {
  const ticks = linearTicks(Math.max(1, ...series.flatMap(({ values }) => values)));
  const yScale = scaleOf({ min: 0, max: ticks.at(-1) });
  const groupWidth = inner.width / groups.length;
  const barWidth = (groupWidth * 0.8) / series.length;
  const bottom = frame.top + inner.height;
  const bars = series.flatMap(({ values }, i) =>
    values.map((value, group) => {
      const left = frame.left + groupWidth * (group + 0.1) + barWidth * i;
      const tall = inner.height * yScale(value);
      const bar = `<rect x="${round(left)}" y="${round(bottom - tall)}" width="${round(barWidth - 2)}" height="${round(tall)}" fill="${colours[i]}"/>`;
      return `${bar}${text(left + barWidth / 2 - 1, bottom - tall - 5, shown(value), 'text-anchor="middle" font-size="12"')}`;
    }),
  );
  const names = groups.map((name, i) =>
    text(frame.left + groupWidth * (i + 0.5), bottom + 20, name, 'text-anchor="middle"'),
  );
  const axis = `<line x1="${frame.left}" x2="${frame.left + inner.width}" y1="${bottom}" y2="${bottom}" stroke="#222222"/>`;
  const entries = series.map(({ name }, i) => ({
    name,
    mark: (px, py) => `<rect x="${px + 6}" y="${py - 6}" width="12" height="12" fill="${colours[i]}"/>`,
  }));
  return document(title, description, [
    ...yAxis(y, ticks, yScale),
    ...bars,
    axis,
    ...names,
    xLabel(x),
    ...legend(entries),
  ]);
}
