// networking.k8s.io, discovery.k8s.io and core Endpoints: each kind has a file of its own.
import type { BuiltinKinds } from './builtin.ts';
import { endpoints, endpointSlice } from './endpoints.ts';
import { ingress, ingressClass } from './ingresses.ts';
import { networkPolicy } from './network-policies.ts';
import { ipAddress, serviceCidr } from './service-networks.ts';

export const networking: BuiltinKinds = {
  'networking.k8s.io/ingresses': ingress,
  'networking.k8s.io/ingressclasses': ingressClass,
  'networking.k8s.io/networkpolicies': networkPolicy,
  'networking.k8s.io/ipaddresses': ipAddress,
  'networking.k8s.io/servicecidrs': serviceCidr,
  'discovery.k8s.io/endpointslices': endpointSlice,
  '/endpoints': endpoints,
};
