// Reading protobuf's wire format.
import { badRequest } from '../status-error.ts';

/** One field as it is on the wire: a number for varints and fixed widths, bytes for everything with a length. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
  /** `fixed64` and `fixed32` hold raw bits. */
  readonly wire: 'varint' | 'bytes' | 'fixed64' | 'fixed32';
}

function truncated(): Error {
  return badRequest('the protobuf body ends in the middle of a field');
}

export function* readFields(bytes: Uint8Array): Generator<WireField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    // LIMIT: ten bytes hold 64 bits.
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw truncated();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw badRequest('the protobuf body holds a number that is too long');
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const kind = Number(tag & 7n);
    if (kind === 0) {
      yield { number, wire: 'varint', value: varint() };
    } else if (kind === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw truncated();
      yield { number, wire: 'bytes', value: bytes.subarray(at, at + length) };
      at += length;
    } else if (kind === 1 || kind === 5) {
      const size = kind === 1 ? 8 : 4;
      if (at + size > bytes.length) throw truncated();
      const value = kind === 1 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
      yield { number, wire: kind === 1 ? 'fixed64' : 'fixed32', value };
      at += size;
    } else {
      throw badRequest(`the protobuf body uses wire type ${kind}, which Kubernetes does not`);
    }
  }
}
