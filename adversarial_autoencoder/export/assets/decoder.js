"use strict";

/* Runs a decoder. `export/decoder_steps.py` writes its steps. A value is a Float32Array; an image is
   stored row by row, with its channels last. */

/* The scale of a column on which the decoder is linear. */
function scaled({ centre, unit, heavy }, value) {
  const u = (value - centre) / unit;
  return heavy ? Math.asinh(u) : u;
}

const ACTIVATIONS = {
  relu: (x) => (x > 0 ? x : 0),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

const LAYERS = {
  input: ({ name }, _, codes) => Float32Array.from(codes[name]),

  activation: ({ function: name }, [x]) => x.map(ACTIVATIONS[name]),

  dense({ units, kernel, bias }, [x]) {
    const out = bias ? bias.slice() : new Float32Array(units);
    for (let i = 0; i < x.length; i++) {
      const value = x[i];
      if (value === 0) continue; // Half of the values after a ReLU.
      const row = i * units;
      for (let j = 0; j < units; j++) out[j] += value * kernel[row + j];
    }
    return out;
  },

  affine({ scale, offset }, [x]) {
    return x.map((value, i) => value * scale[i % scale.length] + offset[i % scale.length]);
  },

  concatenate(_, values) {
    return Float32Array.from(values.flatMap((value) => [...value]));
  },

  add(_, values) {
    return values[0].map((_, i) => values.reduce((sum, value) => sum + value[i], 0));
  },

  transposed_convolution({ input, output, kernel_size, strides, cut, kernel, bias }, [x]) {
    const [height, width, channels] = input;
    const [outHeight, outWidth, outChannels] = output;
    const out = new Float32Array(outHeight * outWidth * outChannels);
    if (bias) for (let i = 0; i < out.length; i++) out[i] = bias[i % outChannels];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (let a = 0; a < kernel_size[0]; a++) {
          const outRow = row * strides[0] + a - cut[0];
          if (outRow < 0 || outRow >= outHeight) continue;
          for (let b = 0; b < kernel_size[1]; b++) {
            const outColumn = column * strides[1] + b - cut[1];
            if (outColumn < 0 || outColumn >= outWidth) continue;
            const to = (outRow * outWidth + outColumn) * outChannels;
            for (let c = 0; c < channels; c++) {
              const value = x[(row * width + column) * channels + c];
              if (value === 0) continue;
              const from = ((a * kernel_size[1] + b) * channels + c) * outChannels;
              for (let k = 0; k < outChannels; k++) out[to + k] += value * kernel[from + k];
            }
          }
        }
      }
    }
    return out;
  },

  crop({ input, output, cut }, [x]) {
    const [height, width, channels] = output;
    const out = new Float32Array(height * width * channels);
    for (let row = 0; row < height; row++) {
      const from = ((row + cut[0]) * input[1] + cut[1]) * channels;
      out.set(x.subarray(from, from + width * channels), row * width * channels);
    }
    return out;
  },
};

/* Of a table: numbers in the unit of their column, and probabilities of indicators and categories. */
LAYERS.columns = ({ numbers, indicators, depths }, [x]) => {
  const out = x.slice();
  numbers.forEach((column, i) => {
    const { mean, std, centre, unit, heavy, low, high } = column;
    const [least, most] = [low, high].map((value) => scaled(column, value));
    const u = Math.min(Math.max(x[i] * std + mean, least), most);
    const value = (heavy ? Math.sinh(u) : u) * unit + centre;
    out[i] = Math.min(Math.max(value, low), high);
  });
  let start = numbers.length;
  for (let i = 0; i < indicators; i++, start++) out[start] = ACTIVATIONS.sigmoid(x[start]);
  for (const depth of depths) {
    const logits = x.subarray(start, start + depth);
    const most = Math.max(...logits);
    const shares = logits.map((value) => Math.exp(value - most));
    const total = shares.reduce((sum, value) => sum + value, 0);
    for (const share of shares) out[start++] = share / total;
  }
  return out;
};

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/* Little-endian IEEE float16 numbers, without infinity and NaN. */
function float16s(base64) {
  const halves = new Uint16Array(bytesOf(base64).buffer);
  const powers = Float64Array.from({ length: 32 }, (_, i) => 2 ** (Math.max(i, 1) - 25));
  return Float32Array.from(halves, (half) => {
    const exponent = (half >> 10) & 31;
    const value = ((half & 1023) + (exponent ? 1024 : 0)) * powers[exponent];
    return half & 0x8000 ? -value : value;
  });
}

/* A function from codes, such as {z: [0, 1], y: [1, 0, 0]}, to an image in [0, 1], or to the
   values of a row. */
function makeDecoder({ steps, weights }) {
  const all = float16s(weights);
  const ready = steps.map(({ kind, sizes, weights, inputs }) => {
    const settings = { ...sizes };
    for (const [name, [start, end]] of Object.entries(weights)) {
      settings[name] = all.subarray(start, end);
    }
    return { run: LAYERS[kind], settings, inputs };
  });
  return (codes) => {
    const values = [];
    for (const { run, settings, inputs } of ready) {
      values.push(run(settings, inputs.map((i) => values[i]), codes));
    }
    return values[values.length - 1];
  };
}
