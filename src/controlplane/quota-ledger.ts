// How admission counts bindings against quotas, in the hub whose API server admits them: through that server itself.
import type { QuotaLedger } from '../admission/index.ts';
import type { Client } from '../client/index.ts';
import { quotaResource } from '../controllers/index.ts';

/** @param started resolves when the API server can be called; requests that come before wait for it */
export function createQuotaLedger(started: Promise<Client>): QuotaLedger {
  return {
    async list(namespace) {
      const client = await started;
      return (await client.listAll(quotaResource, { namespace })).items;
    },
    async writeStatus(quota, dryRun) {
      const client = await started;
      await client.updateStatus(quotaResource, quota, { dryRun });
    },
  };
}
