// A short text for all that a world stored, in which order and when: how one sees that a replay is one.
import type { MirroredChange } from './mirror.ts';
import type { World } from './world.ts';

export class Digest {
  private readonly world: World;
  private a = 0x811c9dc5;
  private b = 0x9747b28c;

  constructor(world: World) {
    this.world = world;
    world.observe({
      hubChanged: (change) => this.take('hub', change),
      memberChanged: (member, change) => this.take(member, change),
    });
  }

  get text(): string {
    return [this.a, this.b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private take(where: string, { resource, before, after }: MirroredChange): void {
    const { metadata } = (after ?? before)!;
    this.mix(
      `${this.world.clock.now()} ${where} ${resource} ${metadata.namespace ?? ''}/${metadata.name} ${metadata.uid} ${after?.metadata.resourceVersion ?? 'gone'}`,
    );
  }

  /** Twice FNV-1a, from different starts. */
  private mix(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.a = Math.imul(this.a ^ code, 0x01000193);
      this.b = Math.imul(this.b ^ code ^ (this.a >>> 13), 0x01000193);
    }
  }
}
