// How a custom resource definition converts between its versions, checked in kube-apiserver's words.
import type { CustomResourceConversion } from '../../api/index.ts';
import {
  fieldError,
  reviewVersionErrors,
  webhookClientErrors,
  type FieldError,
} from '../../machinery/index.ts';

const STRATEGIES = ['None', 'Webhook'];

export function conversionErrors(conversion: CustomResourceConversion | undefined): FieldError[] {
  if (conversion === undefined) return [];
  const path = 'spec.conversion';
  const { strategy, webhook } = conversion;
  const { clientConfig, conversionReviewVersions: versions = [] } = webhook ?? {};
  const config = `${path}.webhookClientConfig`;
  const at = `${path}.conversionReviewVersions`;
  if (strategy === 'Webhook') {
    const client =
      clientConfig === undefined
        ? [fieldError.required(config, 'required when strategy is set to Webhook')]
        : webhookClientErrors(clientConfig, config);
    return [...client, ...reviewVersionErrors(versions, at)];
  }
  const errors: FieldError[] = [];
  if (strategy === '') errors.push(fieldError.required(`${path}.strategy`));
  else if (strategy !== 'None') {
    errors.push(fieldError.notSupported(`${path}.strategy`, strategy, STRATEGIES));
  }
  const why = 'should not be set when strategy is not set to Webhook';
  if (clientConfig !== undefined) errors.push(fieldError.forbidden(config, why));
  if (versions.length > 0) errors.push(fieldError.forbidden(at, why));
  return errors;
}
