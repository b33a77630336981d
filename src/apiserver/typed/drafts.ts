// Changing decoded objects before anybody else sees them. Just decoded ones are open and are changed in place;
// parts that came frozen (a caller in the process handed over what a store or cache gave it) are copied first.

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** The value itself where it may be changed, else a copy. */
export function open<T extends object>(value: T): Open<T> {
  return Object.isFrozen(value) ? { ...value } : value;
}

/** Sets the fields that are not there yet. */
export function fill<T extends object>(value: T, defaults: Partial<T>): T {
  let result: Open<T> | undefined;
  for (const key in defaults) {
    if (value[key] !== undefined) continue;
    result ??= open(value);
    result[key] = defaults[key] as Open<T>[typeof key];
  }
  return result ?? value;
}

/** Sets one field; undefined removes it. */
export function put<T extends object, K extends keyof T>(value: T, key: K, child: T[K] | undefined): T {
  if (value[key] === child) return value;
  const result = open(value);
  if (child === undefined) delete result[key];
  else result[key] = child;
  return result;
}

/** Changes one field where it is there. */
export function change<T extends object, K extends keyof T>(
  value: T,
  key: K,
  how: (child: NonNullable<T[K]>) => T[K],
): T {
  const child = value[key];
  return child === undefined || child === null ? value : put(value, key, how(child));
}

/** Changes each item; the same list when none changes. */
export function each<T>(list: readonly T[], how: (item: T, index: number) => T): readonly T[] {
  let result: T[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const next = how(list[i]!, i);
    if (next === list[i]) continue;
    result ??= Object.isFrozen(list) ? [...list] : (list as T[]);
    result[i] = next;
  }
  return result ?? list;
}
