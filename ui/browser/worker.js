// Runs networks with ONNX Runtime Web, off the page's own thread. It is told one thing after the other by network.js:
// {id, name, args} → {id, value} or {id, error}. Codes of pictures stay here and are known by a number.

import { Generator } from "./chance.js";
import { finish, fit } from "./fitting.js";

let ort = null;
let backend = null;
const sessions = new Map(); // by the address of their file
const codes = new Map(); // number → {tensor, width, height, box}: the network's codes of a picture and where it lay
let count = 0;

/** A real WebGPU adapter, or whatever there is if one is asked for by name: a processor that plays one is slower than WASM. */
async function hasWebGpu(asked) {
  if (asked === "wasm" || !navigator.gpu) return false;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return false;
  return asked === "webgpu" || !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}

/** Tell the page when the graphics processor goes: whatever was asked of it will not come. */
async function watchDevice() {
  const device = await ort.env.webgpu.device;
  if (!device || device === watchDevice.device) return;
  watchDevice.device = device;
  device.lost.then(() => postMessage({ lost: true }));
}

function keep(value) {
  codes.set(++count, value);
  return count;
}

function tensor(values, shape) {
  return new ort.Tensor("float32", values, shape);
}

/** What a session makes of its inputs: its only output. */
async function run(url, feeds) {
  const outputs = await sessions.get(url).run(feeds);
  return Object.values(outputs)[0];
}

/** What a pix2pix multiplies by where it drops features: 1 for no chance, else 2 or nothing, as torch draws it. */
function kept(dropout, shape, seed) {
  const generator = seed === null ? null : new Generator(seed);
  const feeds = {};
  for (const { input, channels, divisor } of dropout) {
    const [n, , height, width] = shape;
    const values = new Float32Array(n * channels * (height / divisor) * (width / divisor)).fill(1);
    if (generator) for (let i = 0; i < values.length; i++) values[i] = generator.uniform() >= 0.5 ? 2 : 0;
    feeds[input] = tensor(values, [n, channels, height / divisor, width / divisor]);
  }
  return feeds;
}

/** The decoder's inputs: codes, and whatever else the network has, chance already drawn. */
function decoderInputs({ tensor: found }, { chance, dim, dropout, style, seed, temperature }) {
  const feeds = { codes: found, ...kept(dropout, found.dims, seed) };
  if (chance === "latent" && seed !== null) {
    const noise = new Generator(seed).normal(found.data.length);
    feeds.codes = tensor(found.data.map((value, i) => value + temperature * noise[i]), found.dims);
  }
  if (!dim) return feeds;
  let chosen = style;
  if (!chosen && seed !== null) chosen = new Generator(seed).normal(dim).map((value) => value * temperature);
  feeds.style = tensor(Float32Array.from(chosen ?? new Float32Array(dim)), [1, dim]);
  return feeds;
}

const works = {
  /** Start the runtime; the backend that it has. */
  async start({ module, wasm, threads, wanted }) {
    backend = (await hasWebGpu(wanted)) ? "webgpu" : "wasm";
    if (wanted === "webgpu" && backend !== wanted) throw new Error("no WebGPU");
    ort = await import(module);
    ort.env.logLevel = "error";
    Object.assign(ort.env.wasm, { wasmBinary: wasm, numThreads: threads, proxy: false });
    return backend;
  },

  /** Make a session of a graph, a file's bytes, under its address. */
  async open({ url, graph }) {
    if (sessions.has(url)) return;
    sessions.set(url, await ort.InferenceSession.create(graph, { executionProviders: [backend] }));
    if (backend === "webgpu") await watchDevice();
  },

  async close({ urls }) {
    for (const url of urls) {
      const session = sessions.get(url);
      sessions.delete(url);
      await session?.release();
    }
  },

  /** The codes of a picture; without an encoder, the picture as the network sees it. */
  async encode({ picture, side, labels, encoder }) {
    const { values, width, height, box } = fit(picture, side, labels);
    const image = tensor(values, [1, 3, height, width]);
    const found = encoder ? await run(encoder, { image }) : image;
    return keep({ tensor: found, width: picture.width, height: picture.height, box });
  },

  async decode({ number, decoder, labels, ...more }) {
    const found = codes.get(number);
    const drawn = await run(decoder, decoderInputs(found, more));
    const [, , height, width] = drawn.dims;
    const values = await drawn.getData();
    const picture = finish({ values, width, height }, found, labels);
    drawn.dispose();
    return picture;
  },

  /** (1 - share) of the first codes and share of the second, laid out as the first picture. */
  async mix({ first, second, share }) {
    const [a, b] = [codes.get(first), codes.get(second)];
    const values = a.tensor.data.map((value, i) => value + share * (b.tensor.data[i] - value));
    return keep({ ...a, tensor: tensor(values, a.tensor.dims) });
  },

  async style({ picture, side, labels, encoder }) {
    const { values, width, height } = fit(picture, side, labels);
    const found = await run(encoder, { image: tensor(values, [1, 3, height, width]) });
    return [...(await found.getData())];
  },

  async forget({ numbers }) {
    for (const number of numbers) codes.delete(number);
  },
};

addEventListener("message", async ({ data: { id, name, args } }) => {
  try {
    const value = await works[name](args);
    postMessage({ id, value }, value?.data?.buffer ? [value.data.buffer] : []);
  } catch (error) {
    postMessage({ id, error: String(error?.message ?? error) });
  }
});
