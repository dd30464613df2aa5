
/* The page: a plane of codes, and the image or row of the code where the reader points. */

const content = JSON.parse(document.getElementById("content").textContent);
const decode = makeDecoder(content.decoder);
const { zDim } = content;
const codes = float32s(content.points);
const prior = float32s(content.prior);
const heads = content.heads ? float32s(content.heads) : null;
const yWeights = content.yValues ? float16s(content.yValues.weights) : null;
const rows = content.columns ? float32s(content.rows) : null;
const numPoints = codes.length / zDim;
const element = (id) => document.getElementById(id);
const plane = element("plane");
const background = document.createElement("canvas");
const state = {
  z: new Float32Array(zDim),
  y: 0,
  dims: zDim > 1 ? [0, 1] : [0, null],
  view: null, // The middle of the plane, and its half side.
  near: null,
  pins: [null, null],
  playing: null, // When it started.
  images: null,
  waiting: [], // Values of y whose small images are old.
};
const SMALL_IMAGES = 100;

function float32s(base64) {
  return new Float32Array(bytesOf(base64).buffer);
}

/* A DOM element with properties, which are set as text and never parsed. */
function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/* ---- Codes and images. ---- */

function yOf(value) {
  const y = new Float32Array(content.numY);
  if (content.yValues) y[value] = 1;
  return y;
}

function decoded(z, y) {
  return decode({ z, y });
}

function codeOf(point) {
  return codes.subarray(point * zDim, (point + 1) * zDim);
}

function yOfPoint(point) {
  return content.yValues ? yWeights.subarray(point * content.numY, (point + 1) * content.numY) : yOf(0);
}

/* Draws values in [0, 1] as an image of 1, 3 or 4 channels. */
function show(canvas, values) {
  const [height, width, channels] = content.shape;
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
    canvas.style.aspectRatio = `${width} / ${height}`;
  }
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      pixels.data[4 * i + c] = 255 * values[i * channels + (channels > 1 ? c : 0)];
    }
    pixels.data[4 * i + 3] = channels === 4 ? 255 * values[4 * i + 3] : 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

async function inflated(base64) {
  const stream = new Blob([bytesOf(base64)]).stream();
  const unpacked = stream.pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/* ---- What the reader does. ---- */

let due = false;
function changed() {
  if (!due) requestAnimationFrame(render);
  due = true;
}

function setCode(z, y = state.y) {
  state.z = Float32Array.from(z);
  state.y = y;
  state.waiting = content.yValues && !rows ? content.yValues.names.map((_, k) => k).slice(0, SMALL_IMAGES) : [];
  changed();
}

function setNear(point) {
  if (point === state.near) return;
  state.near = point;
  element("use").disabled = point === null;
  const name = point !== null && content.labels && content.classes[content.labels[point]];
  element("original-name").textContent = name ? `Nearest: ${name.name}` : `Nearest ${content.noun}`;
  if (rows) {
    showGiven(point);
    showRow(point === null ? null : decoded(codeOf(point), yOfPoint(point)), "again");
    changed();
    return;
  }
  const blank = new Float32Array(content.shape.reduce((a, b) => a * b)).fill(0.5);
  const size = blank.length;
  const known = point !== null && state.images && point < content.numImages;
  const original = known ? state.images.subarray(point * size, (point + 1) * size) : null;
  show(element("original"), original ? Float32Array.from(original, (v) => v / 255) : blank);
  const again = point === null ? blank : decoded(codeOf(point), yOfPoint(point));
  show(element("reconstruction"), again);
  changed();
}

function placeOf(event) {
  const box = plane.getBoundingClientRect();
  const scale = plane.width / plane.clientWidth;
  return [
    (event.clientX - box.left - plane.clientLeft) * scale,
    (event.clientY - box.top - plane.clientTop) * scale,
  ];
}

function moveTo([x, y]) {
  const { middle, half } = state.view;
  const side = background.width;
  const values = [middle[0] + half * ((2 * x) / side - 1), middle[1] - half * ((2 * y) / side - 1)];
  const z = state.z.slice();
  state.dims.forEach((dim, axis) => dim !== null && (z[dim] = values[axis]));
  setCode(z);
}

plane.addEventListener("pointerdown", (event) => {
  plane.setPointerCapture(event.pointerId);
  stop();
  moveTo(placeOf(event));
  setNear(nearest(placeOf(event)));
});
plane.addEventListener("pointermove", (event) => {
  if (event.buttons) moveTo(placeOf(event));
  setNear(nearest(placeOf(event)));
});
plane.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (!(event.key in move)) return;
  event.preventDefault();
  stop();
  const pixels = background.width * (event.shiftKey ? 0.1 : 0.015);
  const at = position(state.z, 0).map((p, axis) => p + move[event.key][axis] * pixels);
  moveTo(at);
  setNear(nearest(at));
});

element("sample").addEventListener("click", () => {
  stop();
  const i = Math.floor(Math.random() * (prior.length / zDim));
  setCode(prior.subarray(i * zDim, (i + 1) * zDim));
  setNear(nearest(position(state.z, 0)));
});
element("use").addEventListener("click", () => {
  stop();
  const y = yOfPoint(state.near);
  setCode(codeOf(state.near), content.yValues ? y.indexOf(Math.max(...y)) : 0);
});
["pin-a", "pin-b"].forEach((id, i) => {
  element(id).addEventListener("click", () => {
    state.pins[i] = state.z.slice();
    element("play").disabled = !(state.pins[0] && state.pins[1]);
    changed();
  });
});
element("play").addEventListener("click", () => {
  if (state.playing !== null) return stop();
  state.playing = performance.now();
  element("play").textContent = "Stop";
  changed();
});

function stop() {
  state.playing = null;
  element("play").textContent = "Play A to B";
}

/* ---- What the page shows. ---- */

function render(now) {
  due = false;
  if (state.playing !== null) {
    const [a, b] = state.pins;
    const share = (1 - Math.cos(Math.max(now - state.playing, 0) / 1000)) / 2;
    setCode(a.map((value, i) => value + share * (b[i] - value)));
    setNear(nearest(position(state.z, 0)));
  }
  const start = performance.now();
  const values = decoded(state.z, yOf(state.y));
  if (rows) showRow(values, "decoded");
  else show(element("decoded"), values);
  const time = performance.now() - start;
  drawPlane();
  const shown = [...state.z.slice(0, 8)].map((v) => v.toFixed(2).replace("-", "\u2212"));
  const y = content.yValues ? `, y = ${content.yValues.names[state.y]}` : "";
  element("readout").textContent =
    `z = (${shown.join(", ")}${zDim > 8 ? ", \u2026" : ""})${y}. Decoded in ${time.toFixed(1)} ms.`;
  for (const input of element("sliders").querySelectorAll("input")) {
    input.value = state.z[input.dataset.dim];
    input.nextElementSibling.textContent = state.z[input.dataset.dim].toFixed(2);
  }
  const buttons = element("values").children;
  for (let k = 0; k < buttons.length; k++) {
    buttons[k].setAttribute("aria-pressed", String(k === state.y));
  }
  // The small images share what is left of the time of a frame.
  while (state.waiting.length && performance.now() - start < 10) {
    const k = state.waiting.shift();
    show(buttons[k].firstChild, decoded(state.z, yOf(k)));
  }
  if (state.waiting.length || state.playing !== null) changed();
}

function buildValues() {
  element("values").hidden = !content.yValues;
  if (!content.yValues) return;
  content.yValues.names.slice(0, SMALL_IMAGES).forEach((name, k) => {
    const button = make("button", { type: "button", title: name }, ...(rows ? [] : [make("canvas")]), name);
    button.addEventListener("click", () => setCode(state.z, k));
    element("values").append(button);
  });
}

function buildSliders() {
  const others = [...state.z.keys()].filter((dim) => !state.dims.includes(dim));
  element("sliders").hidden = !others.length;
  element("sliders").replaceChildren(
    ...others.map((dim) => {
      const [min, max] = rangeOf(dim);
      const input = make("input", { type: "range", min, max, step: (max - min) / 500 || 1 });
      input.dataset.dim = dim;
      input.addEventListener("input", () => {
        stop();
        setCode(state.z.map((value, i) => (i === dim ? Number(input.value) : value)));
      });
      return make("label", {}, `z${dim}`, input, make("output"));
    }),
  );
}

function buildAxes() {
  element("axes").hidden = zDim < 3;
  ["horizontal", "vertical"].forEach((id, axis) => {
    const options = [...state.z.keys()].map((dim) => make("option", { value: dim }, `z${dim}`));
    element(id).replaceChildren(...options);
    element(id).value = state.dims[axis];
    element(id).addEventListener("change", () => {
      const dim = Number(element(id).value);
      if (dim === state.dims[1 - axis]) state.dims[1 - axis] = state.dims[axis];
      state.dims[axis] = dim;
      element("horizontal").value = state.dims[0];
      element("vertical").value = state.dims[1];
      redraw();
      buildSliders();
      changed();
    });
  });
}

function buildClasses() {
  for (const { name, colour } of content.labels ? content.classes : []) {
    const dot = make("span");
    dot.style.background = colour;
    element("classes").append(make("li", { title: name }, dot, name));
  }
}

function redraw() {
  chooseView();
  drawBackground();
  drawPlane();
}

/* Compares the decoder with Keras on one code. */
function check() {
  const expected = float16s(content.probe.image);
  const { low, size } = content.probe; // Of a table: values as shares of the range of a column.
  const received = decode(content.probe.codes).map((value, i) => (size ? (value - low[i]) / size[i] : value));
  const differences = received.map((value, i) => Math.abs(value - expected[i]));
  const largest = Math.max(...differences);
  document.body.dataset.difference = largest;
  if (largest < 0.02 && received.length === expected.length) return;
  element("problem").textContent =
    `This browser decodes otherwise than Keras: ${rows ? "values" : "pixels"} differ by ${largest.toFixed(3)}.`;
  element("problem").hidden = false;
}

async function start() {
  element("heads-help").hidden = !heads;
  if (rows) buildRows();
  check();
  buildValues();
  buildSliders();
  buildAxes();
  buildClasses();
  redraw();
  setCode(state.z.map((_, dim) => rangeOf(dim).reduce((low, high) => (low + high) / 2)));
  try {
    if (!rows) state.images = await inflated(content.images);
  } catch {
    for (const figure of document.querySelectorAll(".near")) figure.hidden = true;
  }
  new ResizeObserver(redraw).observe(plane);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  setNear(nearest(position(state.z, 0)));
  document.body.dataset.ready = "true";
}

start();
