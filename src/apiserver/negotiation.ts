// Which representation of an answer a client asks for with its Accept header.
import { StatusError } from '../machinery/index.ts';

export type Format = 'json' | 'yaml' | 'protobuf';

export interface Representation {
  readonly format: Format;
  /** The object itself, a table of it, or only its metadata, of one or of a list. */
  readonly as: 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Of meta.k8s.io, for tables and metadata. */
  readonly metaVersion: 'v1' | 'v1beta1';
  /** The aggregated form of discovery, which only discovery offers. */
  readonly discovery?: 'v2' | 'v2beta1';
  readonly pretty: boolean;
}

export const JSON_OBJECT: Representation = { format: 'json', as: 'object', metaVersion: 'v1', pretty: false };

interface Clause {
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
  readonly quality: number;
}

function parseAccept(header: string): Clause[] {
  const clauses = header.split(',').map((part): Clause => {
    const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
    const params = new Map(
      rest.map((piece) => {
        const equals = piece.indexOf('=');
        return equals < 0 ? [piece, ''] : [piece.slice(0, equals).trim(), piece.slice(equals + 1).trim()];
      }),
    );
    const quality = Number(params.get('q') ?? '1');
    params.delete('q');
    return { type: type.toLowerCase(), params, quality: Number.isNaN(quality) ? 0 : quality };
  });
  return clauses.sort((a, b) => b.quality - a.quality);
}

const FORMAT_OF_TYPE: Readonly<Record<string, Format>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
  'application/*': 'json',
  '*/*': 'json',
};

export interface Offer {
  readonly formats: readonly Format[];
  /** Whether tables and metadata can be had. */
  readonly transforms: boolean;
  /** Whether the answer is aggregated discovery. */
  readonly discovery?: boolean;
  /** Whether the answer may be a watch. */
  readonly streams?: boolean;
  /** Whether the answer is one of custom resources, which no router stands before. */
  readonly custom?: boolean;
}

const MEDIA_TYPE_OF_FORMAT: Readonly<Record<Format, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};

const ALL_TYPES = Object.values(MEDIA_TYPE_OF_FORMAT);
const STREAM_TYPES = [MEDIA_TYPE_OF_FORMAT.json, MEDIA_TYPE_OF_FORMAT.protobuf].map(
  (type) => `${type};stream=watch`,
);

/** Throws a 406 StatusError when nothing fits. */
export function negotiate(accept: string | undefined, pretty: boolean, offer: Offer): Representation {
  if (accept === undefined || accept === '') return pretty ? { ...JSON_OBJECT, pretty } : JSON_OBJECT;
  const clauses = parseAccept(accept);
  for (const clause of clauses) {
    const format = FORMAT_OF_TYPE[clause.type];
    if (format === undefined || !offer.formats.includes(format)) continue;
    const representation = transformOf(clause, format, offer);
    if (representation !== undefined) {
      return pretty || clause.params.get('pretty') === '1'
        ? { ...representation, pretty: true }
        : representation;
    }
  }
  // COMPAT: the router looks at types alone, and tells of what it would take in its own way.
  const known = clauses.some(({ type }) => FORMAT_OF_TYPE[type] !== undefined);
  throw known || offer.custom === true ? notAccepted(ALL_TYPES) : unrouted(offer.streams === true);
}

function transformOf(clause: Clause, format: Format, offer: Offer): Representation | undefined {
  const { params } = clause;
  const stream = params.get('stream') ?? '';
  if (stream !== '' && (stream !== 'watch' || format === 'yaml')) return undefined;
  const serverVersion = params.get('sv') ?? '';
  if (serverVersion !== '' && serverVersion !== 'v1') return undefined;
  const as = params.get('as');
  if (as === undefined) return params.has('g') || params.has('v') ? undefined : { ...JSON_OBJECT, format };
  const group = params.get('g') ?? '';
  const version = params.get('v') ?? '';
  if (as === 'APIGroupDiscoveryList') {
    if (offer.discovery !== true || group !== 'apidiscovery.k8s.io' || format !== 'json') return undefined;
    if (version !== 'v2' && version !== 'v2beta1') return undefined;
    return { ...JSON_OBJECT, format, discovery: version };
  }
  if (!offer.transforms || group !== 'meta.k8s.io') return undefined;
  if (version !== 'v1' && version !== 'v1beta1') return undefined;
  // LIMIT: tables and metadata alone are not sent as protobuf; who asks for them always takes JSON too.
  if (format === 'protobuf') return undefined;
  if (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
    return { format, as, metaVersion: version, pretty: false };
  }
  return undefined;
}

export function notAccepted(types: readonly string[]): StatusError {
  const message = `only the following media types are accepted: ${types.join(', ')}`;
  return new StatusError(406, 'NotAcceptable', message);
}

export function noYamlWatch(): StatusError {
  return notAccepted(STREAM_TYPES);
}

function unrouted(streams: boolean): StatusError {
  const types = streams ? [...ALL_TYPES, ...STREAM_TYPES] : ALL_TYPES;
  const message = `406: Not Acceptable\n\nAvailable representations: ${types.join(', ')}`;
  return new StatusError(406, 'NotAcceptable', message, {});
}
