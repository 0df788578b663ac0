// Flood fill for antialiased drawings. Two flat colours meet in half-tones, mixtures of both; where one colour is
// replaced, its share in the half-tones is replaced as well, so that no seam of it stays round the filled region.

const TOLERANCE = 24; // channels that differ by no more are one flat colour
const WIDEST_EDGE = 8; // pixels of half-tones that are followed

/** The red, green and blue of `#rrggbb`. */
function channels(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

/** The pixels of one colour that are connected with pixel `start`, and those of other colours that touch them. */
function regionAt({ data, width, height }, start) {
  const seen = new Uint8Array(width * height);
  const [r, g, b] = data.subarray(4 * start);
  const region = [start];
  const rim = [];
  const visit = (i) => {
    if (seen[i]) return;
    seen[i] = 1;
    const alike =
      Math.abs(data[4 * i] - r) <= TOLERANCE &&
      Math.abs(data[4 * i + 1] - g) <= TOLERANCE &&
      Math.abs(data[4 * i + 2] - b) <= TOLERANCE;
    (alike ? region : rim).push(i);
  };
  seen[start] = 1;
  for (let n = 0; n < region.length; n++) {
    const i = region[n];
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < width * (height - 1)) visit(i + width);
  }
  return { region, rim, seen };
}

/** The eight neighbours of a pixel, fewer at the border. */
function neighbours({ width, height }, i) {
  const x = i % width;
  const found = [];
  for (let row = i - width; row <= i + width; row += width) {
    if (row < 0 || row >= width * height) continue;
    if (x > 0) found.push(row - 1);
    if (row !== i) found.push(row);
    if (x < width - 1) found.push(row + 1);
  }
  return found;
}

/** The half-tones between the colour `old` and others. */
class HalfTones {
  constructor(image, old) {
    Object.assign(this, { image, old });
  }

  /** The vector from the old colour to that of pixel i. */
  offset(i) {
    return this.old.map((value, c) => this.image.data[4 * i + c] - value);
  }

  distance(i) {
    return this.offset(i).reduce((sum, value) => sum + value * value, 0);
  }

  /** The pixel with the other colour of the mixture at pixel i: there the way off the old colour ends. */
  other(i) {
    for (let step = 0; step < WIDEST_EDGE; step++) {
      const far = neighbours(this.image, i).reduce((a, b) => (this.distance(b) > this.distance(a) ? b : a), i);
      if (far === i) break;
      i = far;
    }
    return i;
  }

  /** Pixel i with the share of the old colour replaced by `colour`; null if it is no mixture with the old colour. */
  replaced(i, colour) {
    const [own, to] = [this.offset(i), this.offset(this.other(i))];
    const dot = (a, b) => a.reduce((sum, value, c) => sum + value * b[c], 0);
    const share = Math.max(dot(own, to) / dot(to, to), 0);
    const astray = own.some((value, c) => Math.abs(value - share * to[c]) > TOLERANCE);
    if (share > 0.98 || astray) return null;
    return colour.map((value, c) => value * (1 - share) + (this.old[c] + to[c]) * share);
  }
}

/**
 * Fill the region around pixel `start` of an ImageData, and replace the region's colour in the half-tones around it.
 *
 * @param colour  `#rrggbb`
 * @returns       the indices of the changed pixels
 */
function floodFill(image, start, colour) {
  const { data } = image;
  const fill = channels(colour);
  const tones = new HalfTones(image, [...data.subarray(4 * start, 4 * start + 3)]);
  const { region, rim, seen } = regionAt(image, start);
  const changes = []; // made at the end: the half-tones are told by the pixels as they were
  let edge = rim;
  for (let step = 0; step < WIDEST_EDGE && edge.length; step++) {
    const next = [];
    for (const i of edge) {
      const value = tones.replaced(i, fill);
      if (!value) continue;
      changes.push([i, value]);
      for (const j of neighbours(image, i)) if (!seen[j]) next.push(j), (seen[j] = 1);
    }
    edge = next;
  }
  for (const i of region) data.set(fill, 4 * i);
  for (const [i, value] of changes) data.set(value.map(Math.round), 4 * i);
  return region.concat(changes.map(([i]) => i));
}

/** Some pixels of an ImageData as a canvas that is transparent elsewhere, and its place: {canvas, x, y}. */
function cutOut(image, indices) {
  const { width } = image;
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (const i of indices) {
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  const patch = new ImageData(right - left + 1, bottom - top + 1);
  for (const i of indices) {
    const place = (Math.floor(i / width) - top) * patch.width + (i % width) - left;
    patch.data.set(image.data.subarray(4 * i, 4 * i + 4), 4 * place);
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: patch.width, height: patch.height });
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(patch, 0, 0);
  return { canvas, x: left, y: top };
}
