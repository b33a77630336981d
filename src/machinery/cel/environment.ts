// Everything that Kubernetes' expressions can call.
import { authorizerFunctions } from './authorizer.ts';
import { conversionFunctions } from './conversions.ts';
import { FunctionTable, type Functions } from './functions.ts';
import { kubernetesTypeFunctions } from './kubernetes-types.ts';
import { listFunctions } from './lists.ts';
import { mutationFunctions } from './mutation.ts';
import { networkFunctions } from './network.ts';
import { operatorFunctions } from './operators.ts';
import { optionalFunctions } from './optionals.ts';
import { stringFunctions } from './strings.ts';

function common(): FunctionTable {
  const table = new FunctionTable();
  operatorFunctions(table);
  conversionFunctions(table);
  stringFunctions(table);
  listFunctions(table);
  optionalFunctions(table);
  networkFunctions(table);
  kubernetesTypeFunctions(table);
  return table;
}

let functions: Functions | undefined;
let requestFunctions: Functions | undefined;

/** Made when first asked for: most API servers never see a rule. */
export function kubernetesFunctions(): Functions {
  functions ??= common().functions;
  return functions;
}

/** With what only expressions about requests can call. */
export function admissionFunctions(): Functions {
  if (requestFunctions !== undefined) return requestFunctions;
  const table = common();
  authorizerFunctions(table);
  mutationFunctions(table);
  requestFunctions = table.functions;
  return requestFunctions;
}
