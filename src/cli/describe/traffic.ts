// Ingresses in words.
import type { KubeObject } from '../../api/index.ts';
import { endpointsOf, type Described } from './parts.ts';
import { annotations, at, labels, listAt, mapAt, textAt, type Description, type Fields } from './text.ts';

export async function describeIngress(
  out: Description,
  ingress: KubeObject,
  { others }: Described,
): Promise<void> {
  const spec = mapAt(ingress, 'spec');
  const services = await others('', 'v1', 'services');
  const slices = await others('discovery.k8s.io', 'v1', 'endpointslices');
  const backend = (one: unknown): string => backendText(one, services, slices);
  out.field(0, 'Name', ingress.metadata.name ?? '');
  labels(out, ingress);
  out.field(0, 'Namespace', ingress.metadata.namespace ?? '');
  const addresses = listAt(ingress, 'status', 'loadBalancer', 'ingress').map(
    (one) => textAt(one, 'ip') || textAt(one, 'hostname'),
  );
  out.field(0, 'Address', addresses.filter((one) => one !== '').join(','));
  out.field(0, 'Ingress Class', textAt(spec, 'ingressClassName') || '<none>');
  const byDefault = at(spec, 'defaultBackend');
  const defaultText = byDefault === undefined ? '<default>' : backend(byDefault);
  out.field(0, 'Default backend', defaultText);
  const tls = listAt(spec, 'tls');
  if (tls.length > 0) out.line(0, 'TLS:');
  for (const one of tls) {
    const hosts = ((at(one, 'hosts') as readonly string[] | undefined) ?? []).join(',');
    out.line(
      1,
      textAt(one, 'secretName') === ''
        ? `SNI routes ${hosts}`
        : `${textAt(one, 'secretName')} terminates ${hosts}`,
    );
  }
  out.line(0, 'Rules:\n  Host\tPath\tBackends');
  out.line(1, '----\t----\t--------');
  const rules = listAt(spec, 'rules').filter((rule) => at(rule, 'http') !== undefined);
  for (const rule of rules) {
    out.line(1, `${textAt(rule, 'host') || '*'}\t`);
    for (const path of listAt(rule, 'http', 'paths'))
      out.line(2, `\t${textAt(path, 'path')} \t${backend(at(path, 'backend'))}`);
  }
  if (rules.length === 0) out.line(1, `*\t*\t${defaultText}`);
  annotations(out, ingress);
}

function backendText(
  backend: unknown,
  services: readonly KubeObject[],
  slices: readonly KubeObject[],
): string {
  const service = at(backend, 'service') as Fields | undefined;
  if (service === undefined) {
    const resource = mapAt(backend, 'resource');
    return `APIGroup: ${textAt(resource, 'apiGroup') || '<none>'}, Kind: ${textAt(resource, 'kind')}, Name: ${textAt(resource, 'name')}`;
  }
  const name = textAt(service, 'name');
  const port = textAt(service, 'port', 'name') || textAt(service, 'port', 'number') || '0';
  const found = services.find(({ metadata }) => metadata.name === name);
  if (found === undefined) return `${name}:${port} (<error: services "${name}" not found>)`;
  const meant = listAt(found, 'spec', 'ports').find(
    (one) => textAt(one, 'port') === port || (textAt(one, 'name') !== '' && textAt(one, 'name') === port),
  );
  const own = slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
  return `${name}:${port} (${meant === undefined ? '' : endpointsOf(own, textAt(meant, 'name'))})`;
}
