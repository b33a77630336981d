// Writing protobuf's wire format.

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_PREFIXED = 2;

const encoder = new TextEncoder();

/** Writes from the end to the front, so that the length of a part is known when it is to be written. */
export class Writer {
  #bytes = new Uint8Array(1024);
  #at = 1024;

  /** How many bytes are written. */
  get size(): number {
    return this.#bytes.length - this.#at;
  }

  #make(room: number): void {
    if (this.#at >= room) return;
    const size = this.size;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, size + room));
    grown.set(this.#bytes.subarray(this.#at), grown.length - size);
    this.#bytes = grown;
    this.#at = grown.length - size;
  }

  raw(bytes: Uint8Array): void {
    this.#make(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }

  #varint(value: number): void {
    this.#make(10);
    const groups: number[] = [];
    let rest = value;
    do {
      groups.push(rest % 128);
      rest = Math.floor(rest / 128);
    } while (rest > 0);
    groups.forEach((group, index) => (groups[index] = index < groups.length - 1 ? group | 0x80 : group));
    this.#at -= groups.length;
    this.#bytes.set(groups, this.#at);
  }

  #negative(value: number): void {
    this.#make(10);
    let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
    const groups: number[] = [];
    for (let i = 0; i < 10; i++) {
      groups.push(Number(rest & 0x7fn) | (i < 9 ? 0x80 : 0));
      rest >>= 7n;
    }
    this.#at -= 10;
    this.#bytes.set(groups, this.#at);
  }

  #tag(number: number, wire: number): void {
    this.#varint(number * 8 + wire);
  }

  /** An int32, int64 or bool. LIMIT: exact up to 2^53, like every number of JSON here. */
  integer(number: number, value: number): void {
    if (value < 0) this.#negative(value);
    else this.#varint(value);
    this.#tag(number, VARINT);
  }

  double(number: number, value: number): void {
    this.#make(8);
    this.#at -= 8;
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value, true);
    this.#tag(number, FIXED64);
  }

  bytes(number: number, value: Uint8Array): void {
    this.raw(value);
    this.#varint(value.length);
    this.#tag(number, LENGTH_PREFIXED);
  }

  string(number: number, value: string): void {
    this.bytes(number, encoder.encode(value));
  }

  /** A message that `write` writes, its last field first. */
  part(number: number, write: () => void): void {
    const before = this.size;
    write();
    this.#varint(this.size - before);
    this.#tag(number, LENGTH_PREFIXED);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(this.#at);
  }
}
