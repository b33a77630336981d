// Warning headers (RFC 7234) as kube-apiserver writes them: what an answer tells beside its body, also when it is a
// refusal.

// LIMIT: so many characters of warnings are sent whole; of more, each is cut, and what is still too much left out.
const WHOLE_CHARACTERS = 4 * 1024;
const CUT_CHARACTERS = 256;

/** `299 - "text"` for each message, in order. COMPAT: a message with control characters is not sent at all. */
export function warningHeaders(messages: Iterable<string>): readonly string[] {
  const texts = [...messages].filter((text) => text !== '' && !/\p{Cc}/u.test(text));
  const total = texts.reduce((sum, text) => sum + lengthOf(text), 0);
  if (total <= WHOLE_CHARACTERS) return texts.map(header);
  const headers: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= WHOLE_CHARACTERS) break;
    const cut = lengthOf(text) > CUT_CHARACTERS ? Array.from(text).slice(0, CUT_CHARACTERS).join('') : text;
    written += lengthOf(cut);
    headers.push(header(cut));
  }
  return headers;
}

function lengthOf(text: string): number {
  return text.length <= CUT_CHARACTERS ? text.length : Array.from(text).length;
}

function header(text: string): string {
  return `299 - "${text.replaceAll(/[\\"]/g, String.raw`\$&`)}"`;
}
