// Reads something from the control plane that is no object, whole, however long it takes.
import { withSession, type HubFlags } from './objects/index.ts';
import { readStream } from './streams/wire.ts';

export async function download(flags: HubFlags, path: string): Promise<Buffer> {
  return withSession(flags, async ({ settings }) => {
    const chunks: Buffer[] = [];
    await readStream(settings, path, [], (chunk) => chunks.push(chunk));
    return Buffer.concat(chunks);
  });
}
