// Subresources that need a kubelet or a node behind them. A cluster that has one brings its own; here they refuse by
// name, so that a client learns at once why nothing comes.
import { StatusError } from '../../machinery/index.ts';
import type { Subresource } from '../resource.ts';

/** @param connects the kind of options that admission sees; absent: it opens no connection */
export function notServedHere(name: string, verbs: readonly string[], connects?: string): Subresource {
  return {
    verbs,
    ...(connects === undefined ? {} : { connects }),
    async serve(call) {
      await call.parent();
      const message = `${name} is not served by this API server: no kubelet is behind it`;
      throw new StatusError(501, 'NotImplemented', message, {});
    },
  };
}
