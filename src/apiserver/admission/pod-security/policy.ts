// Pod Security levels: what the labels of a namespace ask for. Source: the Pod Security Standards and the labels
// pod-security.kubernetes.io/*.
import { fieldError, type FieldError } from '../../../machinery/index.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';
const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted'];

/** A level as a version of Kubernetes defined it. */
export interface LevelVersion {
  readonly level: Level;
  /** Minor version; infinite for `latest`. */
  readonly minor: number;
}

export interface SecurityPolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

const PREFIX = 'pod-security.kubernetes.io/';
const PRIVILEGED: LevelVersion = { level: 'privileged', minor: Number.POSITIVE_INFINITY };

export const levelText = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === Number.POSITIVE_INFINITY ? 'latest' : `v1.${minor}`}`;

export const sameLevel = (a: LevelVersion, b: LevelVersion): boolean =>
  a.level === b.level && a.minor === b.minor;

export const isStricter = (a: Level, b: Level): boolean => LEVELS.indexOf(a) > LEVELS.indexOf(b);

/**
 * What a namespace with these labels asks for, and what is wrong with them. COMPAT: an unreadable level counts as the
 * strictest where it is enforced, and as none where it only warns.
 */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): {
  readonly policy: SecurityPolicy;
  readonly errors: readonly FieldError[];
} {
  const errors: FieldError[] = [];
  const read = (mode: keyof SecurityPolicy, start: LevelVersion, otherwise: Level): LevelVersion => {
    let { level, minor } = start;
    const given = labels?.[`${PREFIX}${mode}`];
    if (given !== undefined) {
      level = LEVELS.find((one) => one === given) ?? otherwise;
      if (level !== given) refuse(mode, given, `must be one of ${LEVELS.join(', ')}`);
    }
    const version = labels?.[`${PREFIX}${mode}-version`];
    if (version !== undefined && version !== 'latest') {
      const [, digits] = /^v1\.(0|[1-9][0-9]*)$/.exec(version) ?? [];
      minor = digits === undefined ? Number.POSITIVE_INFINITY : Number(digits);
      if (digits === undefined) refuse(`${mode}-version`, version, 'must be "latest" or "v1.x"');
    }
    return { level, minor };
  };
  const refuse = (label: string, value: string, why: string): void => {
    errors.push(fieldError.invalid(`metadata.labels[${PREFIX}${label}]`, value, why));
  };
  const enforce = read('enforce', PRIVILEGED, 'restricted');
  const audit = read('audit', PRIVILEGED, 'privileged');
  // COMPAT: what is enforced on pods is warned of where it is only asked for (in a Deployment), unless said otherwise.
  const warns = labels?.[`${PREFIX}warn`] !== undefined;
  const warn = read('warn', warns ? PRIVILEGED : enforce, 'privileged');
  return { policy: { enforce, audit, warn }, errors };
}
