
/* Draws the plane: density of the prior, codes, cluster heads, pins and the chosen code. */

/* Coordinate `dim` of code `i`. One-dimensional codes are spread over the height. */
function coordinate(array, i, dim) {
  return dim === null ? ((i * 0.618034) % 1) - 0.5 : array[i * zDim + dim];
}

function rangeOf(dim) {
  if (dim === null) return [-1, 1];
  let [low, high] = [Infinity, -Infinity];
  for (const array of [codes, prior, heads || new Float32Array()]) {
    const values = array.filter((_, i) => i % zDim === dim).sort();
    if (!values.length) continue;
    const rare = Math.floor(values.length / 500); // Outliers do not set the scale.
    low = Math.min(low, values[rare]);
    high = Math.max(high, values[values.length - 1 - rare]);
  }
  return [low, high];
}

function chooseView() {
  const ranges = state.dims.map(rangeOf);
  const half = Math.max(...ranges.map(([low, high]) => (high - low) / 2)) * 1.08 || 1;
  state.view = { middle: ranges.map(([low, high]) => (low + high) / 2), half };
}

function toPixel(values) {
  const { middle, half } = state.view;
  const side = background.width;
  return [
    ((values[0] - middle[0]) / half + 1) * (side / 2),
    (1 - (values[1] - middle[1]) / half) * (side / 2),
  ];
}

function position(array, i) {
  return toPixel(state.dims.map((dim) => coordinate(array, i, dim)));
}

/* Density of the prior: a smoothed histogram. */
function drawDensity(context) {
  const bins = 60;
  let counts = new Float32Array(bins * bins);
  for (let i = 0; i < prior.length / zDim; i++) {
    const at = position(prior, i).map((p) => Math.floor((p / background.width) * bins));
    if (at.every((bin) => bin >= 0 && bin < bins)) counts[at[1] * bins + at[0]]++;
  }
  for (const step of [1, bins, 1, bins, 1, bins]) {
    counts = counts.map((n, i) => (2 * n + (counts[i - step] || 0) + (counts[i + step] || 0)) / 4);
  }
  const most = Math.max(...counts) || 1;
  const small = make("canvas", { width: bins, height: bins });
  const pixels = new ImageData(bins, bins);
  counts.forEach((n, i) => pixels.data.set([90, 98, 115, 150 * (n / most) ** 0.7], 4 * i));
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, background.width, background.width);
}

function drawTicks(context, scale) {
  const { middle, half } = state.view;
  const side = background.width;
  const rough = half / 2.5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  context.font = `${12 * scale}px system-ui, sans-serif`;
  context.fillStyle = context.strokeStyle = "#343a46";
  for (const axis of [0, 1]) {
    if (state.dims[axis] === null) continue;
    context.textAlign = axis ? "left" : "center";
    const first = Math.ceil((middle[axis] - 0.9 * half) / step);
    for (let k = first; k * step < middle[axis] + 0.9 * half; k++) {
      const at = toPixel([k * step, k * step])[axis];
      const text = (k * step).toFixed(digits).replace("-", "\u2212");
      if (axis) context.fillText(text, 5 * scale, at + 4 * scale);
      else context.fillText(text, at, side - 5 * scale);
    }
    const name = `z${state.dims[axis]}`;
    context.textAlign = axis ? "left" : "right";
    if (axis) context.fillText(name, 5 * scale, 16 * scale);
    else context.fillText(name, side - 5 * scale, side - 5 * scale);
  }
}

function drawBackground() {
  const scale = window.devicePixelRatio || 1;
  const side = Math.max(Math.round(plane.clientWidth * scale), 1);
  for (const canvas of [plane, background]) canvas.width = canvas.height = side;
  const context = background.getContext("2d");
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  context.fillStyle = dark ? "#dfe2e8" : "#ffffff"; // The colours of classes need a light ground.
  context.fillRect(0, 0, side, side);
  drawDensity(context);
  context.globalAlpha = 0.75;
  const radius = Math.min(5, Math.max(2, 60 / Math.sqrt(numPoints))) * scale;
  // In an order without a pattern, so that no class covers the others.
  for (let k = 0; k < numPoints; k++) {
    const i = (k * 7919) % numPoints;
    context.fillStyle = colourOf(i);
    context.beginPath();
    context.arc(...position(codes, i), radius, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
  if (heads) {
    for (let k = 0; k < heads.length / zDim; k++) {
      cross(context, position(heads, k), 6 * scale, "#ffffff", 5 * scale);
      cross(context, position(heads, k), 6 * scale, "#000000", 2.5 * scale);
    }
  }
  drawTicks(context, scale);
}

function colourOf(point) {
  const label = content.labels ? content.labels[point] : 0;
  if (!content.labels) return "#0e84b9";
  return label < 0 ? "#737373" : content.classes[label].colour;
}

function cross(context, [x, y], size, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (const slope of [-1, 1]) {
    context.moveTo(x - size, y - slope * size);
    context.lineTo(x + size, y + slope * size);
  }
  context.stroke();
}

function ring(context, at, radius, width, text = "") {
  for (const [colour, more] of [["#ffffff", 2], ["#000000", 0]]) {
    context.strokeStyle = colour;
    context.lineWidth = (width + more) * (window.devicePixelRatio || 1);
    context.beginPath();
    context.arc(...at, radius, 0, 7);
    context.stroke();
  }
  if (!text) return;
  context.font = `bold ${radius * 1.6}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.fillStyle = "#000000";
  context.lineWidth = radius / 2.5;
  context.strokeStyle = "#ffffff";
  context.strokeText(text, at[0], at[1] - radius * 1.4);
  context.fillText(text, at[0], at[1] - radius * 1.4);
}

function drawPlane() {
  const context = plane.getContext("2d");
  const scale = window.devicePixelRatio || 1;
  context.drawImage(background, 0, 0);
  const pins = state.pins.map((pin) => pin && position(pin, 0));
  if (pins[0] && pins[1]) {
    context.strokeStyle = "#000000";
    context.lineWidth = 1.5 * scale;
    context.setLineDash([6 * scale, 4 * scale]);
    context.beginPath();
    context.moveTo(...pins[0]);
    context.lineTo(...pins[1]);
    context.stroke();
    context.setLineDash([]);
  }
  pins.forEach((pin, i) => pin && ring(context, pin, 7 * scale, 2, "AB"[i]));
  if (state.near !== null) ring(context, position(codes, state.near), 6 * scale, 1.5);
  const at = position(state.z, 0);
  cross(context, at, 8 * scale, "#ffffff", 5 * scale);
  cross(context, at, 8 * scale, "#c00515", 2.5 * scale);
}

/* The point within 24 pixels of a place in the plane, or null. */
function nearest([x, y]) {
  let [best, least] = [null, (24 * (window.devicePixelRatio || 1)) ** 2];
  for (let i = 0; i < numPoints; i++) {
    const [u, v] = position(codes, i);
    const distance = (u - x) ** 2 + (v - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}
