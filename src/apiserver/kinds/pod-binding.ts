// Puts pods on nodes, as a scheduler asks for it: by the subresource of the pod, or by its older sibling.
import type { KubeObject, Pod } from '../../api/index.ts';
import { formatTime } from '../../base/index.ts';
import { badRequest, conflict, fieldError } from '../../machinery/index.ts';
import { parseJsonBody } from '../body.ts';
import { methodNotAllowed } from '../refusals.ts';
import type { Subresource } from '../resource.ts';
import type { BuiltinKind } from './builtin.ts';

interface BindingBody {
  readonly metadata?: {
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly target?: { readonly kind?: string; readonly name?: string };
}

function bound(pod: KubeObject, node: string, body: BindingBody, nowMs: number): KubeObject {
  const spec = (pod as unknown as Pod).spec!;
  const { name = '' } = pod.metadata;
  const resource = { group: '', resource: 'pods/binding' };
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(resource, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if ((spec.nodeName ?? '') !== '') {
    throw conflict(
      resource,
      name,
      `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`,
    );
  }
  if ((spec.schedulingGates ?? []).length > 0) {
    throw conflict(resource, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  const conditions = ((pod as unknown as Pod).status?.conditions ?? []).filter(
    ({ type }) => type !== 'PodScheduled',
  );
  const status = {
    ...(pod['status'] as object),
    conditions: [
      ...conditions,
      { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: formatTime(nowMs) },
    ],
  };
  const annotations = { ...pod.metadata.annotations, ...body.metadata?.annotations };
  const labels = { ...pod.metadata.labels, ...body.metadata?.labels };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
    spec: { ...spec, nodeName: node },
    status,
  };
}

/** Puts a pod on a node: what a scheduler does. */
export const bindingSubresource: Subresource = {
  kind: { group: '', version: 'v1', kind: 'Binding' },
  verbs: ['create'],
  async serve(call) {
    const body = (await call.admitCreate(call.object(), (binding) => {
      const { name = '' } = binding.metadata ?? {};
      if (name === '' || name === call.info.name) return binding;
      throw badRequest('name in URL does not match name in Binding object');
    })) as unknown as BindingBody;
    const node = body.target?.name ?? '';
    if (node === '') call.refuseInvalid('Binding', [fieldError.required('target.name')]);
    const kind = body.target?.kind ?? '';
    if (kind !== '' && kind !== 'Node') {
      call.refuseInvalid('Binding', [fieldError.notSupported('target.kind', kind, ['Node', '<empty>'])]);
    }
    await call.update((pod) => bound(pod, node, body, call.context.nowMs));
    return call.present(201, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      code: 201,
    });
  },
};

/** COMPAT: the older way to put a pod on a node: the binding has the pod's name. */
export const legacyBinding: BuiltinKind = {
  async serve({ request, info, passOn }) {
    if (info.verb !== 'create' || info.name !== '' || info.namespace === '') throw methodNotAllowed();
    const body = parseJsonBody({ request }, false)?.json as BindingBody | null | undefined;
    const name = body?.metadata?.name;
    if (typeof name !== 'string' || name === '') throw badRequest('name is required');
    return passOn({ resource: 'pods', subresource: 'binding', name });
  },
};
