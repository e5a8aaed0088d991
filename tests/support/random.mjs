// Seeded randomness, so that a failing run can be had again: the seed is printed and may be given as WEIR_TEST_SEED.
export class Random {
  constructor(seed = Number(process.env.WEIR_TEST_SEED ?? Date.now() % 2 ** 31)) {
    this.seed = seed;
    this.state = seed >>> 0;
  }

  // 0 … 1, by mulberry32.
  next() {
    this.state = (this.state + 0x6D2B79F5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) { return low + Math.floor(this.next() * (high - low)); }
}
