// Addresses of load balancers, as the status of services and ingresses over several clusters reports them.
import { s } from '../schema.ts';

const ATOMIC = { 'x-kubernetes-list-type': 'atomic' } as const;

const portStatus = s.object('The state of one port.', {
  required: {
    port: s.int32('The port.'),
    protocol: s.string('TCP, UDP or SCTP.'),
    error: s.string('What is wrong with it, as one CamelCase word.', {
      maxLength: 316,
      pattern:
        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
    }),
  },
});

const addressFields = {
  ip: s.string('Its IP address.'),
  hostname: s.string('Its DNS name.'),
  ports: s.list('Its ports.', portStatus, ATOMIC),
} as const;

export const ingressLoadBalancer = s.object('Where it can be reached.', {
  optional: {
    ingress: s.list('The addresses.', s.object('An address.', { optional: addressFields }), ATOMIC),
  },
});

export const serviceLoadBalancer = s.object('Where it can be reached.', {
  optional: {
    ingress: s.list(
      'The addresses.',
      s.object('An address.', {
        optional: {
          ...addressFields,
          ipMode: s.string('VIP when packets arrive with this address, Proxy when not.'),
        },
      }),
      ATOMIC,
    ),
  },
});
