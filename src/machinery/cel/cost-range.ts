// Least and most of a size or cost. The most may be more than can ever be: 2^64 stands for everything above it.

const MOST = 2 ** 64;

export class Range {
  readonly min: number;
  readonly max: number;

  constructor(min: number, max: number) {
    this.min = Math.min(min, MOST);
    this.max = Math.min(max, MOST);
  }

  add({ min, max }: Range): Range {
    return new Range(this.min + min, this.max + max);
  }

  multiply({ min, max }: Range): Range {
    return new Range(this.min * min, this.max * max);
  }

  /** Times a factor, rounded up. */
  scale(factor: number): Range {
    return new Range(Math.ceil(this.min * factor), Math.ceil(this.max * factor));
  }

  union({ min, max }: Range): Range {
    return new Range(Math.min(this.min, min), Math.max(this.max, max));
  }
}

export const UNKNOWN = new Range(0, MOST);
export const FIXED_ONE = new Range(1, 1);
