// flowcontrol.apiserver.k8s.io: kept, defaulted and checked here; what they do to requests is in ../flow-control/.
import type { KubeObject } from '../../api/index.ts';
import { fieldError, semanticEqual, type FieldError } from '../../machinery/index.ts';
import { SUGGESTED_LEVELS } from '../flow-control/suggested.ts';
import { change, fill } from '../typed/drafts.ts';
import type { BuiltinKind, BuiltinKinds } from './builtin.ts';
import { oneOf } from './checks.ts';
import { validateFlowSchema } from './flow-schema-validation.ts';
import { printer } from '../table/columns.ts';
import { formatAge } from '../../machinery/index.ts';

interface FlowSchemaSpec {
  readonly matchingPrecedence?: number;
  readonly priorityLevelConfiguration?: { readonly name?: string };
  readonly distinguisherMethod?: { readonly type?: string };
}

interface Queuing {
  readonly queues?: number;
  readonly handSize?: number;
  readonly queueLengthLimit?: number;
}

interface Limited {
  readonly nominalConcurrencyShares?: number;
  readonly lendablePercent?: number;
  readonly borrowingLimitPercent?: number;
  readonly limitResponse?: { readonly type?: string; readonly queuing?: Queuing };
}

interface Exempt {
  readonly nominalConcurrencyShares?: number;
  readonly lendablePercent?: number;
}

interface PriorityLevelSpec {
  readonly type?: string;
  readonly limited?: Limited;
  readonly exempt?: Exempt;
}

type With<Spec> = { readonly spec?: Spec };

const nameOf = (object: unknown): string => (object as KubeObject).metadata.name ?? '';

const flowSchema: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as With<FlowSchemaSpec>, 'spec', (spec) =>
      spec.matchingPrecedence === 0
        ? { ...spec, matchingPrecedence: 1000 }
        : fill(spec, { matchingPrecedence: 1000 }),
    ) as unknown as KubeObject,
  strategy: {
    generation: 'spec',
    createsOnUpdate: true,
    requiresResourceVersion: true,
    validate: validateFlowSchema,
  },
  printer: {
    ...printer<KubeObject>(
      'Name|PriorityLevel|MatchingPrecedence|DistinguisherMethod|Age|MissingPL',
      (object) => {
        const { spec = {} } = object as unknown as With<FlowSchemaSpec>;
        const conditions =
          (object['status'] as { conditions?: readonly { type: string; status: string }[] } | undefined)
            ?.conditions ?? [];
        const missing = conditions.find(({ type }) => type === 'Dangling')?.status ?? '?';
        return [
          nameOf(object),
          spec.priorityLevelConfiguration?.name ?? '',
          spec.matchingPrecedence ?? 0,
          spec.distinguisherMethod?.type ?? '<none>',
          missing,
        ];
      },
    ),
    // COMPAT: in the order in which they are tried.
    order: (a, b) => precedenceOf(a) - precedenceOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1),
  },
};

const precedenceOf = (object: KubeObject): number =>
  (object as unknown as With<FlowSchemaSpec>).spec?.matchingPrecedence ?? 0;

function limitedDefaults(limited: Limited): Limited {
  const filled = fill(limited, { nominalConcurrencyShares: 30, lendablePercent: 0 });
  return change(filled, 'limitResponse', (response) =>
    change(response, 'queuing', (queuing) => ({
      ...queuing,
      queues: queuing.queues || 64,
      handSize: queuing.handSize || 8,
      queueLengthLimit: queuing.queueLengthLimit || 50,
    })),
  );
}

// LIMIT: as upstream: more queues than anybody needs, and as many bits as a hash has to deal hands from.
const QUEUES_MAX = 10_000_000;
const HASH_BITS = 60;

/** To deal a hand of different cards. */
function entropyBits(deckSize: number, handSize: number): number {
  return Math.ceil(Math.log2(deckSize) * handSize);
}

function limitedErrors(limited: Limited): FieldError[] {
  const {
    nominalConcurrencyShares = 0,
    lendablePercent = 0,
    borrowingLimitPercent = 0,
    limitResponse,
  } = limited;
  const path = 'spec.limited';
  const errors: FieldError[] = [];
  const refuse = (field: string, value: number, why: string): void =>
    void errors.push(fieldError.invalid(`${path}.${field}`, value, why));
  if (nominalConcurrencyShares < 0) {
    refuse('nominalConcurrencyShares', nominalConcurrencyShares, 'must be a non-negative integer');
  }
  const { type, queuing } = limitResponse ?? {};
  const at = 'limitResponse.queuing';
  if (type === 'Reject' && queuing !== undefined) {
    const why = 'must be nil if limited.limitResponse.type is not Limited';
    errors.push(fieldError.forbidden(`${path}.${at}`, why));
  } else if (type === 'Queue' && queuing === undefined) {
    const why = 'must not be empty if limited.limitResponse.type is Limited';
    errors.push(fieldError.required(`${path}.${at}`, why));
  } else if (type === 'Queue') {
    const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing ?? {};
    if (queueLengthLimit <= 0) refuse(`${at}.queueLengthLimit`, queueLengthLimit, 'must be positive');
    if (queues <= 0) refuse(`${at}.queues`, queues, 'must be positive');
    else if (queues > QUEUES_MAX) refuse(`${at}.queues`, queues, `must not be greater than ${QUEUES_MAX}`);
    if (handSize <= 0) refuse(`${at}.handSize`, handSize, 'must be positive');
    else if (handSize > queues) {
      refuse(`${at}.handSize`, handSize, `should not be greater than queues (${queues})`);
    } else if (entropyBits(queues, handSize) > HASH_BITS) {
      const why = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${HASH_BITS}`;
      refuse(`${at}.handSize`, handSize, why);
    }
  } else if (type !== 'Reject') {
    errors.push(...oneOf(type, ['Queue', 'Reject'], `${path}.limitResponse.type`, false));
  }
  if (lendablePercent < 0 || lendablePercent > 100) {
    refuse('lendablePercent', lendablePercent, 'must be between 0 and 100, inclusive');
  }
  if (borrowingLimitPercent < 0) {
    refuse('borrowingLimitPercent', borrowingLimitPercent, 'if specified, must be a non-negative integer');
  }
  return errors;
}

function validatePriorityLevel(object: KubeObject): FieldError[] {
  const spec = (object as unknown as With<PriorityLevelSpec>).spec ?? {};
  const { type, limited, exempt } = spec;
  const { name } = object.metadata;
  const errors: FieldError[] = [];
  if ((type === 'Exempt') !== (name === 'exempt')) {
    const why = "type must be 'Exempt' if and only if name is 'exempt'";
    errors.push(fieldError.invalid('spec.type', type ?? '', why));
  }
  if (type === 'Exempt') {
    if (exempt === undefined) {
      errors.push(fieldError.required('spec.exempt', 'must not be empty when type is Exempt'));
    } else errors.push(...exemptErrors(exempt));
    if (limited !== undefined) {
      errors.push(fieldError.forbidden('spec.limited', 'must be nil if the type is not Limited'));
    }
  } else if (type === 'Limited') {
    if (exempt !== undefined) {
      errors.push(fieldError.forbidden('spec.exempt', 'must be nil if the type is Limited'));
    }
    if (limited === undefined) {
      errors.push(fieldError.required('spec.limited', 'must not be empty when type is Limited'));
    } else errors.push(...limitedErrors(limited));
  } else {
    errors.push(fieldError.notSupported('spec.type', type ?? '', ['Exempt', 'Limited']));
  }
  const fixed = SUGGESTED_LEVELS.find(
    (level) => level.metadata.name === name && (name === 'exempt' || name === 'catch-all'),
  );
  if (fixed === undefined) return errors;
  // What 'exempt' lends to others may be chosen.
  const [given, wanted] = [
    name === 'exempt' ? { ...spec, exempt: {} } : spec,
    name === 'exempt' ? { ...(fixed['spec'] as object), exempt: {} } : fixed['spec'],
  ];
  if (!semanticEqual(given, wanted)) {
    const except =
      name === 'exempt'
        ? " except the 'spec.exempt.nominalConcurrencyShares' and 'spec.exempt.lendablePercent' fields"
        : '';
    errors.push(fieldError.invalid('spec', spec, `spec of '${name}'${except} must equal the fixed value`));
  }
  return errors;
}

function exemptErrors({ nominalConcurrencyShares = 0, lendablePercent = 0 }: Exempt): FieldError[] {
  return [
    ...(nominalConcurrencyShares < 0
      ? [
          fieldError.invalid(
            'spec.exempt.nominalConcurrencyShares',
            nominalConcurrencyShares,
            'must be a non-negative integer',
          ),
        ]
      : []),
    ...(lendablePercent < 0 || lendablePercent > 100
      ? [
          fieldError.invalid(
            'spec.exempt.lendablePercent',
            lendablePercent,
            'must be between 0 and 100, inclusive',
          ),
        ]
      : []),
  ];
}

const priorityLevel: BuiltinKind = {
  defaults: (object) =>
    change(object as unknown as With<PriorityLevelSpec>, 'spec', (given) => {
      const spec =
        given.type === 'Exempt'
          ? fill(given, { exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } })
          : given;
      return change(spec, 'limited', limitedDefaults);
    }) as unknown as KubeObject,
  strategy: {
    generation: 'spec',
    createsOnUpdate: true,
    requiresResourceVersion: true,
    validate: validatePriorityLevel,
  },
  printer: {
    ...printer<KubeObject>(
      'Name|Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age',
      () => [],
    ),
    cells(object, nowMs) {
      const { spec = {} } = object as unknown as With<PriorityLevelSpec>;
      const queuing = spec.limited?.limitResponse?.queuing;
      const shares = spec.limited?.nominalConcurrencyShares;
      return [
        nameOf(object),
        spec.type ?? '',
        shares ?? '<none>',
        queuing?.queues ?? '<none>',
        queuing?.handSize ?? '<none>',
        queuing?.queueLengthLimit ?? '<none>',
        formatAge(object.metadata.creationTimestamp, nowMs),
      ];
    },
  },
};

const GROUP = 'flowcontrol.apiserver.k8s.io';

export const flowControl: BuiltinKinds = {
  [`${GROUP}/flowschemas`]: flowSchema,
  [`${GROUP}/prioritylevelconfigurations`]: priorityLevel,
};
