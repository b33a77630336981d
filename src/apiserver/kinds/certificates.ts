// certificates.k8s.io: signing requests, their approval and their certificate.
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestSpec,
  KubeObject,
} from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { fieldError, nameIsPathSegment, semanticEqual, type FieldError } from '../../machinery/index.ts';
import type { Subresource, WriteContext } from '../resource.ts';
import { change, each, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { immutable } from './checks.ts';
import * as printers from '../table/printers.ts';

type Conditions = readonly CertificateSigningRequestCondition[];

const specOf = (object: KubeObject): CertificateSigningRequestSpec =>
  (object as unknown as CertificateSigningRequest).spec;
const statusOf = (object: KubeObject): NonNullable<CertificateSigningRequest['status']> =>
  (object as unknown as CertificateSigningRequest).status ?? {};

/** COMPAT: who asks is what the server knows of the caller, never what the body says. */
function withRequester(object: KubeObject, { user }: WriteContext): KubeObject {
  const { username: _u, uid: _i, groups: _g, extra: _e, ...rest } = specOf(object);
  const spec = {
    ...rest,
    username: user.name,
    ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
  return Object.freeze({ ...object, spec: Object.freeze(spec), status: Object.freeze({}) });
}

const PEM =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]*?)-----END (?:NEW )?CERTIFICATE REQUEST-----/;

/** Why these bytes are no PKCS#10 request in PEM; undefined when they are. */
function requestProblem(base64: string): string | undefined {
  const match = PEM.exec(Buffer.from(base64, 'base64').toString('latin1'));
  if (match === null) return 'PEM block type must be CERTIFICATE REQUEST';
  const der = Buffer.from(match[1]!.replaceAll(/\s/g, ''), 'base64');
  return isCertificationRequest(der) ? undefined : 'asn1: structure error: malformed certificate request';
}

/** Tag and content of the DER element at `from`, and where the next one starts; undefined: there is none. */
function derElement(
  der: Uint8Array,
  from: number,
  end: number,
): { readonly tag: number; readonly start: number; readonly end: number } | undefined {
  const [tag, first] = [der[from], der[from + 1]];
  if (tag === undefined || first === undefined || from + 2 > end) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) return undefined;
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (der[from + 2 + i] ?? 0);
  const start = from + 2 + lengthBytes;
  return start + length > end ? undefined : { tag, start, end: start + length };
}

function derTags(der: Uint8Array, from: number, end: number): number[] | undefined {
  const tags: number[] = [];
  for (let at = from; at < end;) {
    const element = derElement(der, at, end);
    if (element === undefined) return undefined;
    tags.push(element.tag);
    at = element.end;
  }
  return tags;
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;

/** Whether the bytes have the shape of PKCS#10: information, algorithm, signature. Who signs checks the rest. */
function isCertificationRequest(der: Uint8Array): boolean {
  const whole = derElement(der, 0, der.length);
  if (whole?.tag !== SEQUENCE || whole.end !== der.length) return false;
  const parts = derTags(der, whole.start, whole.end);
  if (parts?.join() !== [SEQUENCE, SEQUENCE, BIT_STRING].join()) return false;
  const information = derElement(der, whole.start, whole.end)!;
  const fields = derTags(der, information.start, information.end);
  return fields !== undefined && fields.slice(0, 3).join() === [INTEGER, SEQUENCE, SEQUENCE].join();
}

const SIGNER =
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

function usageErrors(usages: readonly string[]): FieldError[] {
  if (usages.length === 0) return [fieldError.required('spec.usages')];
  const at = (index: number): string => `spec.usages[${index}]`;
  return [
    ...usages.flatMap((usage, i) =>
      USAGES.includes(usage) ? [] : [fieldError.notSupported(at(i), usage, USAGES)],
    ),
    ...usages.flatMap((usage, i) => (usages.indexOf(usage) < i ? [fieldError.duplicate(at(i), usage)] : [])),
  ];
}

function validateRequest(object: KubeObject): FieldError[] {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  const problem = requestProblem(spec.request ?? '');
  if (problem !== undefined) errors.push(fieldError.invalid('spec.request', spec.request, problem));
  errors.push(...usageErrors(spec.usages ?? []));
  const signer = spec.signerName ?? '';
  if (signer === '') errors.push(fieldError.required('spec.signerName'));
  else if (!SIGNER.test(signer)) {
    const why = 'must be a fully qualified domain and path of the form "example.com/signer-name"';
    errors.push(fieldError.invalid('spec.signerName', signer, why));
  }
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    errors.push(
      fieldError.invalid(
        'spec.expirationSeconds',
        spec.expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    );
  }
  return errors;
}

function validateConditions(conditions: Conditions): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { type, status }] of conditions.entries()) {
    const at = `status.conditions[${i}]`;
    if (type === '') errors.push(fieldError.required(`${at}.type`));
    if (seen.has(type)) errors.push(fieldError.duplicate(`${at}.type`, type));
    seen.add(type);
    const decision = type === 'Approved' || type === 'Denied' || type === 'Failed';
    if (decision && status !== 'True') {
      errors.push(fieldError.notSupported(`${at}.status`, status, ['True']));
    }
  }
  if (seen.has('Approved') && seen.has('Denied')) {
    errors.push(
      fieldError.invalid(
        'status.conditions',
        'Approved,Denied',
        'Approved and Denied conditions are mutually exclusive',
      ),
    );
  }
  return errors;
}

const isDecision = ({ type }: CertificateSigningRequestCondition): boolean =>
  type === 'Approved' || type === 'Denied';

/** Stamps conditions that are new or changed. */
function stamped(next: Conditions, old: Conditions, nowMs: number): Conditions {
  const now = formatTime(nowMs);
  return next.map((condition) => {
    const before = old.find(({ type }) => type === condition.type);
    if (before !== undefined && before.status === condition.status) {
      return { ...condition, lastTransitionTime: condition.lastTransitionTime ?? before.lastTransitionTime };
    }
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? now,
    };
  }) as Conditions;
}

function withStatus(
  next: KubeObject,
  old: KubeObject,
  change: (given: ReturnType<typeof statusOf>, had: ReturnType<typeof statusOf>) => object,
): KubeObject {
  const status = Object.freeze(change(statusOf(next), statusOf(old)));
  return Object.freeze({ ...old, metadata: next.metadata, status });
}

/** Decides; the rest of the status belongs to the signer. */
const approval: Subresource = {
  verbs: ['get', 'patch', 'update'],
  part: {
    ignoredFields: ['spec'],
    prepareForUpdate: (next, old, context) =>
      withStatus(next, old, (given, had) => ({
        ...had,
        conditions: stamped(given.conditions ?? [], had.conditions ?? [], context.nowMs),
      })),
    validateUpdate(next, old) {
      const errors = validateConditions(statusOf(next).conditions ?? []);
      const kept = (conditions: Conditions): unknown =>
        conditions.filter((one) => !isDecision(one)).map(({ type }) => type);
      if (!semanticEqual(kept(statusOf(next).conditions ?? []), kept(statusOf(old).conditions ?? []))) {
        errors.push(
          fieldError.forbidden('status.conditions', 'updates may not add or remove a condition of this type'),
        );
      }
      return errors;
    },
  },
};

const status: Subresource = {
  verbs: ['get', 'patch', 'update'],
  part: {
    ignoredFields: ['spec'],
    prepareForUpdate: (next, old, context) =>
      withStatus(next, old, (given, had) => {
        // COMPAT: decisions are made through the approval subresource only; a status write keeps them.
        const decisions = (had.conditions ?? []).filter(isDecision);
        const others = (given.conditions ?? []).filter((one) => !isDecision(one));
        const conditions = stamped([...decisions, ...others], had.conditions ?? [], context.nowMs);
        return { ...given, ...(conditions.length === 0 ? {} : { conditions }) };
      }),
    validateUpdate(next, old) {
      const errors = validateConditions(statusOf(next).conditions ?? []);
      const [certificate, before] = [statusOf(next).certificate, statusOf(old).certificate];
      if (before !== undefined) errors.push(...immutable(certificate, before, 'status.certificate'));
      return errors;
    },
  },
};

function requestDefaults(object: KubeObject): KubeObject {
  return change(object as unknown as CertificateSigningRequest, 'status', (given) =>
    change(given, 'conditions', (conditions) => each(conditions, (one) => fill(one, { status: 'True' }))),
  );
}

const signingRequest: BuiltinKind = {
  defaults: requestDefaults,
  strategy: {
    nameRule: nameIsPathSegment,
    createsOnUpdate: true,
    prepareForCreate: withRequester,
    prepareForUpdate: (next, old) => Object.freeze({ ...next, spec: old['spec'], status: old['status'] }),
    validate: validateRequest,
    validateUpdate: () => [],
    selectableFields: (object) => ({ 'spec.signerName': specOf(object).signerName ?? '' }),
    selectableFieldNames: ['spec.signerName'],
  },
  subresources: { approval, status },
  printer: printers.certificateSigningRequests,
};

export const certificates: BuiltinKinds = {
  'certificates.k8s.io/certificatesigningrequests': signingRequest,
};
