// What the hub has done with the simulated members, in their own thread.
import type { FaultAnswer } from '../../members/index.ts';
import type { HelmOptions } from '../../packages/index.ts';
import type { MemberDescription, MembersOptions, WantedMember } from './members.ts';

/** How the thread starts its members: what can be told in another thread. */
export interface ThreadOptions extends Omit<MembersOptions, 'helm' | 'worker' | 'logger'> {
  readonly helm: { readonly mode: HelmOptions['mode']; readonly binary: string };
  readonly logLevel: string;
}

export type MemberCommand =
  | { readonly do: 'start'; readonly options: ThreadOptions }
  | { readonly do: 'add'; readonly wanted: WantedMember }
  | { readonly do: 'remove'; readonly name: string }
  | { readonly do: 'fault'; readonly name: string; readonly fault: unknown }
  | { readonly do: 'close' };

/** All members there are after the command; of `fault` its answer. */
export type MemberResult<C extends MemberCommand> = C extends { readonly do: 'fault' }
  ? FaultAnswer
  : readonly MemberDescription[];
