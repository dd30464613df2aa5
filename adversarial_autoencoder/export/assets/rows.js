
/* Shows rows of a table instead of images: the decoded row, the nearest one and its reconstruction. */

const shown = [];

function buildRows() {
  for (const figure of document.querySelectorAll("#views figure")) figure.remove();
  const head = ["Column", "Decoded", `Nearest ${content.noun}`, "Reconstruction"];
  const cells = head.map((text) => make("th", { scope: "col" }, text));
  cells[2].id = "original-name";
  const body = make("tbody");
  for (const column of content.columns) {
    const [decoded, original, again] = [0, 1, 2].map(() => make("td"));
    shown.push({ column, decoded, original, again });
    const name = make("th", { scope: "row", title: column.name }, column.name);
    body.append(make("tr", {}, name, decoded, original, again));
  }
  const table = make("table", { id: "row" }, make("thead", {}, make("tr", {}, ...cells)), body);
  element("views").append(table);
  element("views").classList.add("rows");
  const { columns, rowWidth } = content;
  if (columns.length < rowWidth) {
    element("help").append(` The page shows the first ${columns.length} of ${rowWidth} columns.`);
  }
}

/* A value as text, and its bar as a share of the cell or null. */
function fill(cell, [text, share]) {
  if (!cell.firstChild) cell.append(make("span", { className: "value" }), make("span", { className: "bar" }));
  cell.firstChild.textContent = text;
  cell.firstChild.title = text;
  cell.lastChild.style.width = `${100 * (share ?? 0)}%`;
}

function numberText(value, { whole }) {
  if (whole) return String(Math.round(value)).replace("-", "\u2212");
  return String(Number(value.toPrecision(4))).replace("-", "\u2212");
}

function number(value, column) {
  const [low, high, at] = [column.low, column.high, value].map((one) => scaled(column, one));
  return [numberText(value, column), high > low ? Math.min(Math.max((at - low) / (high - low), 0), 1) : 1];
}

/* What the decoder says of a column: a number, or the most probable category. */
function decodedValue(column, values) {
  const { outputs } = column;
  if (outputs.probabilities) {
    const shares = outputs.probabilities.map((i) => values[i]);
    const most = shares.indexOf(Math.max(...shares));
    return [`${Math.round(100 * shares[most])}% ${column.categories[most]}`, shares[most]];
  }
  if (values[outputs.missing] > 0.5) return ["missing", null];
  return number(values[outputs.frequent] > 0.5 ? column.frequent : values[outputs.number], column);
}

/* A value of a row of the data. */
function givenValue(column, value) {
  if (Number.isNaN(value)) return ["missing", null];
  return column.categories ? [column.categories[value], null] : number(value, column);
}

function showRow(values, part) {
  for (const line of shown) {
    fill(line[part], values ? decodedValue(line.column, values) : ["", null]);
  }
}

function showGiven(point) {
  shown.forEach(({ column, original }, i) => {
    const value = point === null ? ["", null] : givenValue(column, rows[point * content.rowWidth + i]);
    fill(original, value);
  });
}
