// `require("kube")`: what scripts need to know of pods and quantities and should not compute themselves.
import type { JsonObject } from '../../api/index.ts';
import { Quantity, QuantityError } from '../../machinery/index.ts';
import { podDependencies } from '../native/pod-dependencies.ts';
import { podRequirements } from '../native/pod-requirements.ts';
import { objectAt } from '../native/read.ts';
import { badArgument, tableArgument, textArgument } from './arguments.ts';
import { fromJson, toJson } from './json.ts';
import type { Machine } from './machine.ts';
import { LuaFunction, luaType, toText, type LuaValue } from './value.ts';

function quantityArgument(machine: Machine, name: string, value: LuaValue, position: number): Quantity {
  if (value === undefined) return Quantity.zero;
  if (typeof value !== 'string') {
    throw badArgument(machine, name, position, `string expected, got ${luaType(value)}`);
  }
  machine.step(value.length / 4);
  try {
    return Quantity.parse(toText(value));
  } catch (error) {
    if (error instanceof QuantityError) throw badArgument(machine, name, position, error.message);
    throw error;
  }
}

/** The pod spec of a pod template. */
function templateArgument(machine: Machine, name: string, args: readonly LuaValue[]): JsonObject {
  return objectAt(toJson(tableArgument(machine, name, args, 1), {}, undefined, machine), 'spec') ?? {};
}

export const kubeLibrary: readonly LuaFunction[] = [
  new LuaFunction('resourceAdd', (machine, args) => {
    const amounts = args.map((value, index) => quantityArgument(machine, 'resourceAdd', value, index + 1));
    return [amounts.reduce((sum, amount) => sum.add(amount), Quantity.zero).toString()];
  }),
  new LuaFunction('accuratePodRequirements', (machine, args) => {
    if (args.length !== 1) throw machine.error('accuratePodRequirements takes one argument');
    const requirements = podRequirements(templateArgument(machine, 'accuratePodRequirements', args));
    return [fromJson(machine, requirements)];
  }),
  new LuaFunction('getPodDependencies', (machine, args) => {
    if (args.length !== 2) throw machine.error('getPodDependencies takes two arguments');
    const podSpec = templateArgument(machine, 'getPodDependencies', args);
    const namespace = toText(textArgument(machine, 'getPodDependencies', args, 2, 'default'));
    // COMPAT: scripts see what upstream shows them.
    const shown = podDependencies(podSpec, namespace).map(({ optional: _optional, ...one }) => one);
    return [fromJson(machine, shown)];
  }),
  new LuaFunction('getResourceQuantity', (machine, args) => {
    const quantity = quantityArgument(machine, 'getResourceQuantity', args[0], 1);
    if (quantity.sign < 0) throw machine.error('a quantity must not be negative');
    const value = quantity.toNumber();
    if (!Number.isFinite(value)) throw machine.error('a quantity must be finite');
    return [value];
  }),
];
