// A binary heap whose members know their place, so that one can be moved or taken out in logarithmic time:
// what queues need to re-prioritise a key without leaving a stale copy behind.

export interface HeapMember {
  /** Kept by the heap; -1 while outside. */
  heapIndex: number;
}

export class Heap<T extends HeapMember> {
  private readonly members: T[] = [];
  private readonly before: (a: T, b: T) => boolean;

  /** @param before whether `a` comes out before `b`; a strict order, so that equal keys cannot reorder runs */
  constructor(before: (a: T, b: T) => boolean) {
    this.before = before;
  }

  get size(): number {
    return this.members.length;
  }

  peek(): T | undefined {
    return this.members[0];
  }

  push(member: T): void {
    member.heapIndex = this.members.length;
    this.members.push(member);
    this.up(member.heapIndex);
  }

  pop(): T | undefined {
    const first = this.members[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Puts a member right whose rank has changed. */
  update(member: T): void {
    this.up(member.heapIndex);
    this.down(member.heapIndex);
  }

  remove(member: T): void {
    const index = member.heapIndex;
    const last = this.members.pop()!;
    member.heapIndex = -1;
    if (last === member) return;
    this.place(last, index);
    this.update(last);
  }

  clear(): void {
    for (const member of this.members) member.heapIndex = -1;
    this.members.length = 0;
  }

  private place(member: T, index: number): void {
    this.members[index] = member;
    member.heapIndex = index;
  }

  private up(start: number): void {
    const member = this.members[start]!;
    let index = start;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.members[parentIndex]!;
      if (!this.before(member, parent)) break;
      this.place(parent, index);
      index = parentIndex;
    }
    this.place(member, index);
  }

  private down(start: number): void {
    const member = this.members[start]!;
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= this.members.length) break;
      const right = this.members[childIndex + 1];
      if (right !== undefined && this.before(right, this.members[childIndex]!)) childIndex++;
      const child = this.members[childIndex]!;
      if (!this.before(child, member)) break;
      this.place(child, index);
      index = childIndex;
    }
    this.place(member, index);
  }
}
