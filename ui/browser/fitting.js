// Pictures of any size into the square that a network takes, and back, as `i2i_models/inference/translator.py` does it
// with Pillow, to the bit: a picture that is fitted here must not differ from one that is fitted on the server.
// A picture is {data, width, height}: RGBA bytes, as in ImageData.

const LONG = 2; // how many times as long as wide a picture is that is translated in one long pass …
const LONGEST = 32; // … up to this many times
const PRECISION = 22; // bits of Pillow's whole-number weights

const BOX = { reach: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
const BICUBIC = {
  reach: 2,
  weight: (x) => {
    const [a, d] = [-0.5, Math.abs(x)];
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  },
};

/** Python's `round`: a half goes to the even neighbour. */
function round(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

/** For each pixel of a side of `to`: where its sources begin among `from`, and their weights as whole numbers. */
function weightsOf(filter, from, to) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const reach = filter.reach * stretch;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), from);
    const weights = [];
    for (let x = first; x < end; x++) weights.push(filter.weight((x - center + 0.5) / stretch));
    const sum = weights.reduce((a, b) => a + b, 0);
    const whole = weights.map((w) => Math.trunc((w / sum) * 2 ** PRECISION + (w < 0 ? -0.5 : 0.5)));
    return { first, weights: whole };
  });
}

/** Resample lines of `from` pixels to `to`; `step` bytes lie between a line's pixels and `stride` between lines. */
function resampleLines(source, target, filter, from, to, lines, steps) {
  const { step, stride, targetStep, targetStride } = steps;
  const plans = weightsOf(filter, from, to);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < to; i++) {
      const { first, weights } = plans[i];
      const at = line * targetStride + i * targetStep;
      for (let c = 0; c < 3; c++) {
        let sum = 2 ** (PRECISION - 1);
        let place = line * stride + first * step + c;
        for (const weight of weights) {
          sum += source[place] * weight;
          place += step;
        }
        target[at + c] = Math.min(Math.max(Math.floor(sum / 2 ** PRECISION), 0), 255);
      }
      target[at + 3] = 255;
    }
  }
}

function nearest({ data, width, height }, newWidth, newHeight) {
  const places = (from, to) => {
    const step = from / to;
    let at = step * 0.5;
    return Array.from({ length: to }, () => {
      const place = Math.min(Math.trunc(at), from - 1);
      at += step;
      return place;
    });
  };
  const [source, columns] = [new Uint32Array(data.buffer, data.byteOffset, width * height), places(width, newWidth)];
  const target = new Uint32Array(newWidth * newHeight);
  places(height, newHeight).forEach((row, y) => {
    columns.forEach((column, x) => (target[y * newWidth + x] = source[row * width + column]));
  });
  return { data: new Uint8ClampedArray(target.buffer), width: newWidth, height: newHeight };
}

/**
 * A picture of another size, as Pillow's `Image.resize`.
 * @param method  "nearest", "box" or "bicubic"
 */
export function resize(picture, width, height, method) {
  if (width === picture.width && height === picture.height) return picture;
  if (method === "nearest") return nearest(picture, width, height);
  const filter = method === "box" ? BOX : BICUBIC;
  let current = picture;
  if (width !== picture.width) {
    const data = new Uint8ClampedArray(width * picture.height * 4);
    const steps = { step: 4, stride: picture.width * 4, targetStep: 4, targetStride: width * 4 };
    resampleLines(current.data, data, filter, picture.width, width, picture.height, steps);
    current = { data, width, height: picture.height };
  }
  if (height !== current.height) {
    const data = new Uint8ClampedArray(width * height * 4);
    const steps = { step: width * 4, stride: 4, targetStep: width * 4, targetStride: 4 };
    resampleLines(current.data, data, filter, current.height, height, width, steps);
    current = { data, width, height };
  }
  return current;
}

/** A picture on white paper where it is transparent; the canvases of the page never are. */
function opaque({ data, width, height }) {
  if (!data.some((value, i) => i % 4 === 3 && value !== 255)) return { data, width, height };
  const onPaper = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] / 255;
    for (let c = 0; c < 3; c++) onPaper[i + c] = data[i + c] * alpha + 255 * (1 - alpha);
    onPaper[i + 3] = 255;
  }
  return { data: onPaper, width, height };
}

/**
 * A picture in the network's square, or a row of squares, its border colours continued.
 * @returns {values, width, height, box}: `values` Float32Array (3, height, width) in [-1, 1]; box [left, top, width, height]
 */
export function fit(given, side, labels) {
  const picture = opaque(given);
  const [long, short] = [Math.max(picture.width, picture.height), Math.min(picture.width, picture.height)];
  const isLong = long / short > LONG && long / short <= LONGEST;
  const scale = side / (isLong ? short : long);
  const [width, height] = [picture.width, picture.height].map((n) => Math.max(isLong ? side : 1, round(n * scale)));
  const method = labels ? "nearest" : scale < 1 ? "box" : "bicubic";
  const small = resize(picture, width, height, method);
  const up = (n) => (isLong ? Math.ceil(n / side) * side : side);
  const [outer, outerHeight] = [up(width), up(height)];
  const [left, top] = isLong ? [0, 0] : [Math.floor((side - width) / 2), Math.floor((side - height) / 2)];
  const area = outer * outerHeight;
  const values = new Float32Array(3 * area);
  for (let y = 0; y < outerHeight; y++) {
    const row = Math.min(Math.max(y - top, 0), height - 1);
    for (let x = 0; x < outer; x++) {
      const from = (row * width + Math.min(Math.max(x - left, 0), width - 1)) * 4;
      for (let c = 0; c < 3; c++) values[c * area + y * outer + x] = small.data[from + c] / 127.5 - 1;
    }
  }
  return { values, width: outer, height: outerHeight, box: [left, top, width, height] };
}

/**
 * What a network drew, cut back to `box` and of the fitted picture's size.
 * @param drawn  {values, width, height}: (3, height, width) in [-1, 1]
 * @param to     {width, height, box}: the fitted picture's size, and its place as `fit` gives it
 */
export function finish({ values, width, height }, { width: wide, height: high, box }, labels) {
  const [left, top, boxWidth, boxHeight] = box;
  const area = width * height;
  const data = new Uint8ClampedArray(boxWidth * boxHeight * 4); // which rounds a half to the even neighbour, and clips
  for (let y = 0; y < boxHeight; y++) {
    for (let x = 0; x < boxWidth; x++) {
      const [at, from] = [(y * boxWidth + x) * 4, (y + top) * width + x + left];
      for (let c = 0; c < 3; c++) data[at + c] = Math.fround(Math.fround(values[c * area + from] + 1) * 127.5);
      data[at + 3] = 255;
    }
  }
  return resize({ data, width: boxWidth, height: boxHeight }, wide, high, labels ? "nearest" : "bicubic");
}
