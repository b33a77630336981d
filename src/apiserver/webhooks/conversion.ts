// Custom resources in another version, by the webhook of their definition (ConversionReview, v1 and v1beta1).
import {
  deepFreeze,
  parseApiVersion,
  type CustomResourceDefinition,
  type KubeObject,
  type ObjectMeta,
} from '../../api/index.ts';
import { errorMessage, type Random } from '../../base/index.ts';
import { StatusError, goQuote, type Status } from '../../machinery/index.ts';
import type { WebhookConverter } from '../crd/index.ts';
import { WebhookCallError, type WebhookClient } from './client.ts';

// As kube-apiserver: definitions cannot choose.
const TIMEOUT_MS = 30_000;
const GROUP = 'apiextensions.k8s.io';
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

interface ConversionReview {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly response?: {
    readonly uid?: string;
    readonly result?: Partial<Status>;
    readonly convertedObjects?: readonly unknown[];
  };
}

/** What the answer has in it that cannot be taken. */
class BadAnswer extends Error {}

export function conversionWebhooks(client: WebhookClient, random: Random): WebhookConverter {
  return async (crd, objects, apiVersion) => {
    if (objects.length === 0) return objects;
    const first = parseApiVersion(objects[0]!.apiVersion);
    const subject = `conversion webhook for ${first.group}/${first.version}, Kind=${crd.spec.names.kind}`;
    const { conversionReviewVersions = [], clientConfig } = crd.spec.conversion?.webhook ?? {};
    const uid = random.uuid();
    let converted: readonly unknown[];
    try {
      const version = conversionReviewVersions.find((one) => REVIEW_VERSIONS.includes(one));
      if (version === undefined) {
        throw new BadAnswer('webhook does not accept known ConversionReview versions (v1, v1beta1)');
      }
      const review = {
        kind: 'ConversionReview',
        apiVersion: `${GROUP}/${version}`,
        request: { uid, desiredAPIVersion: apiVersion, objects },
      };
      converted = objectsOf(await client.call(clientConfig ?? {}, review, TIMEOUT_MS), version, uid);
    } catch (error) {
      if (!(error instanceof BadAnswer || error instanceof WebhookCallError)) throw error;
      throw new StatusError(500, '', `${subject} failed: ${errorMessage(error)}`);
    }
    if (converted.length !== objects.length) {
      const message = `${subject} returned ${converted.length} objects, expected ${objects.length}`;
      throw new StatusError(500, '', message);
    }
    return objects.map((original, index) => {
      try {
        return accepted(crd, original, converted[index], apiVersion);
      } catch (error) {
        if (!(error instanceof BadAnswer)) throw error;
        const message = `${subject} returned invalid converted object at index ${index}: ${error.message}`;
        throw new StatusError(500, '', message);
      }
    });
  };
}

function objectsOf(answer: unknown, version: string, uid: string): readonly unknown[] {
  const expected = `${GROUP}/${version}`;
  const { apiVersion = '', kind = '', response } = (answer ?? {}) as ConversionReview;
  if (apiVersion !== expected || kind !== 'ConversionReview') {
    const got = parseApiVersion(apiVersion);
    throw new BadAnswer(
      `expected webhook response of ${expected}, Kind=ConversionReview, got ${got.group}/${got.version}, Kind=${kind}`,
    );
  }
  if (response === undefined || response === null) throw new BadAnswer('no response provided');
  // COMPAT: webhooks of v1beta1 need not give the uid back.
  if (version === 'v1' && response.uid !== uid) {
    throw new BadAnswer(`expected response.uid=${goQuote(uid)}, got ${goQuote(response.uid ?? '')}`);
  }
  const { status = '', message = '' } = response.result ?? {};
  if (status !== 'Success') {
    throw new BadAnswer(message === '' ? `response.result.status was '${status}', not 'Success'` : message);
  }
  return response.convertedObjects ?? [];
}

/** The converted object; of its metadata only labels and annotations may have changed. */
function accepted(
  crd: CustomResourceDefinition,
  original: KubeObject,
  converted: unknown,
  apiVersion: string,
): KubeObject {
  const object = converted as KubeObject | null | undefined;
  if (typeof object !== 'object' || object === null) throw new BadAnswer('it is no object');
  if (object.apiVersion !== apiVersion) {
    throw new BadAnswer(`invalid groupVersion (expected ${apiVersion}, received ${object.apiVersion})`);
  }
  const { kind } = crd.spec.names;
  if (object.kind !== kind) throw new BadAnswer(`invalid kind (expected ${kind}, received ${object.kind})`);
  const metadata: ObjectMeta | undefined = object.metadata;
  if (typeof metadata !== 'object' || metadata === null) throw new BadAnswer('metadata is missing');
  for (const field of ['name', 'namespace', 'uid'] as const) {
    const [before = '', after = ''] = [original.metadata[field], metadata[field]];
    if (before !== after) {
      const called = field === 'uid' ? 'UID' : field;
      throw new BadAnswer(`must have the same ${called}: ${before} != ${after}`);
    }
  }
  const { labels: _labels, annotations: _annotations, ...kept } = original.metadata;
  const { labels, annotations } = metadata;
  return deepFreeze({
    ...object,
    metadata: {
      ...kept,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  });
}
