// The course of a period as charts. The page has the same numbers in a table; without the library it shows that alone.
// Points are numbered, not timed: the server has named each (a day of 23 hours has its 92 quarters), and says where it leads.

const course = document.querySelector("[data-course]");
const told = course?.querySelector("script[type='application/json']");
const HEIGHT = 190;
// px that the longest label on the axis needs; Chinese is nearly twice as wide.
const widthOf = (labels) => Math.max(74, ...labels.map((label) => 18 + [...label].reduce((sum, one) => sum + (one > "ÿ" ? 12 : 7), 0)));
const WHOLE = [1, 2, 5].flatMap((n) => [0, 1, 2, 3, 4, 5, 6].map((power) => n * 10 ** power)).sort((a, b) => a - b); // there are no half calls
const MARK = { accent: [], good: [8, 3], past: [2, 3], near: [8, 3], ink: [10, 6] }; // never by colour alone
let drawn = [];

const inkOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function written(value, unit) {
  if (value === null || value === undefined) return "–";
  return unit ? `${value.toLocaleString(document.documentElement.lang)} ${unit}` : value.toLocaleString(document.documentElement.lang);
}

function axes(labels, unit) {
  const common = { stroke: inkOf("quiet"), grid: { stroke: inkOf("line"), width: 1 }, ticks: { stroke: inkOf("line"), width: 1 }, font: "12px system-ui, sans-serif" };
  return [
    { ...common, space: widthOf(labels), incrs: [1, 2, 4, 8, 12, 16, 24, 48, 96], values: (_, at) => at.map((n) => (Number.isInteger(n) ? (labels[n] ?? "") : "")) },
    { ...common, size: 52, ...(unit ? {} : { incrs: WHOLE }), values: (_, at) => at.map((n) => written(n, unit)) },
  ];
}

function series(lines, labels, unit, grain) {
  const isShort = labels.length <= 40; // few points are seen as points
  return [
    { label: grain, value: (_, n) => labels[n] ?? "–" },
    ...lines.map((line) => ({
      label: line.word,
      stroke: inkOf(line.ink),
      width: line.is_target ? 1 : 2,
      dash: MARK[line.ink],
      spanGaps: false,
      points: { show: !line.is_target && isShort, size: 5 },
      class: line.is_target ? "is-target" : undefined, // always the same: its word says it
      value: (_, value) => (line.is_target ? "" : written(value, unit)),
    })),
  ];
}

function follow(chart, hrefs) {
  const goal = hrefs[chart.cursor.idx];
  if (goal) location.assign(goal);
}

function draw(figure, chart, { labels, hrefs, grain }) {
  const holder = figure.querySelector("div");
  holder.replaceChildren();
  const width = holder.clientWidth || figure.clientWidth;
  const options = {
    width,
    height: HEIGHT,
    cursor: { sync: { key: "course" }, drag: { x: false, y: false } },
    legend: { live: true },
    scales: {
      x: { time: false, range: () => [-0.5, Math.max(0.5, labels.length - 0.5)] },
      y: { range: (_, __, most) => [0, chart.most ?? Math.max(1, (most ?? 1) * 1.08)] },
    },
    axes: axes(labels, chart.unit),
    series: series(chart.lines, labels, chart.unit, grain),
  };
  const made = new uPlot(options, [labels.map((_, n) => n), ...chart.lines.map((line) => line.values)], holder);
  made.over.addEventListener("click", () => follow(made, hrefs));
  return made;
}

function drawAll(data) {
  for (const chart of drawn) chart.destroy();
  drawn = [...course.querySelectorAll("[data-chart]")].map((figure) => {
    figure.hidden = false;
    return draw(figure, data.charts.find((each) => each.id === figure.dataset.chart), data);
  });
}

function resize() {
  for (const chart of drawn) {
    const width = chart.root.parentElement.clientWidth;
    if (width && width !== chart.width) chart.setSize({ width, height: HEIGHT });
  }
}

if (told && globalThis.uPlot) {
  const data = JSON.parse(told.textContent);
  drawAll(data);
  new ResizeObserver(resize).observe(course);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(data));
  // Paper is white whatever the screen is.
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.paper = "";
    drawAll(data);
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.paper;
    drawAll(data);
  });
}
