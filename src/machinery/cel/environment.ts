// Everything that Kubernetes' expressions can call.
import { conversionFunctions } from './conversions.ts';
import { FunctionTable, type Functions } from './functions.ts';
import { kubernetesTypeFunctions } from './kubernetes-types.ts';
import { listFunctions } from './lists.ts';
import { networkFunctions } from './network.ts';
import { operatorFunctions } from './operators.ts';
import { optionalFunctions } from './optionals.ts';
import { stringFunctions } from './strings.ts';

let functions: Functions | undefined;

/** Made when first asked for: most API servers never see a rule. */
export function kubernetesFunctions(): Functions {
  if (functions !== undefined) return functions;
  const table = new FunctionTable();
  operatorFunctions(table);
  conversionFunctions(table);
  stringFunctions(table);
  listFunctions(table);
  optionalFunctions(table);
  networkFunctions(table);
  kubernetesTypeFunctions(table);
  functions = table.functions;
  return functions;
}
