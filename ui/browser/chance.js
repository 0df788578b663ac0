// Chance as torch draws it on a CPU, so that a seed gives here the picture that it gives on the server: the Mersenne
// Twister MT19937 (Matsumoto and Nishimura, 1998), torch's uniform numbers and its normal ones (Box and Muller, 1958).

const SIZE = 624;
const SHIFT = 397;
const CHUNK = 16; // from so many numbers on, torch draws normal ones in chunks of as many

export class Generator {
  /** @param seed  a whole number below 2^32, as `torch.Generator().manual_seed` takes it */
  constructor(seed) {
    this.state = new Uint32Array(SIZE);
    this.state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const before = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, before) + i;
    }
    this.next = SIZE;
  }

  twist() {
    const { state } = this;
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  /** A whole number of 32 bits. */
  whole() {
    if (this.next >= SIZE) this.twist();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A float32 in [0, 1), as `torch.rand` draws it. */
  uniform() {
    return (this.whole() & 0xffffff) / 2 ** 24;
  }

  /** A float64 in [0, 1). */
  fine() {
    const high = this.whole();
    const low = this.whole();
    return ((high & 0x1fffff) * 2 ** 32 + low) / 2 ** 53;
  }

  /** `count` numbers from N(0, 1), as `torch.randn` draws them. */
  normal(count) {
    return count < CHUNK ? this.fewNormal(count) : this.manyNormal(count);
  }

  fewNormal(count) {
    const drawn = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const angle = 2 * Math.PI * this.fine();
      const radius = Math.sqrt(-2 * Math.log1p(-this.fine()));
      drawn[i] = radius * Math.cos(angle);
      if (i + 1 < count) drawn[i + 1] = radius * Math.sin(angle);
    }
    return drawn;
  }

  manyNormal(count) {
    const drawn = new Float32Array(count);
    for (let i = 0; i < count; i++) drawn[i] = this.uniform();
    for (let i = 0; i + CHUNK <= count; i += CHUNK) toNormal(drawn.subarray(i, i + CHUNK));
    if (count % CHUNK) {
      const last = drawn.subarray(count - CHUNK); // drawn once more, those of the chunk before included
      for (let i = 0; i < CHUNK; i++) last[i] = this.uniform();
      toNormal(last);
    }
    return drawn;
  }
}

/** A chunk of uniform numbers to normal ones, in place: each pair lies half a chunk apart. */
function toNormal(chunk) {
  const half = CHUNK / 2;
  for (let i = 0; i < half; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - chunk[i]));
    const angle = 2 * Math.PI * chunk[i + half];
    chunk[i] = radius * Math.cos(angle);
    chunk[i + half] = radius * Math.sin(angle);
  }
}
