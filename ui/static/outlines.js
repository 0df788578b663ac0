// Outlines of a visitor's photo, as `i2i_models/images/outlines.py` makes them for the server with OpenCV: the same filters
// with the same borders, thresholds and roundings.
// A picture is {data, width, height}: RGBA bytes, as in ImageData.

import { resize } from "./fitting.js";

const WORKING_SIZE = 256; // the longer side, in pixels, at which edges are sought
const SMALLEST_STROKE = 18; // edges of fewer pixels are specks and dropped
const [REACH, SIGMA_COLOUR, SIGMA_SPACE] = [3, 40, 5]; // of the bilateral filter
const [WEAK, STRONG] = [30, 80]; // gradients, of which an edge has one strong one and else weak ones
const TAN_22 = 13573; // the tangent of 22.5°, times 2¹⁵

/** Where a coordinate outside of 0 … size - 1 reads, reflected without the border itself. */
function reflected(at, size) {
  if (size === 1) return 0;
  while (at < 0 || at >= size) at = at < 0 ? -at : 2 * size - 2 - at;
  return at;
}

/** Colour regions flattened, edges kept: `cv2.bilateralFilter(picture, 7, 40, 5)`. */
function flattened({ data, width, height }) {
  const nearness = Float32Array.from({ length: 3 * 256 }, (_, i) => Math.exp((-0.5 * i * i) / SIGMA_COLOUR ** 2));
  const around = [];
  for (let y = -REACH; y <= REACH; y++) {
    for (let x = -REACH; x <= REACH; x++) {
      const square = x * x + y * y;
      if (square <= REACH ** 2) around.push([x, y, Math.fround(Math.exp((-0.5 * square) / SIGMA_SPACE ** 2))]);
    }
  }
  const outer = width + 2 * REACH;
  const framed = new Uint8Array(outer * (height + 2 * REACH) * 3);
  for (let y = 0; y < height + 2 * REACH; y++) {
    for (let x = 0; x < outer; x++) {
      const from = (reflected(y - REACH, height) * width + reflected(x - REACH, width)) * 4;
      for (let c = 0; c < 3; c++) framed[(y * outer + x) * 3 + c] = data[from + c];
    }
  }
  const steps = around.map(([x, y]) => (y * outer + x) * 3);
  const weights = around.map(([, , weight]) => weight);
  const result = new Uint8ClampedArray(data.length).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = ((y + REACH) * outer + x + REACH) * 3;
      const r = framed[at];
      const g = framed[at + 1];
      const b = framed[at + 2];
      let red = 0;
      let green = 0;
      let blue = 0;
      let sum = 0;
      for (let i = 0; i < steps.length; i++) {
        const from = at + steps[i];
        const away = Math.abs(framed[from] - r) + Math.abs(framed[from + 1] - g) + Math.abs(framed[from + 2] - b);
        const weight = weights[i] * nearness[away];
        red += framed[from] * weight;
        green += framed[from + 1] * weight;
        blue += framed[from + 2] * weight;
        sum += weight;
      }
      const to = (y * width + x) * 4;
      result[to] = red / sum;
      result[to + 1] = green / sum;
      result[to + 2] = blue / sum;
    }
  }
  return { data: result, width, height };
}

const GAMMA = Uint16Array.from({ length: 256 }, (_, i) => {
  const value = i / 255;
  return Math.round(2040 * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
});
const CUBE_ROOT = Uint16Array.from({ length: 3072 }, (_, i) => {
  const value = i / 2040;
  return Math.round(2 ** 15 * (value < 216 / 24389 ? (value * 841) / 108 + 16 / 116 : Math.cbrt(value)));
});
const XYZ = [
  [0.412453, 0.35758, 0.180423].map((part) => Math.round((4096 * part) / 0.950456)),
  [0.212671, 0.71516, 0.072169].map((part) => Math.round(4096 * part)),
  [0.019334, 0.119193, 0.950227].map((part) => Math.round((4096 * part) / 1.088754)),
];

/** Lightness and both colour channels, bytes, in OpenCV's whole numbers: `cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)`. */
function lab({ data, width, height }) {
  const channels = Array.from({ length: 3 }, () => new Uint8ClampedArray(width * height));
  for (let i = 0; i < width * height; i++) {
    const r = GAMMA[data[i * 4]];
    const g = GAMMA[data[i * 4 + 1]];
    const b = GAMMA[data[i * 4 + 2]];
    const x = CUBE_ROOT[(XYZ[0][0] * r + XYZ[0][1] * g + XYZ[0][2] * b + 2048) >> 12];
    const y = CUBE_ROOT[(XYZ[1][0] * r + XYZ[1][1] * g + XYZ[1][2] * b + 2048) >> 12];
    const z = CUBE_ROOT[(XYZ[2][0] * r + XYZ[2][1] * g + XYZ[2][2] * b + 2048) >> 12];
    channels[0][i] = (296 * y - 1336934 + 16384) >> 15;
    channels[1][i] = (500 * (x - y) + (128 << 15) + 16384) >> 15;
    channels[2][i] = (200 * (y - z) + (128 << 15) + 16384) >> 15;
  }
  return channels;
}

/** Mark the edges of a channel, bytes: `cv2.Canny(channel, 30, 80)`. */
function markEdges(channel, width, height, edges) {
  const outer = width + 2;
  const inside = (value, size) => Math.min(Math.max(value, 0), size - 1);
  const [across, down] = [new Int32Array(outer * (height + 2)), new Int32Array(outer * (height + 2))];
  const size = new Int32Array(outer * (height + 2)); // 0 in the frame
  for (let y = 0; y < height; y++) {
    const above = inside(y - 1, height) * width;
    const here = y * width;
    const below = inside(y + 1, height) * width;
    for (let x = 0; x < width; x++) {
      const left = inside(x - 1, width);
      const right = inside(x + 1, width);
      const falling = channel[below + right] - channel[above + left];
      const rising = channel[above + right] - channel[below + left];
      const at = (y + 1) * outer + x + 1;
      across[at] = falling + rising + 2 * (channel[here + right] - channel[here + left]);
      down[at] = falling - rising + 2 * (channel[below + x] - channel[above + x]);
      size[at] = Math.abs(across[at]) + Math.abs(down[at]);
    }
  }
  /** Whether the gradient is largest here along its own direction. */
  const isRidge = (at) => {
    const [x, y] = [Math.abs(across[at]), Math.abs(down[at]) * 2 ** 15];
    if (y < x * TAN_22) return size[at] > size[at - 1] && size[at] >= size[at + 1];
    if (y > x * (TAN_22 + 2 ** 16)) return size[at] > size[at - outer] && size[at] >= size[at + outer];
    const side = across[at] < 0 === down[at] < 0 ? 1 : -1;
    return size[at] > size[at - outer - side] && size[at] > size[at + outer + side];
  };
  const weak = new Uint8Array(size.length);
  const found = [];
  for (let y = 1; y <= height; y++) {
    for (let at = y * outer + 1; at <= y * outer + width; at++) {
      if (size[at] <= WEAK || !isRidge(at)) continue;
      weak[at] = 1;
      if (size[at] > STRONG) found.push(at);
    }
  }
  spread(found, weak, outer).forEach((at) => (edges[(Math.floor(at / outer) - 1) * width + (at % outer) - 1] = 1));
}

/** All places that hang together with the given ones, taken out of the marked ones; `outer` places lie in a row. */
function spread(places, marked, outer) {
  for (const at of places) marked[at] = 0;
  for (let next = 0; next < places.length; next++) {
    for (const row of [-outer, 0, outer]) {
      for (const step of [-1, 0, 1]) {
        const at = places[next] + row + step;
        if (!marked[at]) continue;
        marked[at] = 0;
        places.push(at);
      }
    }
  }
  return places;
}

/** The strokes that edges of a width and height are drawn with, as a picture black on white; without specks. */
function strokes(edges, width, height) {
  const outer = width + 2;
  const marked = new Uint8Array(outer * (height + 2));
  for (let y = 0; y < height; y++) marked.set(edges.subarray(y * width, (y + 1) * width), (y + 1) * outer + 1);
  const drawn = new Uint8Array(marked.length);
  marked.forEach((isMarked, at) => {
    if (!isMarked || !marked[at]) return; // of a stroke that was followed already
    const stroke = spread([at], marked, outer);
    if (stroke.length < SMALLEST_STROKE) return;
    for (const place of stroke) for (const step of [0, -1, 1, -outer, outer]) drawn[place + step] = 1;
  });
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    if (drawn[(Math.floor(i / width) + 1) * outer + (i % width) + 1]) data.fill(0, i * 4, i * 4 + 3);
  }
  return { data, width, height };
}

/** A picture's outline, black strokes on white, in the picture's own size. */
export function outline(picture) {
  const scale = WORKING_SIZE / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  const edges = new Uint8Array(width * height);
  for (const channel of lab(flattened(resize(picture, width, height, "bicubic")))) markEdges(channel, width, height, edges);
  return resize(strokes(edges, width, height), picture.width, picture.height, scale > 1 ? "box" : "bicubic");
}

/** Whether a picture already is a line drawing: mostly white, and nothing in colour. */
export function looksDrawn(picture) {
  const { data } = resize(picture, 64, 64, "box");
  let [white, saturation] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    if (0.299 * r + 0.587 * g + 0.114 * b >= 199.5) white++;
    const most = Math.max(r, g, b);
    if (most) saturation += (255 * (most - Math.min(r, g, b))) / most;
  }
  return white / 64 ** 2 > 0.6 && saturation / 64 ** 2 <= 12;
}

/** A drawing of light lines on a dark sheet, inverted; any other picture as it is. */
export function darkOnLight(picture) {
  const { data, width, height } = picture;
  const inverted = { data: data.map((value, i) => (i % 4 === 3 ? value : 255 - value)), width, height };
  return looksDrawn(inverted) ? inverted : picture;
}
