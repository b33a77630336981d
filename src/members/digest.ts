// Identifiers that look random and depend on their seed alone: of containers, images and machines.
import { fnv1a32 } from '../machinery/index.ts';

/** 64 hexadecimal digits. No security in them. */
export function digest(seed: string): string {
  let text = '';
  for (let i = 0; i < 8; i++) text += fnv1a32(`${i}/${seed}`).toString(16).padStart(8, '0');
  return text;
}
