// Sorting short lists of texts, in place: the built-in sort copies a list twice, and every write sorts dozens of them.

// Beyond so many, moving one place at a time costs more than copying.
const SHORT = 16;

/** In the order of UTF-16 code units, as the built-in sort. Returns the same list. */
export function sortTexts(texts: string[]): string[] {
  if (texts.length > SHORT) return texts.sort();
  for (let i = 1; i < texts.length; i++) {
    const text = texts[i]!;
    let at = i;
    while (at > 0 && texts[at - 1]! > text) {
      texts[at] = texts[at - 1]!;
      at--;
    }
    texts[at] = text;
  }
  return texts;
}
